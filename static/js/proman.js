// What pages gain with JavaScript: toasts, quick search, kept focus, kept drafts, row links.
"use strict";

const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const meta = (name) => one(`meta[name="${name}"]`)?.content ?? "";

// --- What happened -----------------------------------------------------------------------

function toast({ text, tone = "good", undo = "" }) {
  const icons = one("#toast-icons").content;
  const note = document.createElement("div");
  note.className = `note is-${tone}`;
  note.append(one(`[data-tone="${tone}"]`, icons).firstElementChild.cloneNode(true));
  const words = document.createElement("p");
  words.textContent = text;
  note.append(words);
  if (undo) note.append(undoButton(undo, note));
  const close = document.createElement("button");
  close.type = "button";
  close.className = "note-close";
  close.setAttribute("aria-label", "Dismiss");
  close.append(one('[data-tone="close"]', icons).firstElementChild.cloneNode(true));
  close.addEventListener("click", () => note.remove());
  note.append(close);
  one("#toasts").append(note);
  if (tone === "good" || tone === "info") leaveAfter(note, undo ? 12000 : 6000);
}

function undoButton(address, note) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-sm";
  button.textContent = "Undo";
  button.addEventListener("click", () => {
    note.remove();
    htmx.ajax("POST", address, { target: "#main", swap: "none" });
  });
  return button;
}

// A note waits as long as it is pointed at or holds the focus.
function leaveAfter(note, milliseconds) {
  const leave = () => {
    if (note.matches(":hover, :focus-within")) setTimeout(leave, 2000);
    else note.remove();
  };
  setTimeout(leave, milliseconds);
}

document.addEventListener("toast", (event) => toast(event.detail));
document.addEventListener("htmx:sendError", () =>
  toast({ tone: "bad", text: "The server did not answer. Nothing was changed; try again." }));
document.addEventListener("htmx:timeout", () =>
  toast({ tone: "bad", text: "The server took too long. Look whether it was done before you try again." }));
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (event.detail.xhr.getResponseHeader("HX-Trigger")?.includes("toast")) return;
  const words = {
    400: "The form was open for too long. Reload the page and try again; nothing was changed.",
    403: "Your role does not allow this. Nothing was changed.",
    404: "That is not there any more. Reload the page.",
    409: "Somebody else changed this meanwhile. Reload the page to see how it stands.",
    413: "That file is too large. Nothing was stored.",
    429: "Too many tries in a short time. Wait a minute.",
    503: "Not available at the moment. Nothing was changed; try again soon.",
  };
  toast({ tone: "bad", text: words[status] ?? "Something went wrong here. The change was not saved." });
});

// --- Requests ----------------------------------------------------------------------------

document.addEventListener("htmx:configRequest", (event) => {
  const { verb, headers, parameters, elt } = event.detail;
  if (verb !== "get") headers["X-CSRFToken"] = meta("csrf-token");
  if (elt.matches?.("[data-filters]")) {
    for (const [name, value] of [...parameters.entries()]) if (value === "") parameters.delete(name);
  }
});

// A login that expired: what was typed is kept before the browser goes to sign in.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.status !== 401) return;
  event.preventDefault();
  signInAgain(event.detail.elt, event.detail.xhr.getResponseHeader("HX-Redirect"));
});

// Focus stays where it was when its region was replaced: by id, with the caret.
let focused = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const { id } = document.activeElement ?? {};
  focused = id || (event.detail.target?.inert ? event.detail.requestConfig.elt.id : null);
});
// A form that a step replaces takes no typing meanwhile: it would be lost.
document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (detail.elt.name === "step") detail.target.inert = true;
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt.name === "step") detail.target.inert = false;
});
document.addEventListener("htmx:afterSettle", (event) => {
  const summary = one("[data-error-summary]", event.detail.elt);
  if (event.detail.xhr?.status === 422 && summary) return summary.focus();
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
});

// The count beside the title, the filters and the downloads follow the list and its address.
document.addEventListener("htmx:afterSettle", () => {
  const { count, active } = one("#list")?.dataset ?? {};
  if (count && one("#page-count")) one("#page-count").textContent = count;
  if (active) for (const link of all(".filters-clear")) link.classList.toggle("is-idle", active === "0");
});
document.addEventListener("htmx:pushedIntoHistory", () => {
  for (const link of all("[data-export]")) link.search = location.search;
});

// --- Forms -------------------------------------------------------------------------------

// A form that was sent is not sent twice.
function setBusy(form, busy) {
  for (const button of all("button[type=submit], button:not([type])", form)) {
    button.classList.toggle("is-busy", busy);
    button.setAttribute("aria-disabled", busy ? "true" : "false");
  }
  form.toggleAttribute("data-sent", busy);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.hasAttribute("data-sent")) return event.preventDefault();
  if (form.method !== "post" || event.defaultPrevented) return;
  if (!event.submitter?.formTarget) setBusy(form, true);
  keepDraft(form);
});
addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => setBusy(form, false)));
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt.closest?.("form");
  if (form) setBusy(form, false);
});

// What was typed survives a login that expired: kept in this tab, for this person, until it is used.
const DRAFT = "draft";
const isKept = (field) =>
  field.name && field.name !== "csrf_token" && !["password", "file", "hidden"].includes(field.type);

function keepDraft(form) {
  if (!meta("person") || one("input[type=password]", form)) return;
  const fields = [...form.elements].filter(isKept).map((field) =>
    [field.name, field.type === "checkbox" || field.type === "radio" ? field.checked : field.value, field.type === "radio" ? field.value : null]);
  const draft = { path: location.pathname, action: form.getAttribute("action"), person: meta("person"), fields };
  sessionStorage.setItem(DRAFT, JSON.stringify(draft));
}

function restoreDraft() {
  const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
  if (!draft) return;
  if (!meta("person")) return sessionStorage.setItem(DRAFT, JSON.stringify({ ...draft, expired: true }));
  sessionStorage.removeItem(DRAFT);
  if (!draft.expired || draft.person !== meta("person") || draft.path !== location.pathname) return;
  const form = all("form[method=post]").find((each) => each.getAttribute("action") === draft.action);
  if (!form) return;
  const places = new Map();
  for (const [name, value, choice] of draft.fields) putBack(form, places, name, value, choice);
  toast({ tone: "info", text: "You were signed out. What you had typed is back; it is not saved yet." });
}

function putBack(form, places, name, value, choice) {
  const same = [...form.elements].filter((field) => field.name === name && isKept(field));
  const place = places.get(name) ?? 0;
  places.set(name, place + 1);
  const field = choice === null ? same[place] : same.find((each) => each.value === choice);
  if (!field) return;
  if (typeof value === "boolean") field.checked = value;
  else field.value = value;
}

function signInAgain(element, way) {
  const form = element?.closest?.("form[method=post]");
  if (form) keepDraft(form);
  location.assign(way);
}

// --- Search, menus, rows, appearance -----------------------------------------------------

function openSearch() {
  const dialog = one("#search");
  if (!dialog || dialog.open) return;
  dialog.showModal();
  one("#search-input").select();
}

function moveInResults(event) {
  const links = all("#search-results a");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !links.length) return;
  event.preventDefault();
  const next = links.indexOf(document.activeElement) + step;
  (next < 0 ? one("#search-input") : links[Math.min(next, links.length - 1)]).focus();
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openSearch();
  } else if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    openSearch();
  } else if (event.key === "Escape" && event.target.closest?.("#search")) {
    // In a search field the browser would only clear what was typed.
    event.preventDefault();
    one("#search").close();
  } else if (event.key === "Escape") {
    for (const menu of all("details.menu[open]")) {
      menu.open = false;
      one("summary", menu).focus();
    }
  }
  if (event.target.closest?.("#search")) moveInResults(event);
});

document.addEventListener("click", (event) => {
  const target = event.target;
  for (const menu of all("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  if (target.closest("[data-search-open]") && one("#search")) {
    event.preventDefault();
    openSearch();
  } else if (target.closest("[data-search-close]") || target.id === "search") {
    one("#search").close();
  } else if (target.closest("[data-theme-switch]")) {
    switchTheme();
  } else if (target.closest("[data-copy]")) {
    copyFrom(target.closest("[data-copy]"));
  } else if (target.closest("[data-print]")) {
    print();
  } else {
    openRow(event);
  }
});

// A click anywhere in a row opens it, unless it is on something of its own or text is being marked.
function openRow(event) {
  const row = event.target.closest("tr:has(.row-link)");
  if (!row || event.target.closest("a, button, input, select, label, summary, form")) return;
  if (String(getSelection())) return;
  const link = one(".row-link", row);
  if (event.ctrlKey || event.metaKey) open(link.href, "_blank", "noopener");
  else link.click();
}

async function copyFrom(button) {
  const field = one(button.dataset.copy);
  field.select();
  await navigator.clipboard?.writeText(field.value);
  toast({ text: "Copied." });
}

function switchTheme() {
  const order = ["system", "light", "dark"];
  const now = localStorage.getItem("theme") ?? "system";
  const next = order[(order.indexOf(now) + 1) % order.length];
  if (next === "system") {
    localStorage.removeItem("theme");
    delete document.documentElement.dataset.bsTheme;
  } else {
    localStorage.setItem("theme", next);
    document.documentElement.dataset.bsTheme = next;
  }
  nameTheme();
}

function nameTheme() {
  const now = localStorage.getItem("theme") ?? "system";
  for (const name of all("[data-theme-name]")) name.textContent = now;
}

// --- Start -------------------------------------------------------------------------------

nameTheme();
restoreDraft();
one("[data-error-summary]")?.focus();
all("#toasts .note:not(.is-bad, .is-warn)").forEach((note) => leaveAfter(note, 6000));
