// The desk: tabs, the screen-pop, and what is filled in for the operator. What is typed is never overwritten.
import { answers } from "./desk-answers.js";
import { newKey, values, write } from "./desk-form.js";
import { pickAll } from "./desk-pick.js";
import { Tabs } from "./desk-tabs.js";

const words = JSON.parse(document.getElementById("desk-data").textContent);
const form = document.getElementById("request");
const elderForm = document.getElementById("elder-form");
const tabs = new Tabs(words.operator);
const TAKE_BACK_MS = 10_000;
const part = (id) => document.getElementById(id);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const get = (address, target) => htmx.ajax("GET", address, { source: target, target, swap: "innerHTML" });

pickAll(document);
const pristine = values(form);
const pristineElder = values(elderForm);

// A form counts as begun when somebody has typed or chosen something in it; who is on the line does not.
function begun(kept = values(form), elder = values(elderForm)) {
  const differs = (now, empty) => Object.entries({ ...empty, ...now }).some(([name]) => name !== "elder_id" && (now[name] ?? "") !== (empty[name] ?? ""));
  return differs(kept, pristine) || differs(elder, pristineElder) || Boolean(part("q").value);
}

function keep() {
  const tab = tabs.now;
  tab.values = values(form);
  tab.elderValues = values(elderForm);
  tab.query = part("q").value;
  tab.opened = part("new-elder").open;
  tabs.keep();
}

// Put a tab before the operator: the form as it was left, and the person and the call as they are now.
async function show(tab) {
  tabs.at = tab.id;
  tabs.keep();
  draw();
  write(form, tab.values || { ...pristine, elder_id: tab.elder });
  write(elderForm, tab.elderValues || pristineElder);
  [form, elderForm, part("q").form].forEach((one) => { one.elements.call_id.value = tab.call; });
  newKey(form);
  newKey(elderForm);
  part("q").value = tab.query || "";
  part("new-elder").open = Boolean(tab.opened);
  form.elements.elder_id.value = tab.elder;
  part("placed").replaceChildren();
  ["found", "person", "call"].forEach((id) => part(id).replaceChildren());
  part("candidates").replaceChildren(Object.assign(document.createElement("p"), { className: "empty-state", textContent: words.candidates }));
  forWhom(tab.elder ? tab.title : "");
  price();
  const waiting = [];
  if (tab.call) waiting.push(get(`/console/calls/${tab.call}`, "#call"));
  if (tab.elder) waiting.push(get(`/console/elders/${tab.elder}${tab.call ? `?call=${tab.call}` : ""}`, "#person"));
  await Promise.all(waiting);
}

function move(tab) { keep(); return show(tab); }

function draw() {
  const bar = part("tabs");
  part("tabbar").hidden = false;
  bar.replaceChildren(...tabs.list.map((tab) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "desk-tab";
    button.dataset.tab = tab.id;
    button.setAttribute("aria-pressed", String(tab.id === tabs.at));
    button.textContent = tab.title || words.tab;
    if (tab.ringing) button.classList.add("rings");
    return button;
  }));
  const ringing = tabs.list.find((tab) => tab.ringing && tab.id !== tabs.at);
  part("ringing").replaceChildren();
  if (ringing) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-primary", textContent: fill(words.ringing, { who: ringing.title || words.withheld, key: words.ring_key }) });
    button.dataset.key = words.ring_key;
    button.addEventListener("click", () => { ringing.ringing = false; move(ringing); });
    part("ringing").append(button);
  }
}

function close(tab) {
  tabs.drop(tab.id);
  return show(tabs.now);
}

part("tabs").addEventListener("click", (event) => {
  const found = tabs.list.find((one) => one.id === event.target.dataset.tab);
  if (found) { found.ringing = false; move(found); }
});
part("tabbar").addEventListener("click", (event) => {
  const deed = event.target.closest("[data-tabs]")?.dataset.tabs;
  if (deed === "new") move(tabs.add({}));
  if (deed === "next") move(tabs.list[(tabs.list.indexOf(tabs.now) + 1) % tabs.list.length]);
  if (deed === "close") close(tabs.now);
});

// Who it is for.
function forWhom(name) {
  const said = Object.assign(document.createElement(name ? "strong" : "span"), { className: name ? "" : "quiet", textContent: name || words.not_chosen });
  part("for-whom").replaceChildren(...(name ? [`${words.chosen} `, said] : [said]));
}

function chosen(card) {
  const tab = tabs.now;
  Object.assign(tab, { elder: card.dataset.elderId, title: card.dataset.title });
  form.elements.elder_id.value = tab.elder;
  const about = tab.values?.order_id && card.querySelector(`[name="order_id"][value="${CSS.escape(tab.values.order_id)}"]`);
  if (about) about.checked = true;
  forWhom(tab.title);
  part("found").replaceChildren();
  draw();
  keep();
  price();
}

function toItem() {
  const here = document.activeElement;
  if (!here?.matches("input, select, textarea") || here.closest(".desk-search, #elder-form")) form.elements.item_code.picker.focus();
}

document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target;
  if (target.id === "person") {
    const card = target.querySelector("[data-elder-id]");
    if (card) {
      const other = tabs.now.elder !== card.dataset.elderId;
      chosen(card);
      if (other) { part("new-elder").open = false; write(elderForm, pristineElder); newKey(elderForm); part("q").value = ""; toItem(); }
    }
  } else if (target.id === "call") {
    const card = target.querySelector("[data-call-id]");
    const tab = tabs.now;
    if (!card || tab.call !== card.dataset.callId) return;
    if (!tab.elder) tab.title = card.dataset.title;
    draw();
    tabs.keep();
    if (!tab.elder && card.dataset.elderId) get(`/console/elders/${card.dataset.elderId}?call=${tab.call}`, "#person");
  } else if (target.id === "placed") {
    const order = target.querySelector("[data-placed]");
    const takeBack = target.querySelector("[data-take-back]");
    if (takeBack) setTimeout(() => takeBack.remove(), TAKE_BACK_MS);
    if (target.querySelector("[data-taken-back]")) {
      part("candidates").replaceChildren();
      whom();
      toItem();
    }
    if (!order && !target.querySelector("[data-taken]")) return;
    done(order?.dataset.placed);
  }
});

// Done: the form is free for the next thing; what was placed stays in view with who could come.
function done(order) {
  write(form, { ...pristine, elder_id: tabs.now.elder });
  newKey(form);
  tabs.now.values = null;
  keep();
  if (order) {
    get(`/console/orders/${order}/candidates`, "#candidates");
    whom();
  }
  price();
}

function whom() {
  if (tabs.now.elder) get(`/console/elders/${tabs.now.elder}${tabs.now.call ? `?call=${tabs.now.call}` : ""}`, "#person");
}

// "Again": the same as last time, to be looked over and placed.
document.addEventListener("click", (event) => {
  const again = event.target.closest("[data-again]");
  if (again) {
    event.preventDefault();
    form.elements.kind.value = "service";
    form.elements.item_code.value = again.dataset.item;
    form.elements.item_code.show();
    form.elements.minutes.value = again.dataset.minutes;
    keep();
    price();
    form.elements.when[0].focus();
  }
});

// What it would cost, while typing.
let pause = 0;
let think = 0;
function price() {
  clearTimeout(pause);
  clearTimeout(think);
  pause = setTimeout(() => htmx.trigger("#quote", "price"), 150);
  if (form.elements.elder_id.value && form.elements.item_code.value && form.elements.kind.value === "service")
    think = setTimeout(() => htmx.trigger("#candidates", "wish"), 600);
}
form.addEventListener("input", (event) => {
  keep();
  if (["item_code", "minutes", "when", "begin", "end", "urgency"].includes(event.target.name)) price();
});
form.addEventListener("change", (event) => {
  keep();
  if (["item_code", "minutes", "when", "begin", "end", "urgency"].includes(event.target.name)) price();
});
// Enter in a field is not "place it": that has a key of its own.
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.ctrlKey && event.target.matches("input, select")) event.preventDefault();
});
elderForm.addEventListener("input", keep);
part("q").addEventListener("input", keep);
// The browser tells of the opening some time later: who types fast is in the next field by then, and stays there.
part("new-elder").addEventListener("toggle", () => {
  tabs.now.opened = part("new-elder").open;
  if (!tabs.now.opened) return;
  const { name } = elderForm.elements;
  if (!elderForm.contains(document.activeElement)) name.focus();
  if (!name.value && /[^\d\sA-Za-z]/.test(part("q").value)) name.value = part("q").value;
});
document.querySelector("form[action='/sign-out']")?.addEventListener("submit", () => tabs.forget());

// The screen-pop: what the desk's stream tells of calls, at the extension this operator sits at.
let listening = words.agent;
document.addEventListener("desk:agent", ({ detail }) => {
  if (listening && detail.type === "agent.offered" && detail.agent === listening) rings(detail.call);
});
document.addEventListener("desk:call", ({ detail: { type, call } }) => {
  if (!["call.answered", "call.ended", "call.abandoned"].includes(type)) return;
  if (tabs.now.call === call && part("call-line")) htmx.ajax("GET", `/console/calls/${call}/line`, { source: "#call-line", target: "#call-line", swap: "outerHTML" });
  const aside = tabs.ofCall(call);
  if (aside?.ringing && type !== "call.answered") { aside.ringing = false; draw(); tabs.keep(); }
});

function rings(call) {
  if (tabs.ofCall(call)) return;
  keep();
  const tab = tabs.add({ call, ringing: true });
  if (begun() || tabs.now.id === tab.id) { draw(); return; }
  tab.ringing = false;
  const before = tabs.now;
  if (!before.call && !before.elder) tabs.drop(before.id);
  show(tab);
}

document.addEventListener("htmx:afterSettle", () => { listening = part("presence")?.dataset.agent; });

// Begin with what was there: an address that names a person or a call comes first, then what this window kept.
const asked = new URLSearchParams(location.search);
const [call, elder] = [asked.get("call") || "", asked.get("elder") || ""];
if (call || elder) {
  const found = tabs.list.find((one) => (call ? one.call === call : one.elder === elder));
  if (found) { show(found); } else {
    const card = document.querySelector("#person [data-elder-id]");
    tabs.at = tabs.add({ call, elder: card?.dataset.elderId || elder, title: (card || document.querySelector("#call [data-call-id]"))?.dataset.title || "", values: values(form) }).id;
    tabs.keep();
    draw();
    price();
  }
  history.replaceState(null, "", "/console");
} else if (tabs.now.call || tabs.now.elder || tabs.now.values) {
  show(tabs.now);
} else {
  draw();
}
answers(form, keep);
document.documentElement.dataset.ready = "yes";
