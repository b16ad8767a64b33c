// What is being worked on: each call, each elder, each half-typed form is a tab, kept in this window until it is done.
// Kept per operator, and forgotten when they sign out; a reload brings everything back.
export class Tabs {
  constructor(operator) {
    this.place = `desk:${operator}`;
    const kept = this.read();
    this.list = kept.list || [];
    this.at = this.list.some((one) => one.id === kept.at) ? kept.at : null;
    if (!this.list.length) this.add({});
    this.at ??= this.list[0].id;
  }

  read() {
    try { return JSON.parse(sessionStorage.getItem(this.place)) || {}; } catch { return {}; }
  }

  keep() {
    try { sessionStorage.setItem(this.place, JSON.stringify({ list: this.list, at: this.at })); } catch { /* full: stays on the page */ }
  }

  get now() { return this.list.find((one) => one.id === this.at); }

  add(given) {
    const tab = { id: crypto.getRandomValues(new Uint32Array(2)).join(""), call: "", elder: "", title: "", values: null, ...given };
    this.list.push(tab);
    this.keep();
    return tab;
  }

  ofCall(call) { return this.list.find((one) => one.call === call); }

  drop(id) {
    const at = this.list.findIndex((one) => one.id === id);
    this.list.splice(at, 1);
    if (!this.list.length) this.add({});
    if (this.at === id) this.at = this.list[Math.max(0, at - 1)].id;
    this.keep();
  }

  forget() { try { sessionStorage.removeItem(this.place); } catch { /* nothing was kept */ } }
}
