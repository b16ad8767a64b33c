// Keys: an element says by data-key which one is its own; pressing it clicks what is clicked and goes to what is filled in.
// Nothing happens while an input method is composing: its keys are its own.
const FIELDS = "input:not([type=radio]):not([type=checkbox]), select, textarea";
const SEND = "Ctrl+Enter";
let composing = false;
document.addEventListener("compositionstart", () => { composing = true; });
document.addEventListener("compositionend", () => { composing = false; });

function chord(event) {
  const held = [event.ctrlKey && "Ctrl", event.altKey && "Alt"].filter(Boolean);
  const name = event.code.replace(/^(Key|Digit|Numpad)(?=.$)/, "").replace("NumpadEnter", "Enter");
  return [...held, { Slash: "/", Comma: ",", Period: ".", Semicolon: ";", BracketLeft: "[", BracketRight: "]", Minus: "-", Equal: "=", Backslash: "\\", Quote: "'", Backquote: "`" }[name] || name].join("+");
}

function shown(element) {
  return element.checkVisibility();
}

// Whoever is searching chooses from what was found; the caller's own list has no keys meanwhile (desk.css hides them).
function searching() {
  return Boolean(document.getElementById("q")?.value || document.querySelector("#found [data-people]"));
}

function typing(element) {
  return Boolean(element && (element.matches(FIELDS) || element.isContentEditable));
}

function act(element) {
  if (element.matches(FIELDS)) {
    (element.picker || element).focus();
    (element.picker || element).select?.();
    return;
  }
  element.focus();
  element.click();
  // What has been opened is opened to be filled in, and whoever types fast is typing already.
  const opened = element.matches("summary") && element.parentElement.open && element.parentElement;
  if (opened) [...opened.querySelectorAll(FIELDS)].find((one) => one.type !== "hidden" && shown(one))?.focus();
}

document.addEventListener("keydown", (event) => {
  if (composing || event.isComposing || event.defaultPrevented || event.metaKey) return;
  const dialog = document.querySelector("dialog[open]");
  if (event.key === "?" && !event.altKey && !typing(document.activeElement) && !dialog && question()) return open(event);
  if (!event.altKey && !event.ctrlKey) return;
  const key = chord(event);
  const found = [...(dialog || document).querySelectorAll(`[data-key="${CSS.escape(key)}"]`)]
    .filter((one) => !one.disabled && (shown(one) || (one.picker && shown(one.picker))) && !(searching() && one.closest("#call [data-people]")));
  if (!found.length) return;
  event.preventDefault();
  // Several forms on a page may have one key for sending: the form one is in is meant, and outside of all none is sent.
  const here = document.activeElement?.form;
  const mine = found.find((one) => here && one.form === here);
  // Whoever sends from within a form means that form, and nothing else is sent instead of it.
  if (key === SEND && here && !mine) return;
  if (!mine && new Set(found.map((one) => one.form)).size > 1) return found[0].focus();
  act(mine || found[0]);
});

// The table of keys.
const table = document.getElementById("keys");
const OFF = "no-question-mark";
function question() { try { return localStorage.getItem(OFF) !== "1"; } catch { return true; } }
function open(event) {
  if (!table) return;
  event?.preventDefault();
  table.showModal();
}
document.addEventListener("click", (event) => { if (event.target.closest("[data-open-keys]")) open(); });
const off = table?.querySelector("[data-no-question-mark]");
if (off) {
  off.checked = !question();
  off.addEventListener("change", () => { try { localStorage.setItem(OFF, off.checked ? "1" : ""); } catch { /* this page only */ } });
}

// Arrows walk through a list of people, Enter chooses by itself.
document.addEventListener("keydown", (event) => {
  if (composing || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  const here = document.activeElement;
  const from = here?.closest("[data-people]") ? here : here?.id === "q" ? null : undefined;
  if (from === undefined) return;
  const rows = [...document.querySelectorAll("[data-people] a")].filter(shown);
  if (!rows.length) return;
  event.preventDefault();
  const at = rows.indexOf(from) + (event.key === "ArrowDown" ? 1 : -1);
  (rows[at] || (at < 0 ? document.getElementById("q") : rows[rows.length - 1]))?.focus();
});
