// Long names may break after a dot or an underscore, in the list on the left before a capital too, and nowhere else.
function breakAt(element, seam) {
  const pieces = element.textContent.split(seam);
  element.replaceChildren(...pieces.flatMap((piece, i) => (i ? [document.createElement("wbr"), piece] : [piece])));
}
document.addEventListener("DOMContentLoaded", () => {
  for (const span of document.querySelectorAll(".bd-article :not(pre) > code span.pre, .bd-sidebar-secondary code span.pre")) {
    breakAt(span, /(?<=[._])(?=[^._])/);
  }
  for (const link of document.querySelectorAll(".bd-sidebar-primary a.reference")) {
    if (!link.children.length && !link.textContent.includes(" ")) breakAt(link, /(?<=[._])(?=[^._])|(?<=[a-z])(?=[A-Z])/);
  }
});

// The theme's arrows that open a part of the list on the left have no name, and its search button another than it shows.
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll(".bd-sidebar-primary details > summary")) {
    const link = summary.closest("li")?.querySelector("a");
    summary.setAttribute("aria-label", `Pages under ${link ? link.textContent.trim() : "this"}`);
  }
  document.querySelectorAll(".search-button-field").forEach((button) => button.setAttribute("aria-label", "Search Ctrl+K"));
});
