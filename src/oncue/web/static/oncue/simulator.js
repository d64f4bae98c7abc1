// Phones: the newest bubble is in view, a sent reply leaves its field empty, and the dial asks only for what its fault takes.

function toTheEnd(list) { list.scrollTop = list.scrollHeight; }
const lists = () => document.querySelectorAll("ol.bubbles");
lists().forEach(toTheEnd);

document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
  const list = event.detail.target;
  if (list.matches?.("ol.bubbles")) list.dataset.follow = String(list.scrollHeight - list.scrollTop - list.clientHeight < 60);
});
document.body.addEventListener("htmx:oobAfterSwap", (event) => {
  const list = event.detail.target;
  if (list.matches?.("ol.bubbles") && list.dataset.follow !== "false") toTheEnd(list);
  document.getElementById("no-phones")?.remove();
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt.closest?.("form.answer");
  if (form && event.detail.successful) form.reset();
});

const kind = document.getElementById("kind");
function asks() {
  const takes = kind.selectedOptions[0]?.dataset.takes || "";
  for (const field of document.querySelectorAll(".dial .field[data-takes]")) field.hidden = field.dataset.takes !== takes;
}
if (kind) { kind.addEventListener("change", asks); asks(); }
