// What every page at a desk does: refusals go away when the next thing works, and print buttons print.
document.addEventListener("htmx:afterRequest", (event) => {
  const said = document.getElementById("said");
  if (said && event.detail.successful && event.detail.elt.closest("form, button, [data-quiets]")) said.replaceChildren();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
