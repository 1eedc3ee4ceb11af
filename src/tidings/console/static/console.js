// What a page does beyond its HTML: copies, closes, says moments anew. Every page works without it.
"use strict";

const MINUTE = 60, HOUR = 3600, DAY = 86400; // seconds

function copy(button) {
  navigator.clipboard.writeText(button.dataset.copy).then(
    () => say(button, "Copied"),
    () => say(button, "Not copied"),
  );
}

function say(button, word) {
  const before = button.dataset.label ?? (button.dataset.label = button.textContent);
  button.textContent = word;
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { button.textContent = before; }, 1500);
}

function span(seconds) {
  if (seconds >= DAY) return `${Math.floor(seconds / DAY)} d`;
  if (seconds >= HOUR) return `${Math.floor(seconds / HOUR)} h`;
  if (seconds >= MINUTE) return `${Math.floor(seconds / MINUTE)} min`;
  return `${Math.floor(seconds)} s`;
}

function ago(then, now) {
  const seconds = Math.abs(now - then) / 1000;
  if (seconds < 5) return "just now";
  if (seconds > 30 * DAY) return null;
  return then > now ? `in ${span(seconds)}` : `${span(seconds)} ago`;
}

// What was just put on the page is called with that part of it.
function dress(part) {
  for (const button of part.querySelectorAll("button.copy, button.dismiss")) button.hidden = false;
  for (const time of part.querySelectorAll("time[title]")) {
    if (time.dataset.local) continue;
    time.dataset.local = "yes";
    time.title = `${new Date(time.dateTime).toLocaleString()} (your time)\n${time.title}`;
  }
}

function tick() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const words = ago(Date.parse(time.dateTime), now);
    if (words !== null && words !== time.textContent) time.textContent = words;
  }
}

// A menu closes by Escape and by a click beside it.
function closeOthers(target) {
  for (const menu of document.querySelectorAll("details.menu[open], details.sure[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.copy !== undefined) copy(button);
  if (button?.classList.contains("dismiss")) button.closest(".notice").remove();
  closeOthers(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.menu[open], details.sure[open], details.fold[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});

window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) delete form.dataset.sent;
});

// `n` makes a new one and `/` searches, where a page has that; Ctrl+Enter sends the form that is being written.
document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, select, textarea");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return writing?.form?.requestSubmit();
  if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
  const meant = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!meant) return;
  event.preventDefault();
  meant.matches("input") ? meant.focus() : meant.click();
});

// A field that holds several values has an empty line for the next.
function grow(lines) {
  const last = lines.lastElementChild;
  const inputs = [...last.querySelectorAll("input, select")];
  if (!inputs.some((input) => input.value)) return;
  const next = last.cloneNode(true);
  for (const input of next.querySelectorAll("input, select")) {
    input.name = input.name.replace(/^(f\d+\.)(\d+)/, (_, begin, place) => begin + (Number(place) + 1));
    input.value = "";
    input.required = false;
    if (!input.id) continue;
    input.setAttribute("aria-label", document.querySelector(`label[for="${input.id}"]`).textContent.trim());
    input.removeAttribute("id");
  }
  lines.append(next);
}

document.addEventListener("input", (event) => {
  const lines = event.target.closest("[data-grows]");
  if (lines) grow(lines);
});

// Of a new field's settings, those of its type.
function fitType(select) {
  for (const part of select.form.querySelectorAll("[data-for-type]")) part.hidden = part.dataset.forType !== select.value;
}

const type = document.querySelector("form:has([data-for-type]) select[name=type]");
if (type) {
  type.addEventListener("change", () => fitType(type));
  fitType(type);
}

// What opens in place is ready to be typed into.
document.addEventListener("toggle", (event) => {
  const fold = event.target;
  if (fold.matches?.("details.fold") && fold.open) fold.querySelector(".folded :is(input:not([type=hidden]), select, textarea)")?.focus();
}, true);

// The notice is said once: not again when the page is loaded anew.
const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  history.replaceState(history.state, "", here);
}

window.tidings = { dress: (part) => { dress(part); tick(); } };
dress(document);
tick();
setInterval(tick, 5000);
document.querySelector("[aria-invalid=true]")?.focus();
