// Help asked for from a scanned card. One key per page: pressing twice, or again after a lost answer, asks once.
const form = document.getElementById("help");
const said = document.getElementById("said");
const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const door = "/v1/cards/" + encodeURIComponent(location.pathname.split("/").pop()) + "/help";

function say(taken) {
  said.textContent = taken ? form.dataset.taken : form.dataset.failed;
  said.className = `notice ${taken ? "good" : "bad"}`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const phone = form.phone.value.trim();
  const body = { note: form.note.value.trim(), ...(phone ? { phone } : {}) };
  try {
    const answer = await fetch(door, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": key },
      body: JSON.stringify(body),
    });
    say(answer.ok);
  } catch {
    say(false);
  }
});
