// Live parts marked data-place keep the reader's place: what stands at the top of the window stays there, what was opened stays open,
// and rows that are new are marked. Fields of a filter that were left empty stay out of the address.

const kept = new WeakMap();

document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.target;
  if (!part.matches?.("[data-place]")) return;
  const rows = [...part.querySelectorAll("[data-row]")];
  const anchor = scrollY > 0 && rows.find((row) => row.getBoundingClientRect().bottom > 0);
  kept.set(part, {
    rows: new Set(rows.map((row) => row.id)),
    open: [...part.querySelectorAll("details[id][open]")].map((one) => one.id),
    anchor: anchor && { id: anchor.id, top: anchor.getBoundingClientRect().top },
  });
});

document.addEventListener("htmx:afterSwap", (event) => {
  const before = kept.get(event.target);
  if (!before) return;
  kept.delete(event.target);
  for (const id of before.open) document.getElementById(id)?.setAttribute("open", "");
  if (before.rows.size) for (const row of event.target.querySelectorAll("[data-row]")) row.classList.toggle("new", !before.rows.has(row.id));
  const anchor = before.anchor && document.getElementById(before.anchor.id);
  if (anchor) scrollBy({ top: anchor.getBoundingClientRect().top - before.anchor.top, behavior: "instant" });
});

document.addEventListener("formdata", (event) => {
  if (!event.target.matches("form.filters")) return;
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});
