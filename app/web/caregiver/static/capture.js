// What the telephone perceives: where it is, photos, a hand's signature, a code on a card, a tag.
(function (scope) {
  "use strict";
  var LONGEST = 1600, HEAVIEST = 300 * 1024;

  // Resolves to null when there is no position within ten seconds: never a reason not to work.
  function place() {
    return new Promise(function (resolve) {
      if (!navigator.geolocation) return resolve(null);
      navigator.geolocation.getCurrentPosition(function (found) {
        var at = found.coords;
        resolve({ lng: at.longitude, lat: at.latitude, crs: "wgs84", accuracy_m: Math.round(at.accuracy) });
      }, function () { resolve(null); }, { enableHighAccuracy: true, timeout: 10000, maximumAge: 30000 });
    });
  }

  function picture(file) {
    return new Promise(function (resolve, reject) {
      var url = URL.createObjectURL(file), image = new Image();
      image.onload = function () { URL.revokeObjectURL(url); resolve(image); };
      image.onerror = function () { URL.revokeObjectURL(url); reject(new Error("no picture")); };
      image.src = url;
    });
  }

  function blobOf(canvas, type, quality) {
    return new Promise(function (resolve) { canvas.toBlob(resolve, type, quality); });
  }

  // Painted anew, so that only the picture goes on: no place, no time, no make of telephone.
  async function photo(file) {
    var image = await picture(file);
    var scale = Math.min(1, LONGEST / Math.max(image.naturalWidth, image.naturalHeight)), blob = null;
    for (var round = 0; round < 6; round++) {
      var canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
      canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      for (var quality of [0.82, 0.7, 0.55]) {
        blob = await blobOf(canvas, "image/jpeg", quality);
        if (blob && blob.size <= HEAVIEST) return blob;
      }
      scale *= 0.75;
    }
    return blob;
  }

  // Draws where a finger, a pen or a mouse goes. `taken()` gives the picture, or null while nothing is drawn.
  function pad(canvas) {
    var pen = null, drawn = false;
    function fit() {
      canvas.width = canvas.clientWidth * 2;
      canvas.height = canvas.clientHeight * 2;
      pen = canvas.getContext("2d");
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.lineWidth = 6; pen.lineCap = pen.lineJoin = "round"; pen.strokeStyle = "#111";
      drawn = false;
    }
    function at(event) {
      var box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) * 2, (event.clientY - box.top) * 2];
    }
    canvas.addEventListener("pointerdown", function (event) {
      if (!pen || canvas.width !== canvas.clientWidth * 2) fit();
      canvas.setPointerCapture(event.pointerId);
      pen.beginPath();
      pen.moveTo.apply(pen, at(event));
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", function (event) {
      if (!pen || !event.buttons) return;
      pen.lineTo.apply(pen, at(event));
      pen.stroke();
      drawn = true;
    });
    return { clear: fit, taken: function () { return drawn ? blobOf(canvas, "image/png") : Promise.resolve(null); } };
  }

  // Having the name of a recogniser is not having one: many telephones sold here come without what it rests on.
  async function learn() {
    try {
      var formats = scope.BarcodeDetector ? await scope.BarcodeDetector.getSupportedFormats() : [];
      capture.scans = formats.indexOf("qr_code") >= 0;
    } catch (none) {
      capture.scans = false;
    }
  }

  // Null when there is no code in the picture. A recogniser that fails is not offered again.
  async function codeIn(file) {
    var image = await picture(file), found;
    try {
      found = await new scope.BarcodeDetector({ formats: ["qr_code"] }).detect(image);
    } catch (broken) {
      capture.scans = false;
      throw broken;
    }
    return found.length ? found[0].rawValue : null;
  }

  // What the first readable record of a tag says.
  function tag() {
    return new Promise(function (resolve, reject) {
      var reader = new scope.NDEFReader();
      reader.onreading = function (event) {
        var record = event.message.records.find(function (one) { return one.recordType === "url" || one.recordType === "text"; });
        if (record) resolve(new TextDecoder().decode(record.data));
      };
      reader.scan().catch(reject);
    });
  }

  var capture = {
    place: place, photo: photo, pad: pad, codeIn: codeIn, tag: tag, learn: learn,
    scans: false, taps: "NDEFReader" in scope,
  };
  scope.nuanxian.capture = capture;
})(self);
