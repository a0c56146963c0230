// Figures to click at: a truth table and its variation; one neuron, its accumulators and the bar.

"use strict";

(() => {
  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function table(head, rows) {
    const line = (tag, cells) => make("tr", {}, ...cells.map((cell) => make(tag, {}, cell)));
    return make("table", { className: "table" }, make("thead", {}, line("th", head)), make("tbody", {}, ...rows.map((row) => line("td", row))));
  }

  // ------------------------------------------------------------------------------------------- a gate

  function gate(figure, { names }) {
    let number = 7;
    const sign = (k) => ((number >> (3 - k)) & 1 ? 1 : -1); // k counts FF, FT, TF, TT
    const letter = (v) => "F0T"[v + 1];
    const change = (from, to) => letter((sign(to) - sign(from)) / 2);
    const buttons = [0, 1, 2, 3].map((k) => make("button", { type: "button", className: "btn btn-sm btn-outline-primary" }));
    const says = make("p", { role: "status" });
    const variation = make("div");

    function show() {
      buttons.forEach((button, k) => {
        button.textContent = `L(${"FFTT"[k]}, ${"FTFT"[k]}) = ${letter(sign(k))}`;
        button.setAttribute("aria-pressed", sign(k) > 0);
      });
      says.textContent = `Gate ${number}, "${names[number]}", bits ${number.toString(2).padStart(4, "0")}.`;
      const rows = [
        ["in a, at b = F", change(0, 2)],
        ["in a, at b = T", change(1, 3)],
        ["in b, at a = F", change(0, 1)],
        ["in b, at a = T", change(2, 3)],
      ];
      variation.replaceChildren(table(["variation", "value"], rows));
    }

    buttons.forEach((button, k) => button.addEventListener("click", () => {
      number ^= 1 << (3 - k);
      show();
    }));
    figure.replaceChildren(
      make("figcaption", {}, "Click at an entry of the truth table. The variation says what becomes of it when a bit goes from F to T: up is T, down is F, and 0 nothing."),
      make("div", { className: "live-buttons" }, ...buttons), says, variation,
    );
    show();
  }

  // ----------------------------------------------------------------------------------------- a neuron

  function neuron(figure, { weights, votes }) {
    let layer, t;
    const canvas = make("canvas", { width: 960, height: 320 });
    const says = make("p", { role: "status" });
    const eta = make("input", { type: "range", min: 0.5, max: 8, step: 0.5, value: 3 });
    const etaSays = make("span");
    const step = make("button", { type: "button", className: "btn btn-sm btn-primary", textContent: "Step" });
    const again = make("button", { type: "button", className: "btn btn-sm btn-outline-primary", textContent: "Start again" });
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--live-" + name).trim();

    function begin() {
      layer = new LiveNetwork.Layer(Uint32Array.from(weights), 1, 32);
      t = 0;
      show();
    }

    function vote() {
      layer.q.set(votes[t % votes.length]);
      layer.step(Number(eta.value) / 127, Infinity);
      t += 1;
      show();
    }

    function show() {
      const context = canvas.getContext("2d");
      const at = (m) => 160 - (m / LiveNetwork.BAR) * 110;
      context.clearRect(0, 0, 960, 320);
      context.lineWidth = 2;
      for (const [m, dashes] of [[LiveNetwork.BAR, [8, 6]], [0, []], [-LiveNetwork.BAR, [8, 6]]]) {
        context.setLineDash(dashes);
        context.strokeStyle = colour("text");
        context.beginPath();
        context.moveTo(20, at(m));
        context.lineTo(940, at(m));
        context.stroke();
      }
      context.font = "18px sans-serif";
      context.textAlign = "center";
      layer.signs.forEach((sign, i) => {
        const x = 34 + 28.8 * i;
        const hasFlipped = layer.flipped.includes(i);
        context.fillStyle = colour(hasFlipped ? "lit" : sign > 0 ? "accent" : "text");
        context.fillRect(x - 8, Math.min(at(0), at(layer.m[i])), 16, Math.max(Math.abs(at(layer.m[i]) - at(0)), 1));
        context.fillText(sign > 0 ? "T" : "F", x, 312);
      });
      etaSays.textContent = ` \u03b7 = ${eta.value} `;
      const share = (layer.beta / 2 ** 15).toFixed(3);
      says.textContent = `Step ${t}: ${layer.flipped.length} of 32 weights flipped; plasticity ${share}.`;
      figure.dataset.m = Array.from(layer.m).join();
      figure.dataset.weights = Array.from(layer.words).join();
      canvas.setAttribute("aria-label", `Accumulators of 32 weights, in bars: ${Array.from(layer.m, (m) => (m / LiveNetwork.BAR).toFixed(2)).join(", ")}`);
    }

    canvas.setAttribute("role", "img");
    step.addEventListener("click", vote);
    again.addEventListener("click", begin);
    eta.addEventListener("input", show);
    new MutationObserver(show).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    figure.replaceChildren(
      make("figcaption", {}, "Evidence of one neuron's 32 weights. Votes add to it; a T flips when its column reaches the upper dashed line, the bar, an F at the lower one, and both start from 0. Much of a vote is noise: the larger \u03b7 is, the more of the flips are."),
      canvas, make("p", { className: "live-buttons" }, step, again, make("label", {}, etaSays, eta)), says,
    );
    begin();
  }

  for (const figure of document.querySelectorAll("figure[data-toy]")) {
    if (figure.dataset.drawn) continue;
    figure.dataset.drawn = "yes";
    ({ gate, neuron })[figure.dataset.toy](figure, JSON.parse(figure.dataset.told));
  }
})();
