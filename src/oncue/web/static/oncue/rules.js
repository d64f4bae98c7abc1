// The builder: properties to insert, Enter in the box for an event, the key that a name makes. The server draws everything else.

const rule = document.getElementById("rule");

// "Insert a property …": what there is stands once in the page, in a template.
function fill(root) {
  const properties = document.getElementById("insertables");
  if (!properties) return;
  for (const select of root.querySelectorAll("select[data-insert]:not([data-filled])")) {
    select.append(properties.content.cloneNode(true));
    select.dataset.filled = "yes";
  }
}
fill(document);
document.addEventListener("htmx:afterSettle", () => { fill(document); grow(document); key(); });

// While the server draws anew, people go on typing: what they changed meanwhile is put into what it drew.
const what = (box) => (box.matches("[type=checkbox], [type=radio]") ? "checked" : "value");
const drawn = () => new Map([...document.querySelectorAll("#rule-body :is(input, textarea, select)[name]:not([type=hidden])")].map((box) => [box.id || `${box.name}=${box.value}`, box]));
const values = () => new Map([...drawn()].map(([id, box]) => [id, box[what(box)]]));
let asked = new Map();
let changed = [];
document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.target?.id === "rule-body") asked = values(); });
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.id === "rule-body") changed = [...values()].filter(([id, value]) => asked.has(id) && asked.get(id) !== value);
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "rule-body") return;
  const now = drawn();
  for (const [id, value] of changed) {
    const box = now.get(id);
    if (!box || box[what(box)] !== asked.get(id)) continue; // another line has that place now
    box[what(box)] = value;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
  changed = [];
});

// "Save" while the server still draws what was added or removed waits for that: it would keep the rule without it.
let drawing = 0;
let saves = false;
const draws = (event) => event.detail.target?.id === "rule-body";
rule?.addEventListener("click", (event) => {
  if (!drawing || !event.target.closest("#save")) return;
  saves = true;
  event.preventDefault();
  event.stopPropagation();
}, true);
document.addEventListener("htmx:beforeRequest", (event) => { if (draws(event)) drawing += 1; });
document.addEventListener("htmx:afterRequest", (event) => {
  if (!draws(event)) return;
  drawing -= 1;
  if (drawing) return;
  if (saves && event.detail.successful) setTimeout(() => document.getElementById("save")?.click(), 50); // settled, and what was typed put back
  saves = false;
});

document.addEventListener("change", (event) => {
  const select = event.target.closest("select[data-insert]");
  if (!select || !select.value) return;
  const input = document.getElementById(select.dataset.insert);
  const picked = select.value;
  select.selectedIndex = 0;
  if (/^(event|user)[.[]/.test(picked)) {
    input.setRangeText(`{{ ${picked} }}`, input.selectionStart ?? input.value.length, input.selectionEnd ?? input.value.length, "end");
  } else {
    input.value = picked;
  }
  input.focus();
  input.dispatchEvent(new Event("input", { bubbles: true }));
});

// An arrow key opens the list; on a closed one it would insert the first property at once.
document.addEventListener("keydown", (event) => {
  const select = event.target.closest?.("select[data-insert]");
  if (!select?.showPicker || event.altKey || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  select.showPicker();
});

// A fresh input has its caret at the start; what is inserted belongs at the end.
document.addEventListener("focusout", (event) => { if (event.target.matches?.("#rule input, #rule textarea")) event.target.dataset.visited = "yes"; });
document.addEventListener("pointerdown", (event) => caret(event.target.closest?.("select[data-insert]")));
document.addEventListener("focusin", (event) => caret(event.target.closest?.("select[data-insert]")));
function caret(select) {
  const input = select && document.getElementById(select.dataset.insert);
  if (input && input.dataset.visited !== "yes") input.setSelectionRange(input.value.length, input.value.length);
}

// Enter in the box for an event adds it, and so does picking one from the list; Enter must not save the rule.
document.addEventListener("keydown", (event) => {
  const input = event.target.closest?.("[data-enter]");
  if (!input || event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  if (input.value.trim()) document.getElementById(input.dataset.enter).click();
});
document.addEventListener("input", (event) => {
  const input = event.target.closest?.("[data-enter]");
  if (!input || event.inputType?.startsWith("insertText") || event.inputType?.startsWith("delete")) return;
  if ([...input.list.options].some((option) => option.value === input.value)) document.getElementById(input.dataset.enter).click();
});

// The key that the name makes, shown before it is saved.
function key() {
  const name = document.getElementById("f-name");
  const input = document.getElementById("f-key");
  if (!name || !input || input.readOnly) return;
  const made = name.value.normalize("NFKD").replace(/[^\x00-\x7f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 56);
  input.placeholder = made || "made of the name";
}
document.addEventListener("input", (event) => { if (event.target.id === "f-name") key(); });
key();

// Boxes as tall as their text.
function grow(root) {
  for (const box of root.querySelectorAll("textarea.auto")) box.rows = Math.min(16, Math.max(box.dataset.least ??= box.rows, box.value.split("\n").length + 1));
}
grow(document);
document.addEventListener("input", (event) => { if (event.target.matches("textarea.auto")) grow(document); });

// Switching off is asked, since what waits is not sent.
document.addEventListener("change", (event) => {
  if (!event.target.matches("input[name=state]")) return;
  const save = document.getElementById("save");
  if (event.target.value === "off" && event.target.dataset.was !== "off") {
    save.dataset.ask = "The rule will act no more, and what waits of it will not be sent, not even when it is switched on again.";
  } else {
    delete save.dataset.ask;
  }
});
