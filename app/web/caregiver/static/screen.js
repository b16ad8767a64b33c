// The screen of today: draws `model` with `words` into the page. What is drawn, not what is done: `hooks` do that.
//
//   model  day, events, synced_at, problem (offline, busy, signed_out, no_key), syncing, chosen, now(), able, fixed
//   hooks  read(event_id): somebody has read why an event was refused; made(card, visit): a new card
(function (scope) {
  "use strict";
  var nx = scope.nuanxian;

  function $(selector, within) { return (within || document).querySelector(selector); }
  function fill(text, values) { return text.replace(/\{(\w+)\}/g, function (_, name) { return values[name]; }); }
  // What an event is called: evidence by what it shows.
  function named(say, type, more) { return (type === "evidence_added" && more && say[more.reason_code]) || say[type]; }
  function show(node, selector, visible) { $(selector, node).hidden = !visible; }
  function slots(node, values) {
    Object.keys(values).forEach(function (name) { $('[data-slot="' + name + '"]', node).textContent = values[name]; });
  }

  function screen(model, words, hooks) {
    var say = words.app, unfolded = false;

    function pending() { return model.events.filter(function (one) { return !one.sent; }).length; }

    function render() {
      renderSync();
      if (!model.day) return note("half", say.unknown_offline);
      $("[data-caregiver]").textContent = model.day.caregiver;
      var plan = nx.visits.arranged(model.day, model.events, model.now(), model.chosen);
      var title = plan.left ? say.count_today : say.count_done;
      if (plan.today.length) $("[data-title]").textContent = fill(title, { n: plan.today.length, left: plan.left });
      renderNotices();
      var list = $("#visits"), before = {};
      Array.from(list.children).forEach(function (one) { if (one.dataset.live) before[one.dataset.order] = one; });
      var current = plan.open.find(function (visit) { return visit.next.length > 0; });
      var cards = plan.open.map(function (visit) {
        return shown(before[visit.order_id] || made(visit), visit, visit === current);
      });
      if (!cards.length && !plan.today.length) cards.push($("#t-empty").content.firstElementChild.cloneNode(true));
      if (Array.from(list.children).some(function (one, i) { return one !== cards[i]; }) || list.children.length !== cards.length) {
        list.textContent = "";
        cards.forEach(function (card) { list.appendChild(card); });
      }
      renderAll(plan);
    }

    function renderSync() {
      var n = pending(), bar = $("#sync");
      var parts = n ? [fill(say.pending, { n: n })] : model.synced_at ? [say.sent_all] : [];
      if (model.problem === "offline" || !navigator.onLine) parts.unshift(say.offline);
      if (model.problem === "busy") parts.unshift(say.busy);
      var bad = model.problem === "signed_out" || model.problem === "no_key" || !model.able;
      if (model.problem === "signed_out") parts.unshift(say.signed_out);
      if (model.problem === "no_key" || !model.able) parts.unshift(say.no_key);
      if (model.syncing) parts.unshift(say.syncing);
      if (!model.synced_at) parts.push(say.never_synced);
      else if (!bad) parts.push(fill(say.last_sync, { at: spoken(model.synced_at) }));
      bar.hidden = false;
      bar.dataset.mood = bad ? "bad" : n || model.problem || !model.synced_at ? "waiting" : "good";
      tell($("[data-sync-words]"), parts);
      $("#no-key").hidden = model.able && model.problem !== "no_key";
      var button = $("[data-sync-now]");
      button.textContent = model.problem === "signed_out" ? words.start_again : say.sync;
    }

    // Each part in a box of its own: a narrow line breaks between them. What is said already is not said again.
    function tell(place, parts) {
      if (place.textContent === parts.join(" · ")) return;
      place.textContent = "";
      parts.forEach(function (part, i) {
        var box = document.createElement("span");
        box.textContent = part;
        if (i) place.appendChild(document.createTextNode(" · "));
        place.appendChild(box);
      });
    }

    function spoken(at) {
      var day = nx.visits.dateOf(at), time = nx.visits.clock(at);
      if (day === nx.visits.dateOf(model.now())) return time;
      return fill(say.on_day, { m: Number(day.slice(5, 7)), d: Number(day.slice(8)), at: time });
    }

    function renderNotices() {
      var place = $("#notices");
      Array.from(place.querySelectorAll("[data-event]")).forEach(function (one) { one.remove(); });
      model.events.filter(function (one) { return one.why; }).forEach(function (event) {
        var line = document.createElement("p"), button = document.createElement("button"), after = document.createElement("span");
        var rejected = event.result === "rejected";
        line.className = "notice " + (rejected ? "bad" : "half");
        line.dataset.event = event.event_id;
        var visit = model.day.visits.find(function (one) { return one.order_id === event.order_id; });
        var what = (visit ? visit.elder.name + " " : "") + nx.visits.clock(event.occurred_at) + " " + named(say, event.type, event);
        line.textContent = fill(rejected ? say.refused : say.review, { what: what, why: words.why[event.why] || words.why.other }) + " ";
        button.textContent = rejected ? say.understood_and_gone : say.understood;
        button.addEventListener("click", function () { hooks.read(event.event_id); });
        after.className = "after";
        after.appendChild(button);
        if (rejected) after.appendChild(centre());
        line.appendChild(after);
        place.appendChild(line);
      });
    }

    function centre() {
      var link = document.createElement("a");
      link.className = "button";
      link.href = "tel:" + words.hotline;
      link.textContent = say.call_centre;
      return link;
    }

    // What went wrong is brought before the eyes: the press that caused it may be screens below.
    function note(mood, text) {
      var place = $("#notices"), line = $("[data-passing]", place) || document.createElement("p");
      line.dataset.passing = "";
      line.className = "notice " + mood;
      line.textContent = text;
      place.insertBefore(line, place.firstChild);
      if (mood !== "good") line.scrollIntoView({ block: "nearest" });
    }

    function renderAll(plan) {
      var rows = $("[data-rows]");
      $("#all").hidden = !plan.all.length;
      if (!plan.open.length && !unfolded) $("#all").open = unfolded = true;  // nothing else to show; may be closed
      var today = nx.visits.dateOf(model.now());
      var told = today + model.able + plan.all.map(function (visit) { return visit.order_id + visit.starts_at + visit.state; }).join();
      if (rows.dataset.told === told) return;  // what is looked at or stood on stays where it is
      rows.dataset.told = told;
      rows.textContent = "";
      plan.all.forEach(function (visit) {
        var row = $("#t-row").content.firstElementChild.cloneNode(true);
        var day = nx.visits.dateOf(visit.starts_at) === today ? words.today : words.tomorrow;
        slots(row, { when: day + " " + nx.visits.clock(visit.starts_at), who: visit.elder.name, what: visit.item.name, state: words.state[visit.state] });
        row.dataset.order = visit.order_id;
        show(row, "[data-add]", model.able && plan.over.indexOf(visit) >= 0);
        rows.appendChild(row);
      });
    }

    // A card lives as long as its visit is shown, so that nothing typed or drawn on it is lost when something arrives.
    function made(visit) {
      var card = $("#t-visit").content.firstElementChild.cloneNode(true);
      card.dataset.order = visit.order_id;
      card.dataset.live = "yes";
      options($("[data-failure]", card), model.day.failures);
      points($("[data-points]", card), visit);
      hooks.made(card, visit);
      return card;
    }

    function facts(card, visit) {
      var elder = visit.elder;
      slots(card, {
        when: nx.visits.clock(visit.starts_at), who: elder.name, what: visit.item.name, where: elder.address || "",
        notes: elder.care_notes || "", minutes: fill(words.minutes, { n: visit.minutes }),
      });
      show(card, '[data-slot="where"]', elder.address);
      show(card, '[data-slot="mind"]', elder.care_notes);
      show(card, '[data-slot="second"]', !visit.lead);
      show(card, '[data-slot="call"]', elder.phone);
      ["map", "other-map"].forEach(function (way) { show(card, '[data-slot="' + way + '"]', elder.lat != null); });
      if (elder.phone) $('[data-slot="call"]', card).href = "tel:" + elder.phone;
      if (elder.lat != null) {
        $('[data-slot="map"]', card).href = fill(words.map, elder);
        $('[data-slot="other-map"]', card).href = "geo:" + elder.lat + "," + elder.lng;
      }
    }

    function options(select, choices) {
      Object.keys(choices).forEach(function (code) { select.appendChild(new Option(choices[code], code)); });
    }

    function points(place, visit) {
      visit.points.forEach(function (point) {
        var label = document.createElement("label"), box = document.createElement("input");
        label.className = "check";
        box.type = "checkbox";
        box.value = point;
        label.appendChild(box);
        label.appendChild(document.createTextNode(point));
        place.appendChild(label);
      });
    }

    function shown(card, visit, current) {
      // Over, or somebody else leads: nothing is to be reported any more, but there may be something to show.
      var step = visit.next[0], serving = visit.state === "in_service", able = model.able, adding = !visit.next.length;
      facts(card, visit);
      card.classList.toggle("now", current);
      slots(card, { state: words.state[visit.state] });
      var go = $("[data-go]", card);
      go.hidden = !current || !able;
      go.dataset.step = step || "";
      if (step && !go.hasAttribute("aria-busy")) go.textContent = say[step];
      show(card, "[data-doing]", (current || adding) && able);
      show(card, "[data-take]", !current && able && visit.next.length);
      var end = serving ? "checked_out" : "checked_in";
      card.dataset.end = end;
      show(card, '[data-way="direct"]', step && step !== end);
      $("[data-direct]", card).textContent = words.direct + say[end];
      $('[data-use="none"]', card).textContent = say[end];
      show(card, '[data-way="qr"]', nx.capture.scans || model.fixed);
      show(card, '[data-way="nfc"]', nx.capture.taps);
      ["photo", "signature"].forEach(function (part) { show(card, '[data-part="' + part + '"]', serving || adding); });
      ["ways", "failure"].forEach(function (part) { show(card, '[data-part="' + part + '"]', !adding); });
      show(card, '[data-part="points"]', serving && !adding && visit.points.length);
      var signed = visit.signed === "yes" || count(visit, "signature") ? "yes"
        : visit.signed || (count(visit, "signature_skipped") ? "skipped" : null);
      var photos = (visit.photos || 0) + count(visit, "photo");
      slots(card, {
        photos: photos ? " · " + fill(say.photo_kept, { n: photos }) : "",
        signed: signed ? " · " + (signed === "yes" ? say.signature_kept : say.signature_left) : "",
      });
      return card;
    }

    // Of what the centre has not counted yet; what it has only doubts about is with it.
    function count(visit, code) {
      return visit.events.filter(function (one) {
        return one.type === "evidence_added" && one.reason_code === code && !one.why;
      }).length;
    }

    return { render: render, status: renderSync, note: note, pending: pending };
  }

  nx.screen = screen;
  nx.page = { $: $, fill: fill, named: named };
})(self);
