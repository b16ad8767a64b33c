// The telephone names its key when somebody signs in; what it reports later must be signed with it.
(function () {
  "use strict";
  var form = document.getElementById("sign-in"), store = self.nuanxian.store;
  function without() { document.getElementById("no-key").hidden = false; }
  form.addEventListener("submit", function () {
    try { localStorage.removeItem("caregiver-left"); } catch (none) { /* nothing was kept there, then */ }
  });
  // The first button of the form, which Enter would press, asks for one more code.
  form.elements.code.addEventListener("keydown", function (pressed) {
    if (pressed.key !== "Enter") return;
    pressed.preventDefault();
    document.getElementById("go").click();
  });
  if (!store.signs) return without();
  store.publicKey().then(function (key) { form.elements.device_key.value = key; }, without);
})();
