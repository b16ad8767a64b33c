// From the telephone to the centre: files first, then the events that name them, then what today looks like now.
// Everything may be sent twice: files under a key of their own, events by their id. So whatever breaks in between,
// the next round goes on from what is still here.
(function (scope) {
  "use strict";
  var store = scope.nuanxian.store;
  var BATCH = 100;

  function Failure(state) { this.state = state; }

  async function ask(method, path, body, type, once) {
    var headers = { Accept: "application/json" };
    if (body) {
      headers["Content-Type"] = type;
      headers["Idempotency-Key"] = once;
      headers["X-Device-Signature"] = await store.signature(method, path, once, body);
    }
    var stop = new AbortController();
    var timer = setTimeout(function () { stop.abort(); }, 60000);
    var answer;
    try {
      answer = await fetch(path, { method: method, headers: headers, body: body, signal: stop.signal, cache: "no-store" });
      if (answer.status === 401) throw new Failure("signed_out");
      if (answer.status === 403) throw new Failure("no_key");
      if (!answer.ok && answer.status !== 422) throw new Failure("busy");  // 422: this very thing makes no sense
      return { ok: answer.ok, said: answer.status === 204 ? null : await answer.json() };
    } catch (broken) {
      throw broken instanceof Failure ? broken : new Failure("offline");
    } finally {
      clearTimeout(timer);
    }
  }

  function bytes(blob) {
    return new Promise(function (resolve, reject) {
      var reader = new FileReader();
      reader.onload = function () { resolve(reader.result); };
      reader.onerror = function () { reject(reader.error); };
      reader.readAsArrayBuffer(blob);
    });
  }

  async function sendFiles(owner) {
    var files = await store.all("files");
    for (var file of files) {
      if (file.caregiver_id !== owner || file.upload_id || file.refused) continue;
      var answer = await ask("POST", "/v1/caregiver/uploads", await bytes(file.blob), file.blob.type, file.file_id);
      var known = { file_id: file.file_id, caregiver_id: owner, order_id: file.order_id };
      if (answer.ok) known.upload_id = answer.said.upload_id;
      else Object.assign(known, { refused: answer.said.code, blob: file.blob });
      await store.put("files", known);
    }
  }

  async function waiting(owner) {
    var mine = (await store.all("outbox")).filter(function (one) { return one.caregiver_id === owner && !one.sent; });
    return mine.sort(function (a, b) { return a.device_seq - b.device_seq; });
  }

  function told(event, uploads) {
    var evidence = (event.files || []).map(function (id) { return uploads[id]; }).filter(Boolean);
    var said = { evidence: evidence };
    ["event_id", "caregiver_id", "type", "order_id", "occurred_at", "device_seq", "location", "method", "reason_code", "note", "proof"]
      .forEach(function (name) { if (event[name] != null) said[name] = event[name]; });
    return said;
  }

  async function post(events, uploads) {
    var body = { events: events.map(function (event) { return told(event, uploads); }) };
    var encoded = new TextEncoder().encode(JSON.stringify(body));
    return ask("POST", "/v1/caregiver/events", encoded, "application/json", store.id());
  }

  async function keep(event, result, reason) {
    if (reason === "caregiver_is_not_the_caller") throw new Failure("busy");  // somebody else has just signed in
    var doubtful = result === "rejected" || result === "needs_review";
    await store.put("outbox", Object.assign({}, event, { sent: true, result: result, why: doubtful ? reason : null }));
  }

  // One event that makes no sense to the centre must not hold up the others: then each goes by itself.
  async function sendEvents(owner) {
    var uploads = {};
    var files = await store.all("files");
    files.forEach(function (file) { if (file.upload_id) uploads[file.file_id] = file.upload_id; });
    var left = await waiting(owner);
    while (left.length) {
      var batch = left.splice(0, BATCH);
      var answer = await post(batch, uploads);
      if (answer.ok) {
        for (var i = 0; i < batch.length; i++) {
          await keep(batch[i], answer.said.results[i].result, answer.said.results[i].reason);
        }
      } else if (batch.length === 1) {
        await keep(batch[0], "rejected", answer.said.code);
      } else {
        for (var one of batch) {
          var alone = await post([one], uploads);
          if (alone.ok) await keep(one, alone.said.results[0].result, alone.said.results[0].reason);
          else await keep(one, "rejected", alone.said.code);
        }
      }
      var done = [].concat.apply([], batch.map(function (event) { return event.files || []; }));
      await store.remove("files", done.filter(function (id) { return uploads[id]; }));
    }
  }

  // What today looks like, and whose day it is: that of whoever is signed in now.
  async function refresh() {
    var delivered = (await store.all("outbox")).filter(function (one) { return one.sent && !one.why; });
    var began = Date.now();
    var answer = await ask("GET", "/v1/caregiver/visits");
    if (!answer.ok) throw new Failure("busy");
    var offset = Math.round(Date.parse(answer.said.now) - (began + Date.now()) / 2);
    await store.learn(answer.said, offset, delivered.map(function (one) { return one.event_id; }));
    await store.set({ synced_at: Date.parse(answer.said.now) });
    return answer.said.caregiver_id;
  }

  async function round() {
    try {
      var owner = await refresh();
      if (!store.signs || !(await waiting(owner)).length) return "done";
      await sendFiles(owner);
      await sendEvents(owner);
      await refresh();
      return "done";
    } catch (failure) {
      if (failure instanceof Failure) return failure.state;
      throw failure;
    }
  }

  // The page and its worker may both be at it: one at a time where the browser can see to that, else twice, harmlessly.
  function sync() {
    if (!scope.navigator.locks) return round();
    return scope.navigator.locks.request("nuanxian-sync", round);
  }

  scope.nuanxian.sync = sync;
  scope.nuanxian.ask = ask;
})(self);
