// A question: what the knowledge base would answer, while what was asked is being noted.
export function answers(form, keep) {
  const { kind, note, answer, article_id: article } = form.elements;
  let pause = 0;
  const asked = () => kind.value === "consultation";

  function look() {
    const said = note.value.trim().slice(0, 200);
    const address = `/console/articles${said ? `?about=${encodeURIComponent(said)}` : ""}`;
    htmx.ajax("GET", address, { source: "#articles", target: "#articles", swap: "innerHTML" });
  }

  form.addEventListener("change", (event) => { if (event.target.name === "kind" && asked()) look(); });
  note.addEventListener("input", () => {
    if (!asked()) return;
    clearTimeout(pause);
    pause = setTimeout(look, 400);
  });
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-article]");
    if (!chosen) return;
    article.value = chosen.dataset.article;
    answer.value = chosen.dataset.answer;
    answer.focus();
    keep();
  });
  if (asked() && location.pathname === "/console") look();
}
