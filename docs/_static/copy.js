// A button on every block of code that copies what one would type: without prompts and without output.
document.addEventListener("DOMContentLoaded", () => {
  // Of a block with prompts, the lines behind them; of one without, all.
  function typed(text) {
    const prompt = /^(>>> |\.\.\. |\.\.\.$|\$ )/;
    const lines = text.replace(/\n$/, "").split("\n");
    if (!lines.some((line) => /^(>>> |\$ )/.test(line))) return lines.join("\n");
    return lines.filter((line) => prompt.test(line)).map((line) => line.replace(prompt, "")).join("\n");
  }

  async function copy(button, pre) {
    const text = typed(pre.textContent);
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }

  for (const pre of document.querySelectorAll(".bd-article div.highlight > pre")) {
    if (pre.closest(".cell_output")) continue;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", () => copy(button, pre));
    pre.parentElement.append(button);
  }
});
