// Long names may break after a dot or an underscore, and nowhere else.
document.addEventListener("DOMContentLoaded", () => {
  for (const span of document.querySelectorAll(".bd-article :not(pre) > code span.pre, .bd-sidebar-secondary code span.pre")) {
    const pieces = span.textContent.split(/(?<=[._])(?=[^._])/);
    span.replaceChildren(...pieces.flatMap((piece, i) => (i ? [document.createElement("wbr"), piece] : [piece])));
  }
});
