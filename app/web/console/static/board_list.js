// A list of any length of which only what can be seen is in the page. Rows are of one height, and are used again.
// (A table component that keeps a node for each cell took 83 ms for one change of 5,000 rows; this takes one or two.)
const SPARE = 4;

export class List {
  // `make()` gives an empty row; `fill(row, item)` writes an item into it; `opened(item)`: somebody wants to see it.
  constructor(grid, body, { make, fill, opened }) {
    Object.assign(this, { grid, body, make, fill, opened, items: [], rows: [], chosen: null });
    grid.addEventListener("scroll", () => this.soon(), { passive: true });
    new ResizeObserver(() => this.soon()).observe(grid);
    grid.addEventListener("keydown", (event) => this.key(event));
    body.addEventListener("click", (event) => {
      const row = event.target.closest(".board-row");
      if (row) this.choose(Number(row.dataset.at));
    });
    body.addEventListener("dblclick", (event) => {
      const row = event.target.closest(".board-row");
      if (row) this.opened(this.items[Number(row.dataset.at)]);
    });
  }

  show(items) {
    this.items = items;
    this.grid.setAttribute("aria-rowcount", items.length + 1);
    this.soon();
  }

  soon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.draw();
    });
  }

  height() {
    return parseInt(getComputedStyle(document.documentElement).getPropertyValue("--board-row"), 10);
  }

  draw() {
    const height = this.height();
    const seen = Math.ceil(this.grid.clientHeight / height) + 1;
    const first = Math.max(0, Math.min(Math.floor(this.grid.scrollTop / height), this.items.length - seen) - SPARE);
    const last = Math.min(this.items.length, first + seen + 2 * SPARE);
    this.body.style.height = `${this.items.length * height}px`;
    while (this.rows.length < last - first) this.rows.push(this.body.appendChild(this.make()));
    this.rows.forEach((row, n) => {
      const at = first + n;
      row.hidden = at >= last;
      if (row.hidden) return;
      const item = this.items[at];
      if (row.dataset.at !== String(at)) {
        row.dataset.at = at;
        row.style.transform = `translateY(${at * height}px)`;
        row.setAttribute("aria-rowindex", at + 2);
      }
      row.setAttribute("aria-selected", item.id === this.chosen);
      this.fill(row, item);
    });
    const chosen = this.rows.find((row) => !row.hidden && row.getAttribute("aria-selected") === "true");
    if (chosen) this.grid.setAttribute("aria-activedescendant", chosen.id);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  at() {
    return this.items.findIndex((item) => item.id === this.chosen);
  }

  choose(at) {
    const place = Math.max(0, Math.min(at, this.items.length - 1));
    if (!this.items.length) return;
    this.chosen = this.items[place].id;
    const [height, top] = [this.height(), place * this.height()];
    const head = this.body.offsetTop;
    if (top < this.grid.scrollTop) this.grid.scrollTop = top;
    else if (top + height + head > this.grid.scrollTop + this.grid.clientHeight) {
      this.grid.scrollTop = top + height + head - this.grid.clientHeight;
    }
    this.draw();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.grid.clientHeight / this.height()) - 1);
    const at = this.at();
    const to = {
      ArrowDown: at + 1, ArrowUp: at < 0 ? 0 : at - 1, PageDown: at + page, PageUp: at - page, Home: 0,
      End: this.items.length - 1,
    }[event.key];
    if (to !== undefined) this.choose(to);
    else if (event.key === "Enter" && at >= 0 && event.target === this.grid) this.opened(this.items[at]);
    else return;
    event.preventDefault();
  }
}
