// Takes in the pieces of this page that have changed (console/live.py), for as long as somebody looks at it.
// A piece replaces the inside of the element of its id, unless that shows the same version already. What arrives is HTML
// that the server made; it is parsed apart from the page, and the page's policy runs no script that might be in it.
"use strict";

(() => {
  const root = document.querySelector("[data-live]");
  if (!root || !window.EventSource) return;
  const sign = document.getElementById("live");
  let source = null;

  const say = (state, words) => {
    if (!sign) return;
    sign.dataset.state = state;
    sign.textContent = words;
  };

  const parsed = (html, tag) => {
    const inside = tag === "TR" ? `<table><tbody><tr>${html}</tr></tbody></table>` : `<div>${html}</div>`;
    const made = new DOMParser().parseFromString(inside, "text/html").body;
    return [...made.querySelector(tag === "TR" ? "tr" : "div").childNodes];
  };

  // Whoever is typing goes on typing, in the input of the same id.
  const refocus = (before) => {
    const again = before?.id && document.getElementById(before.id);
    if (!again) return;
    if (before.value) again.value = before.value;
    again.focus({ preventScroll: true });
  };

  const fill = (element, version, html) => {
    if (element.dataset.version === version) return;
    const focused = element.contains(document.activeElement) ? document.activeElement : null;
    element.replaceChildren(...parsed(html, element.tagName));
    element.dataset.version = version;
    refocus(focused);
    window.tidings?.dress(element);
  };

  const arrange = (list, names, pieces) => {
    const kept = new Map([...list.children].map((child) => [child.id, child]));
    const members = names.map((name) => {
      const known = kept.get(name);
      if (known) return known;
      const made = document.createElement(list.dataset.item || "li");
      made.id = name;
      made.className = "is-new";
      fill(made, ...pieces.get(name));
      return made;
    });
    members.forEach((member, place) => {
      if (list.children[place] !== member) list.insertBefore(member, list.children[place] || null);
    });
    while (list.children.length > members.length) list.lastElementChild.remove();
    window.tidings?.dress(list);
  };

  const take = (message) => {
    const news = JSON.parse(message.data);
    const pieces = new Map(news.html.map(([name, version, html]) => [name, [version, html]]));
    for (const [name, [version, html]] of pieces) {
      const element = document.getElementById(name);
      if (element) fill(element, version, html);
    }
    for (const [name, names] of Object.entries(news.lists)) {
      const list = document.getElementById(name);
      if (!list) continue;
      arrange(list, names, pieces);
      list.closest("[data-empty]")?.setAttribute("data-empty", names.length ? "no" : "yes");
    }
  };

  const open = () => {
    if (source) return;
    source = new EventSource(root.dataset.live);
    source.addEventListener("open", () => say("on", "Live"));
    source.addEventListener("pieces", take);
    source.addEventListener("error", () => {
      if (source && source.readyState === EventSource.CLOSED) say("off", "Not live: reload the page");
      else say("waiting", "Connecting");
    });
  };

  const close = () => {
    source?.close();
    source = null;
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  if (root.dataset.here) history.replaceState(null, "", root.dataset.here);
  if (!document.hidden) open();
})();
