// What every page at a desk does: refusals go away when the next thing works, and show the fields they are about; print
// buttons print.
// A page asks for much by itself (a price, who is looking): only what somebody did, or what was refused, takes a refusal away.
let refused = null;
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const said = document.getElementById("said");
  if (detail.failed) refused = detail.elt;
  else if (said && detail.successful && (detail.elt === refused || /^(submit|click)$/.test(detail.requestConfig.triggeringEvent?.type))) said.replaceChildren();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
document.addEventListener("htmx:afterSwap", (event) => {
  const refusal = event.detail.target.id === "said" && document.getElementById("refusal");
  const form = refusal && event.detail.requestConfig.elt.closest("form");
  if (!form) return;
  const fields = refusal.dataset.fields.split(" ").flatMap((name) => [...form.querySelectorAll(`[name="${CSS.escape(name)}"]:not([type=hidden])`)]);
  for (const field of fields) {
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", "refusal");
  }
  fields[0]?.focus();
});
document.addEventListener("input", ({ target }) => {
  if (target.getAttribute("aria-describedby") === "refusal") {
    target.removeAttribute("aria-invalid");
    target.removeAttribute("aria-describedby");
  }
});
