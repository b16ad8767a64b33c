// What the telephone keeps (IndexedDB), for the page and for its worker. Written for Chrome 79 and what came after.
//
//   meta    owner, key, seq, day (the last answer about today), offset, synced_at, points:<order>
//   outbox  events on their way, by event_id, numbered by seq; refused ones stay until somebody has read why
//   files   photos and signatures on their way; `upload_id` once they are there
(function (scope) {
  "use strict";
  var NAME = "nuanxian-caregiver";
  var opened = null;

  function open() {
    if (!opened) {
      opened = new Promise(function (resolve, reject) {
        var asked = scope.indexedDB.open(NAME, 1);
        asked.onupgradeneeded = function () {
          asked.result.createObjectStore("meta");
          asked.result.createObjectStore("outbox", { keyPath: "event_id" });
          asked.result.createObjectStore("files", { keyPath: "file_id" });
        };
        asked.onsuccess = function () {
          var db = asked.result;
          db.onversionchange = db.onclose = function () { db.close(); opened = null; };
          resolve(db);
        };
        asked.onerror = function () { opened = null; reject(asked.error); };
      });
    }
    return opened;
  }

  // One transaction: `work(stores, give)` puts its requests; what it gives is the answer once all of it is on disk.
  async function within(names, mode, work) {
    var db = await open();
    return new Promise(function (resolve, reject) {
      var tx = db.transaction(names, mode), given;
      tx.oncomplete = function () { resolve(given); };
      tx.onabort = tx.onerror = function () { reject(tx.error); };
      work(function (name) { return tx.objectStore(name); }, function (value) { given = value; });
    });
  }

  function get(key) {
    return within(["meta"], "readonly", function (store, give) {
      store("meta").get(key).onsuccess = function (event) { give(event.target.result); };
    });
  }

  function set(values) {
    return within(["meta"], "readwrite", function (store) {
      Object.keys(values).forEach(function (key) { store("meta").put(values[key], key); });
    });
  }

  function all(name) {
    return within([name], "readonly", function (store, give) {
      store(name).getAll().onsuccess = function (event) { give(event.target.result); };
    });
  }

  function put(name, value) {
    return within([name], "readwrite", function (store) { store(name).put(value); });
  }

  function remove(name, keys) {
    return within([name], "readwrite", function (store) {
      keys.forEach(function (key) { store(name).delete(key); });
    });
  }

  // An event and its file get in together or not at all, and the number only goes up, also over restarts.
  function add(event, file) {
    return within(["meta", "outbox", "files"], "readwrite", function (store, give) {
      store("meta").get("seq").onsuccess = function (got) {
        var seq = (got.target.result || 0) + 1;
        var numbered = Object.assign({}, event, { device_seq: seq });
        store("meta").put(seq, "seq");
        store("outbox").put(numbered);
        if (file) store("files").put(file);
        give(numbered);
      };
    });
  }

  // The day as the centre tells it. What was delivered before it was told is part of it and need not be kept.
  function learn(day, offset, delivered) {
    return within(["meta", "outbox"], "readwrite", function (store) {
      var meta = store("meta");
      meta.get("seq").onsuccess = function (got) { meta.put(Math.max(got.target.result || 0, day.last_seq), "seq"); };
      meta.put(day, "day");
      meta.put(day.caregiver_id, "owner");
      meta.put(offset, "offset");
      delivered.forEach(function (key) { store("outbox").delete(key); });
    });
  }

  // Everything about everybody, and the key: after signing out the telephone knows nothing.
  async function wipe() {
    if (opened) (await opened).close();
    opened = null;
    return new Promise(function (resolve) {
      var asked = scope.indexedDB.deleteDatabase(NAME);
      asked.onsuccess = asked.onerror = asked.onblocked = function () { resolve(); };
    });
  }

  function id() {
    return Array.from(scope.crypto.getRandomValues(new Uint8Array(16)), function (byte) {
      return ("0" + byte.toString(16)).slice(-2);
    }).join("");
  }

  function base64url(buffer) {
    var text = "";
    new Uint8Array(buffer).forEach(function (byte) { text += String.fromCharCode(byte); });
    return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  var signs = Boolean(scope.crypto && scope.crypto.subtle && scope.indexedDB);
  var P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

  // The telephone's key; made once, and its secret half can be used but not read, not even here.
  async function key() {
    var kept = await get("key");
    if (!kept) {
      kept = await scope.crypto.subtle.generateKey(P256, false, ["sign", "verify"]);
      await set({ key: kept });
    }
    return kept;
  }

  async function publicKey() {
    return base64url(await scope.crypto.subtle.exportKey("raw", (await key()).publicKey));
  }

  async function signature(method, path, once, body) {
    var digest = new Uint8Array(await scope.crypto.subtle.digest("SHA-256", body));
    var hex = Array.from(digest, function (byte) { return ("0" + byte.toString(16)).slice(-2); }).join("");
    var text = new TextEncoder().encode([method, path, once, hex].join("\n"));
    return base64url(await scope.crypto.subtle.sign(P256, (await key()).privateKey, text));
  }

  scope.nuanxian = scope.nuanxian || {};
  scope.nuanxian.store = {
    get: get, set: set, all: all, put: put, remove: remove, add: add, learn: learn, wipe: wipe, id: id,
    signs: signs, publicKey: publicKey, signature: signature,
  };
})(self);
