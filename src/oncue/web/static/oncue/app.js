// What every page does beyond links and forms: the menu on a phone, questions before what cannot be undone, live parts, copying.
// Pages work without it, but for what is live.

const said = document.getElementById("said");

export function say(sentence) {
  said.textContent = "";
  requestAnimationFrame(() => { said.textContent = sentence; leave(); });
}

// It stays long enough to be read, and while it is pointed at.
let leaving = 0;
function leave() {
  clearTimeout(leaving);
  if (said.textContent) leaving = setTimeout(() => (said.matches(":hover") ? leave() : (said.textContent = "")), 6000 + 60 * said.textContent.length);
}
leave();

// The menu.
const menu = document.querySelector("button.menu");
menu?.addEventListener("click", () => {
  const open = menu.getAttribute("aria-expanded") !== "true";
  menu.setAttribute("aria-expanded", String(open));
  document.body.classList.toggle("menu-open", open);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("menu-open")) { menu.click(); menu.focus(); }
});

// data-ask="sentence" on a form or button: asked in a dialog first. Its data-verb, or its words, are what goes on.
function ask(sentence, verb) {
  return new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    const text = document.createElement("p");
    text.textContent = sentence;
    const form = document.createElement("form");
    form.method = "dialog";
    form.className = "row end";
    for (const [value, label, look] of [["no", "Cancel", ""], ["yes", verb || "Go on", "danger"]]) {
      const button = document.createElement("button");
      button.value = value;
      button.textContent = label;
      button.className = `button ${look}`;
      form.append(button);
    }
    dialog.append(text, form);
    dialog.setAttribute("aria-label", "Are you sure?");
    document.body.append(dialog);
    dialog.addEventListener("close", () => { resolve(dialog.returnValue === "yes"); dialog.remove(); });
    dialog.showModal();
  });
}
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const sentence = event.submitter?.dataset.ask || form.dataset.ask;
  if (!sentence || form.dataset.asked || form.hasAttribute("hx-post")) return;
  event.preventDefault();
  const submitter = event.submitter;
  if (await ask(sentence, submitter?.dataset.verb || form.dataset.verb || submitter?.textContent.trim())) {
    form.dataset.asked = "yes";
    form.requestSubmit(submitter);
    delete form.dataset.asked;
  }
});
document.addEventListener("htmx:confirm", (event) => {
  const sentence = event.detail.elt.dataset.ask;
  if (!sentence) return;
  event.preventDefault();
  ask(sentence, event.detail.elt.dataset.verb || event.detail.elt.textContent.trim()).then((yes) => yes && event.detail.issueRequest(true));
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || form.hasAttribute("hx-post") || form.hasAttribute("hx-get") || event.defaultPrevented) return;
  setTimeout(() => form.querySelectorAll("button:not([type=button])").forEach((button) => { button.disabled = true; }));
});
addEventListener("pageshow", () => document.querySelectorAll("form button:disabled").forEach((button) => { if (!button.dataset.off) button.disabled = false; }));

// What went wrong with a part of the page that was asked for.
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 403) say("That takes another role than yours.");
  else if (status === 503) say("oncue cannot save anything at the moment. Try again shortly.");
  else say(`oncue could not do that (status ${status}). Load the page again and repeat it.`);
});
document.addEventListener("htmx:sendError", () => say("oncue cannot be reached. Look at your connection, then try again."));
document.addEventListener("said", (event) => say(event.detail.value));

// After a swap, focus goes where data-focus says, or stays on what has the same id: at once, and once, since whoever is fast has moved on when
// all has settled.
const led = new WeakSet();
function lead(event) {
  const wanted = event.target.querySelector?.("[data-focus], [aria-invalid=true]");
  if (!wanted || led.has(wanted) || event.detail.requestConfig?.verb !== "post") return;
  led.add(wanted);
  wanted.focus();
}
document.addEventListener("htmx:afterSwap", lead);
document.addEventListener("htmx:afterSettle", lead);

// data-live="messages events": asks for itself anew (hx-get, hx-trigger="live") when the store says that there is more.
// One stream a page; the browser reconnects by itself, and is told at once where things stand.
const known = document.body.dataset;
let last = known.events === undefined ? {} : { events: Number(known.events), messages: Number(known.messages) };
let source = null;
function watch() {
  const wanted = document.querySelector("[data-live]");
  if (!wanted || source) return;
  source = new EventSource("/live");
  source.onmessage = (event) => {
    const now = JSON.parse(event.data);
    for (const element of document.querySelectorAll("[data-live]")) {
      if (isPaused(element)) continue;
      const topics = element.dataset.live.split(" ");
      if (topics.some((topic) => last[topic] !== undefined && last[topic] !== now[topic])) htmx.trigger(element, "live");
    }
    last = now;
    document.documentElement.dataset.stream = "open";
  };
  source.onerror = () => { document.documentElement.dataset.stream = "lost"; };
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { source?.close(); source = null; } else watch();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pause]");
  if (!button) return;
  const live = document.querySelector(button.dataset.pause);
  const paused = live.dataset.paused !== "yes";
  live.dataset.paused = paused ? "yes" : "no";
  button.setAttribute("aria-pressed", String(paused));
  if (!paused) htmx.trigger(live, "live");
});
// What was asked for before somebody paused is not asked, and not shown.
const isPaused = (element) => element.dataset?.paused === "yes";
document.addEventListener("htmx:beforeRequest", (event) => { if (isPaused(event.target)) event.preventDefault(); });
document.addEventListener("htmx:beforeSwap", (event) => { if (isPaused(event.target)) event.detail.shouldSwap = false; });
watch();

// data-copy: puts the text of an element on the clipboard.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
  say("Copied.");
});

// A select or checkbox marked data-submit sends its form when it changes.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// Messages in the address are said once.
if (new URLSearchParams(location.search).has("said")) {
  const url = new URL(location.href);
  url.searchParams.delete("said");
  history.replaceState(history.state, "", url);
}
