// One incident: what others do about it is read at once; the forms follow, but not under the hands of somebody filling one in.
const part = (id) => document.getElementById(id);
const changed = part("changed");
const FIELDS = "#incident-do :is(input:not([type=hidden]), select, textarea)";

function busy() {
  const filled = (one) => (one.type === "radio" ? one.checked : Boolean(one.value));
  return Boolean(document.activeElement?.matches(FIELDS)) || [...document.querySelectorAll(FIELDS)].some(filled);
}

function fresh() {
  htmx.trigger(part("incident-do"), "fresh");
}

document.addEventListener("htmx:afterSwap", () => {
  const [now, shown] = [part("incident-head").dataset, part("incident-do").dataset];
  if (now.status === shown.status && now.elder === shown.elder) { changed.replaceChildren(); return; }
  if (!busy()) { fresh(); return; }
  if (changed.firstChild) return;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: changed.dataset.refresh });
  button.addEventListener("click", fresh);
  const line = Object.assign(document.createElement("p"), { className: "notice-line half" });
  line.append(changed.dataset.changed + " ", button);
  changed.append(line);
});
