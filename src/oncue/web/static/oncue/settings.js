// The browser's own time zone, offered: [data-zone] is the place for it, and names the input that it fills.
const place = document.querySelector("[data-zone]");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const input = place && document.querySelector(place.dataset.zone);
if (input && zone && zone !== input.value) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.textContent = `Use ${zone}, your browser’s`;
  button.addEventListener("click", () => { input.value = zone; place.replaceChildren(); input.focus(); });
  place.append(button);
}
