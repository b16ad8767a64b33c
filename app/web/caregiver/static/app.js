// Today's visits on the telephone: writes down what is done, shows it, and lets `sync` carry it away.
(function () {
  "use strict";
  var nx = self.nuanxian, $ = nx.page.$, fill = nx.page.fill;
  var words = read("words"), given = read("state"), say = words.app, store = given.fixed ? null : nx.store, pads = {};
  var model = {
    day: null, events: [], offset: 0, synced_at: null, problem: null, syncing: false, chosen: null,
    fixed: Boolean(given.fixed), able: Boolean(given.fixed) || nx.store.signs,
    now: function () { return given.now ? Date.parse(given.now) : Date.now() + model.offset; },
  };
  var screen = nx.screen(model, words, {
    read: async function (event_id) { await store.remove("outbox", [event_id]); recall(); },
    made: function (card, visit) {
      pads[visit.order_id] = nx.capture.pad($("[data-pad]", card));
      if (store) remember($("[data-points]", card), "points:" + visit.order_id);
    },
  });
  var note = screen.note, pending = screen.pending, now = model.now;

  function read(id) { return JSON.parse(document.getElementById(id).textContent); }

  // --- what is known -------------------------------------------------------------------------------------------

  async function load() {
    var owner = await store.get("owner");
    var kept = (await store.get("day")) || null;
    if (given.day && owner !== given.day.caregiver_id) {  // somebody else has signed in on this telephone
      kept = null;
    }
    if (given.day && !(kept && kept.now > given.day.now)) {
      var offset = await store.get("offset"), rough = Date.parse(given.day.now) - Date.now();  // the page took a while
      await store.learn(given.day, offset === undefined || Math.abs(offset - rough) > 60000 ? rough : offset, []);
      await store.set({ synced_at: Date.parse(given.day.now) });
      kept = given.day;
    }
    given.day = null;
    model.day = kept;
    model.offset = (await store.get("offset")) || 0;
    model.synced_at = (await store.get("synced_at")) || null;
    await recall();
  }

  async function recall() {
    var mine = function (one) { return model.day && one.caregiver_id === model.day.caregiver_id; };
    model.events = (await store.all("outbox")).filter(mine);
    model.events.sort(function (a, b) { return a.device_seq - b.device_seq; });
    screen.render();
  }

  // What is ticked off stays ticked off.
  function remember(place, key) {
    store.get(key).then(function (done) {
      Array.from(place.querySelectorAll("input")).forEach(function (box) { box.checked = (done || []).indexOf(box.value) >= 0; });
    });
    place.addEventListener("change", function () { var kept = {}; kept[key] = ticked(place, true); store.set(kept); });
  }

  function ticked(place, yes) {
    return Array.from(place.querySelectorAll("input")).filter(function (box) { return box.checked === yes; })
      .map(function (box) { return box.value; });
  }

  // --- what is done --------------------------------------------------------------------------------------------

  function event(order_id, type, more) {
    var off = Math.round(model.offset / 1000), about = more.note || "";
    if (Math.abs(off) >= 60) about += fill(off < 0 ? say.clock_fast : say.clock_slow, { s: Math.abs(off) });
    return Object.assign({ method: "gps" }, more, {
      event_id: store.id(), caregiver_id: model.day.caregiver_id, order_id: order_id, type: type, note: about || null,
      occurred_at: new Date(more.at || now()).toISOString(), at: undefined,
    });
  }

  async function record(order_id, type, more, file) {
    if (!store) return;
    var about = Object.assign({}, more);
    if (file) {
      file = { file_id: store.id(), caregiver_id: model.day.caregiver_id, order_id: order_id, blob: file };
      about.files = [file.file_id];
    }
    await store.add(event(order_id, type, about), file);
    var ends = type === "checked_out" || type === "failed";
    if (ends) model.chosen = null;
    note("good", fill(ends ? say.recorded_end : say.recorded, { what: nx.page.named(say, type, more) }));
    await recall();
    carry();
  }

  // The time is that of the press, however long the telephone then looks for where it is.
  async function step(card, type, more) {
    var order_id = card.dataset.order, at = now(), go = $("[data-go]", card), busy = $('[data-slot="busy"]', card);
    if (go.hasAttribute("aria-busy")) return;
    go.setAttribute("aria-busy", "true");
    busy.hidden = false;
    busy.textContent = say.locating;
    try {
      var where = await nx.capture.place();
      var presence = type === "checked_in" || type === "checked_out";
      if (!where && presence && !more) {
        $('[data-part="ways"]', card).open = true;
        return note("half", say.no_location);
      }
      var told = Object.assign({ at: at, location: where }, more);
      if (type === "checked_out") told.note = checklist($("[data-points]", card));
      await record(order_id, type, told);
    } finally {
      go.removeAttribute("aria-busy");
      busy.hidden = true;
      screen.render();
      if (!card.isConnected || go.hidden) $("#content").focus();
    }
  }

  function checklist(place) {
    var done = ticked(place, true), left = ticked(place, false), parts = [];
    if (done.length) parts.push(fill(say.points_done, { what: done.join("、") }));
    if (left.length && done.length) parts.push(fill(say.points_left, { what: left.join("、") }));
    return parts.join("；");
  }

  var uses = {
    otp: function (card) {
      var code = $("[data-code]", card).value.trim();
      if (!/^[0-9]{6}$/.test(code)) return note("bad", say.code_wrong_form);
      $("[data-code]", card).value = "";
      return step(card, card.dataset.end, { method: "otp", proof: code });
    },
    phone: function (card) { return step(card, card.dataset.end, { method: "phone" }); },
    none: function (card) { return step(card, card.dataset.end, { method: "gps" }); },
    nfc: async function (card) { return step(card, card.dataset.end, { method: "nfc", proof: await nx.capture.tag() }); },
  };

  async function sendCode(card) {
    var path = "/v1/caregiver/visits/" + card.dataset.order + "/door-codes";
    try {
      var body = new TextEncoder().encode(JSON.stringify({ end: card.dataset.end }));
      var answer = await nx.ask("POST", path, body, "application/json", store.id());
      note(answer.ok && answer.said.sent ? "good" : "half", answer.ok && answer.said.sent ? say.code_sent : say.code_no_phone);
    } catch (none) {
      note("half", say.code_not_sent);
    }
  }

  document.addEventListener("click", function (pressed) {
    var button = pressed.target.closest("button"), card = pressed.target.closest("[data-live]");
    if (!button) return;
    if (button.matches("[data-sync-now]")) return model.problem === "signed_out" ? location.assign("/caregiver/sign-in") : carry();
    if (button.matches("[data-add]")) return reopen(button.closest("[data-order]").dataset.order);
    if (!card || !store) return;
    var order_id = card.dataset.order;
    if (button.matches("[data-go]")) step(card, button.dataset.step);
    if (button.matches("[data-direct]")) step(card, card.dataset.end);
    if (button.matches("[data-use]")) Promise.resolve(uses[button.dataset.use](card)).catch(function () { note("half", say.no_tag); });
    if (button.matches("[data-send-code]")) sendCode(card);
    if (button.matches("[data-take]")) { model.chosen = order_id; screen.render(); $('[data-order="' + order_id + '"] [data-go]').focus(); }
    if (button.matches("[data-clear]")) pads[order_id].clear();
    if (button.matches("[data-sign]")) sign(card);
    if (button.matches("[data-unsign]")) {
      var why = $("[data-unsigned]", card).value;
      record(order_id, "evidence_added", { reason_code: "signature_skipped", note: words.reasons[why] });
    }
    if (button.matches("[data-send-hazard]")) {
      record(order_id, "hazard_reported", { reason_code: $("[data-hazard]", card).value, note: $("[data-hazard-note]", card).value.trim() });
      $("[data-hazard-note]", card).value = "";
    }
    if (button.matches("[data-send-failure]")) {
      step(card, "failed", { reason_code: $("[data-failure]", card).value, note: $("[data-failure-note]", card).value.trim() });
    }
  });

  // What was forgotten at a visit that is over can still be added.
  function reopen(order_id) {
    model.chosen = order_id;
    screen.render();
    var card = $('[data-live][data-order="' + order_id + '"]');
    card.scrollIntoView({ block: "start" });
    $('[data-part="photo"] summary', card).focus({ preventScroll: true });
  }

  async function sign(card) {
    var picture = await pads[card.dataset.order].taken();
    if (!picture) return note("half", say.signature_empty);
    await record(card.dataset.order, "evidence_added", { reason_code: "signature" }, picture);
    pads[card.dataset.order].clear();
  }

  document.addEventListener("change", async function (changed) {
    var input = changed.target, card = input.closest("[data-live]"), file = input.files && input.files[0];
    if (!card || !file || !store) return;
    try {
      if (input.matches("[data-photo]")) {
        await record(card.dataset.order, "evidence_added", { reason_code: "photo" }, await nx.capture.photo(file));
      } else {
        var code = await nx.capture.codeIn(file);
        if (code) await step(card, card.dataset.end, { method: "qr", proof: code });
        else note("half", say.no_card);
      }
    } catch (broken) {
      if (input.matches("[data-photo]") || nx.capture.scans) note("bad", say.photo_bad);
      else { screen.render(); note("half", say.no_scanner); }
    }
    input.value = "";
  });

  var wait = 0, timer = null, leaving = false;

  // --- how it gets away ----------------------------------------------------------------------------------------

  async function carry() {
    if (!store || model.syncing) return;
    clearTimeout(timer);
    model.syncing = true;
    screen.status();
    var state = "offline";
    try { state = await nx.sync(); } finally { model.syncing = false; }
    model.problem = state === "done" ? null : state;
    wait = state === "done" ? 0 : Math.min(300, Math.max(5, wait * 2));
    if (state !== "signed_out" && state !== "no_key") later(state);
    model.day = (await store.get("day")) || model.day;
    model.offset = (await store.get("offset")) || 0;
    model.synced_at = (await store.get("synced_at")) || null;
    await recall();
  }

  function later(state) {
    var left = pending();
    if (state === "done" && !left) return;
    timer = setTimeout(carry, (wait || 1) * 1000 * (0.75 + Math.random() / 2));
    if (left && self.registration === undefined && navigator.serviceWorker) {
      navigator.serviceWorker.ready.then(function (ours) { if (ours.sync) return ours.sync.register("outbox"); }).catch(function () {});
    }
  }

  self.addEventListener("online", function () { wait = 0; if (model.day) carry(); else location.reload(); });
  self.addEventListener("offline", screen.status);
  document.addEventListener("visibilitychange", function () { if (!document.hidden && model.day) { wait = 0; carry(); } });

  // Signing out forgets everything on this telephone. Without a net the centre hears of it the next time.
  var LEFT = "caregiver-left";
  async function leave() {
    await store.wipe();
    try { localStorage.setItem(LEFT, "yes"); } catch (none) { /* then only the cookie stays, and it is out of reach */ }
    await left();
    location.assign("/caregiver/sign-in");
  }

  async function left() {
    try {
      await fetch("/sign-out", { method: "POST", redirect: "manual" });
      localStorage.removeItem(LEFT);
      return true;
    } catch (none) {
      return false;  // no net
    }
  }

  $("#sign-out").addEventListener("submit", async function (submitted) {
    if (!store) return;
    submitted.preventDefault();
    if (pending() && !leaving) await carry();
    if (pending() && !leaving) {
      leaving = true;
      return note("bad", fill(say.unsent_sign_out, { n: pending() }));
    }
    await leave();
  });

  async function start() {
    if (given.fixed) {
      if (!given.model) return;  // as it is without scripts
      Object.assign(model, given.model);
      screen.render();
      if (given.open) Array.from(document.querySelectorAll("details")).forEach(function (one) { one.open = true; });
      return;
    }
    try {
      if (localStorage.getItem(LEFT)) {
        if (await left()) return location.assign("/caregiver/sign-in");
        $("#visits").textContent = "";
        return screen.render();
      }
      await load();
    } catch (none) {
      $("#sync").hidden = false;
      $("[data-sync-words]").textContent = say.no_store;
      return;
    }
    if (navigator.serviceWorker) navigator.serviceWorker.register("/caregiver/sw.js", { scope: "/caregiver" }).catch(function () {});
    if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
    carry();
    nx.capture.learn().then(function () { if (model.day) screen.render(); });
    setInterval(screen.render, 60000);
  }

  start();
})();
