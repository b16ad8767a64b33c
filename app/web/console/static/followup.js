// Only somebody who was reached can answer: what is asked of them is shown then, and a rating, or that none is given, is due.
const form = document.querySelector("form[action$='/attempts']");

function follow() {
  const reached = form.elements.outcome.value === "reached";
  for (const part of form.querySelectorAll("[data-answer]")) part.hidden = part.disabled = !reached;
  for (const score of form.elements.score) score.required = true;
}

if (form) {
  form.addEventListener("change", follow);
  follow();
}
