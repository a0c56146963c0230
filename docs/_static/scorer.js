// Who searches wants a recipe first, then an explanation, and of the generated reference the names asked for.
var Scorer = {
  score: ([docname, , , , score, , kind]) => {
    if (kind === "object") return score;
    const isRecipe = /^(howto|_tutorials)\//.test(docname);
    return score + (isRecipe ? 8 : /^(reference\/generated|develop)\//.test(docname) ? -8 : 0);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
