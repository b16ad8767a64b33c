// The live board: all open orders in memory, those that fit the filters in a list, the filters in the address.
import { List } from "./board_list.js";
import { deadline, delivery, filled, left, level, span, words } from "./board_words.js";

const grid = document.getElementById("board");
const state = document.getElementById("state");
const counts = document.getElementById("counts");
const filters = document.getElementById("filters");
const OVER = new Set(["closed", "cancelled"]);
const STATUSES = ["placed", "dispatched", "accepted", "assigned", "in_service", "completed"];
const FRESH_MS = 4000;
const RETRY_MS = 3000;
const lines = new Map();
const fresh = new Map();
let fields = [];
let names = {};
let offset = 0;
let early = [];
let loaded = false;
let waiting = null;

const now = () => Date.now() / 1000 + offset;

// ---- what is shown
const KEYS = {
  due: (line) => line.due_at ?? Infinity,
  window: (line) => line.from,
  number: (line) => line.number,
  item: (line) => line.item,
  provider: (line) => line.provider ?? "",
  status: (line) => STATUSES.indexOf(line.status),
};

function chosen() {
  const data = new FormData(filters);
  const division = filters.elements.division.selectedOptions[0];
  return {
    status: new Set(data.getAll("status")), late: data.get("late") === "1", urgency: data.get("urgency"),
    prefix: division?.dataset.prefix ?? "", provider: data.get("provider"), sort: data.get("sort"),
    q: data.get("q").trim().toLowerCase(),
  };
}

function fits(line, wanted, at) {
  return (!wanted.status.size || wanted.status.has(line.status))
    && (!wanted.late || (line.due_at && line.due_at < at))
    && (!wanted.urgency || line.urgency === wanted.urgency)
    && line.division.startsWith(wanted.prefix)
    && (!wanted.provider || line.provider_id === wanted.provider)
    && (!wanted.q || line.text.includes(wanted.q));
}

function sorted(shown, sort) {
  const key = KEYS[sort];
  const by = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  return shown.sort((a, b) => by(key(a), key(b)) || by(KEYS.due(a), KEYS.due(b)) || by(a.id, b.id));
}

function refresh() {
  waiting = null;
  const [wanted, at] = [chosen(), now()];
  const shown = [];
  let [late, soon] = [0, 0];
  for (const line of lines.values()) {
    const how = level(line, at);
    late += how === "late";
    soon += how === "soon";
    if (fits(line, wanted, at)) shown.push(line);
  }
  list.show(sorted(shown, wanted.sort));
  say(filled(counts.dataset.all, { all: lines.size.toLocaleString("zh-CN"), shown: shown.length.toLocaleString("zh-CN") }), late, soon);
  grid.hidden = shown.length === 0;
  state.hidden = shown.length > 0;
  if (!shown.length) state.textContent = lines.size ? state.dataset.empty : state.dataset.none;
}

function say(all, late, soon) {
  const texts = [all, late ? filled(counts.dataset.late, { n: late }) : "", soon ? filled(counts.dataset.soon, { n: soon }) : ""];
  while (counts.children.length < 3) counts.append(document.createElement("span"));
  texts.forEach((text, n) => write(counts.children[n], text));
  counts.children[1].className = "bad";
  counts.children[2].className = "half";
}

function later() {
  waiting ??= requestAnimationFrame(refresh);
}

// ---- one row
let made = 0;

function make() {
  const row = document.createElement("div");
  row.className = "board-row";
  row.setAttribute("role", "row");
  row.id = `line-${made++}`;
  row.cells = ["due", "item", "elder", "window", "status", "provider", "flags"].map((name) => {
    const cell = row.appendChild(document.createElement("span"));
    cell.setAttribute("role", "gridcell");
    cell.className = `board-${name}`;
    const first = cell.appendChild(document.createElement(name === "item" ? "a" : "b"));
    const second = cell.appendChild(document.createElement("small"));
    if (name === "item") first.tabIndex = -1;
    if (name === "status") first.className = "board-status";
    return [first, second];
  });
  return row;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function fill(row, line) {
  const at = now();
  const said = words.board;
  const urgency = line.urgency === "normal" ? "" : ` · ${words.urgency[line.urgency] ?? line.urgency}`;
  const texts = [
    [left(line, at), deadline(line, at)],
    [line.item, line.number + urgency],
    [line.elder, names[line.division] ?? line.division],
    [span(line, at), ""],
    [words.status[line.status] ?? line.status, delivery(line, at)],
    [line.provider ?? said.nobody, line.caregivers.length ? line.caregivers.join("、") : line.provider ? said.no_caregiver : ""],
    [line.flags.map((flag) => said.flag[flag.split(":")[0]] ?? flag).join(" "), ""],
  ];
  texts.forEach(([first, second], n) => {
    write(row.cells[n][0], first);
    write(row.cells[n][1], second);
  });
  const href = `/console/orders/${line.id}`;
  if (row.cells[1][0].getAttribute("href") !== href) row.cells[1][0].href = href;
  row.cells[6][0].className = line.flags.length ? "board-flag" : "";
  const how = `board-row board-${level(line, at)}${fresh.has(line.id) ? " board-fresh" : ""}`;
  if (row.className !== how) row.className = how;
  const facts = { status: line.status, order: line.id, version: String(line.version) };
  for (const [name, value] of Object.entries(facts)) if (row.dataset[name] !== value) row.dataset[name] = value;
}

const list = new List(grid, grid.querySelector(".board-body"), {
  make, fill, opened: (line) => location.assign(`/console/orders/${line.id}`),
});

// ---- what comes in
function take(values) {
  const line = Object.fromEntries(fields.map((name, n) => [name, values[n]]));
  const known = lines.get(line.id);
  if (known && known.version > line.version) return;
  if (OVER.has(line.status)) return lines.delete(line.id);
  line.text = [line.number, line.item, line.elder, line.provider ?? "", ...line.caregivers].join(" ").toLowerCase();
  lines.set(line.id, line);
}

function begin(told) {
  ({ fields, names } = told);
  offset = told.now - Date.now() / 1000;
  lines.clear();
  told.lines.forEach(take);
  early.forEach(take);
  early = [];
  loaded = true;
  refresh();
}

async function load() {
  loaded = false;
  try {
    const answer = await fetch("/console/board/lines");
    if (!answer.ok) throw new Error(answer.statusText);
    begin(await answer.json());
  } catch {
    if (!lines.size) state.textContent = state.dataset.failed;
    setTimeout(load, RETRY_MS);
  }
}

for (const told of ["desk:ready", "desk:unheard"]) document.addEventListener(told, load);
document.addEventListener("desk:order", (event) => {
  const line = event.detail.line;
  if (!line) return;
  if (!loaded) return early.push(line);
  take(line);
  fresh.set(line[0], performance.now() + FRESH_MS);
  later();
});

// Time goes on by itself: once a second for everything that can be seen, and for the counts.
setInterval(() => {
  for (const [id, until] of fresh) if (until < performance.now()) fresh.delete(id);
  if (loaded) later();
}, 1000);

// ---- filters, in the address
function address() {
  const pairs = [...new FormData(filters)].filter(([name, value]) => value && !(name === "sort" && value === "due"));
  const query = new URLSearchParams(pairs).toString();
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
  for (const field of document.querySelectorAll("[data-query]")) field.value = query;
  for (const link of document.querySelectorAll(".board-view a")) {
    if ((link.search || "?") === `?${query}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

filters.addEventListener("input", () => {
  address();
  later();
});
filters.addEventListener("submit", (event) => {
  event.preventDefault();
  grid.focus();
});

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, select, textarea");
  if (event.key === "/" && !writing) {
    event.preventDefault();
    filters.elements.q.focus();
  } else if (event.key === "Escape" && writing) grid.focus();
});

document.getElementById("plain").remove();
document.getElementById("apply").hidden = true;
document.getElementById("keys").hidden = false;
state.hidden = false;
state.textContent = state.dataset.loading;
const told = document.getElementById("told");
if (told) begin(JSON.parse(told.textContent));
