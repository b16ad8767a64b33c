// A select one types into: by name, by initials (jjbj) or by how it sounds. The select stays what is sent.
// With data-near its groups are said with each name: two villages of one name lie in different townships.
let count = 0;

export function pick(select) {
  if (select.picker) return;
  const list = document.createElement("ul");
  const input = document.createElement("input");
  const id = `pick-${++count}`;
  Object.assign(list, { id, hidden: true, className: "pick-list" });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", select.dataset.placeholder || "");
  Object.assign(input, { type: "text", className: "form-control", placeholder: select.dataset.placeholder || "", autocomplete: "off" });
  for (const [name, value] of Object.entries({ role: "combobox", "aria-controls": id, "aria-expanded": "false", "aria-autocomplete": "list" }))
    input.setAttribute(name, value);
  const box = document.createElement("span");
  box.className = "pick";
  select.after(box);
  box.append(select, input, list);
  select.picker = input;
  select.tabIndex = -1;
  select.classList.add("picked");
  select.setAttribute("aria-hidden", "true");
  if (select.required) input.required = true;
  const options = [...select.options].filter((one) => one.value);
  let at = -1;

  const near = (option) => ("near" in select.dataset && option.parentElement.label) || "";
  const full = (option) => [near(option), option.textContent.trim()].filter(Boolean).join(" ");
  const name = () => (select.value ? full(select.selectedOptions[0]) : "");
  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    at = -1;
  }
  function choose(option) {
    select.value = option.value;
    input.value = name();
    close();
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
  function mark(next) {
    const rows = [...list.children];
    if (!rows.length) return;
    at = (next + rows.length) % rows.length;
    rows.forEach((row, number) => row.setAttribute("aria-selected", String(number === at)));
    rows[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", rows[at].id);
  }
  function fits(option, typed) {
    return full(option).toLowerCase().includes(typed) || (option.dataset.sound || "").split(" ").some((one) => one.startsWith(typed));
  }
  function look() {
    const typed = input.value.trim().toLowerCase();
    const found = options.filter((one) => !typed || fits(one, typed)).slice(0, 40);
    list.replaceChildren(...found.map((option, number) => {
      const row = document.createElement("li");
      row.id = `${id}-${number}`;
      row.setAttribute("role", "option");
      row.textContent = full(option);
      row.addEventListener("mousedown", (event) => { event.preventDefault(); choose(option); });
      row.option = option;
      return row;
    }));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (found.length) mark(0);
  }
  input.addEventListener("input", () => {
    if (!input.value.trim() && select.value) { select.value = ""; select.dispatchEvent(new Event("change", { bubbles: true })); }
    look();
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", () => { input.value = name(); close(); });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.ctrlKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) look(); else mark(at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      choose(list.children[at].option);
    } else if (event.key === "Tab" && !list.hidden && input.value.trim() && input.value !== name()) {
      choose(list.children[at].option);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
  });
  select.show = () => { input.value = name(); };
  select.show();
}

export function pickAll(root) {
  root.querySelectorAll("select[data-pick]").forEach(pick);
}
