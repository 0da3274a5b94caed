// Pages work without this. It signs in from the link, speaks the reader's time, keeps open pages
// true, and tells of new cards. It never decides, and writes no HTML but what the server rendered.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// Times -----------------------------------------------------------------------------------------

const words = navigator.language.startsWith("en") ? navigator.language : "en-GB";
const { hour12 } = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions();
const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
const clock = new Intl.DateTimeFormat(words, {
  hour: hour12 ? "numeric" : "2-digit", minute: "2-digit", hour12, timeZoneName: "short",
});
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });

function distance(ms) {
  for (const [unit, size] of [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]]) {
    if (Math.abs(ms) >= size) return relative.format(Math.trunc(ms / size), unit);
  }
  return ms > 0 ? "in less than a minute" : "just now";
}

function left(ms) {
  if (ms <= 0) return "no longer";
  if (ms < 60_000) return "less than a minute left";
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 120) return minutes === 1 ? "1 minute left" : `${minutes} minutes left`;
  return `${Math.floor(minutes / 60)} hours left`;
}

function tellTimes() {
  const now = new Date();
  for (const time of $$("time[data-when]")) {
    const at = new Date(time.dateTime);
    const date = at.toDateString() === now.toDateString() ? "" : `${day.format(at)}, `;
    const local = `${date}${clock.format(at)}`;
    const away = distance(at - now);
    const text = time.dataset.when === "stacked" ? `${away},\n${local}`
      : time.dataset.when === "window" ? `${left(at - now)} (until ${local})`
      : `${away} (${local})`;
    if (time.textContent !== text) time.textContent = text;
    time.title = full.format(at);
  }
  $("[data-zone]").textContent = `Times are those of your device (${timeZone}).`;
}

// Signing in: the code stands after the "#", which browsers do not send ---------------------------

function signInFromLink() {
  const form = $("form[data-signin]");
  const code = decodeURIComponent(location.hash.slice(1));
  if (!form || !code) return;
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.code.value = code;
  for (const note of $$("[data-with-code]")) note.hidden = false;
  for (const note of $$("[data-without-code]")) note.hidden = true;
  // Whoever is signed in already is asked: a link may be somebody else's.
  if (!form.hasAttribute("data-already")) form.requestSubmit();
}

// Pressing once -----------------------------------------------------------------------------------

let leaving = false;

function pressOnce(event) {
  const form = event.target;
  leaving = true;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  for (const button of $$("button", form)) button.setAttribute("aria-disabled", "true");
}

function allowAgain() {
  leaving = false;
  // A page that comes back from the browser's memory may be pressed again.
  for (const form of $$("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of $$("button", form)) button.removeAttribute("aria-disabled");
  }
}

// Live --------------------------------------------------------------------------------------------

let version = document.body.dataset.version;
const shown = new Map($$("[data-live]").map((part) => [part.dataset.live, timeless(part)]));
let fetching = null;
let again = false;

async function look() {
  if (fetching) { again = true; return fetching; }
  fetching = refresh().finally(() => {
    fetching = null;
    if (again) { again = false; look(); }
  });
  return fetching;
}

async function refresh() {
  const answer = await fetch(location.pathname + location.search, {
    headers: { "Keyturn-Live": "1" }, cache: "no-store", redirect: "manual",
  });
  if (answer.type === "opaqueredirect") return leave();
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const known = new Set($$("[data-card]").map((row) => row.dataset.card));
  const knew = $("[data-live=waiting]") !== null;
  for (const fresh of $$("[data-live]", page)) swap(fresh);
  document.title = page.title;
  version = document.body.dataset.version = page.body.dataset.version;
  tellTimes();
  if (knew) {
    const arrived = $$("[data-card]").filter((row) => !known.has(row.dataset.card));
    for (const row of arrived) row.classList.add("arrived");
    tell(arrived);
  } else {
    say("This page has changed.");
  }
}

function swap(fresh) {
  const old = $(`[data-live="${fresh.dataset.live}"]`);
  const html = timeless(fresh);
  if (!old || shown.get(fresh.dataset.live) === html) return;
  shown.set(fresh.dataset.live, html);
  const focus = old.contains(document.activeElement) ? pathTo(document.activeElement) : null;
  const typed = $$("textarea, input:not([type=hidden])", old).filter((field) => field.value);
  const open = $$("details", old).map((part) => part.open);
  old.replaceChildren(...fresh.childNodes);
  for (const field of typed) {
    const now = document.getElementById(field.id);
    if (now) now.value = field.value;
  }
  if ($$("details", old).length === open.length) {
    $$("details", old).forEach((part, index) => { part.open = open[index]; });
  }
  if (focus) ($(focus, old) ?? $("#main")).focus({ preventScroll: true });
}

function timeless(part) {
  return part.innerHTML.replace(/(<time[^>]*>)[^<]*/g, "$1");
}

function pathTo(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.matches("a[href]")) return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
  return element.value ? `${element.localName}[value="${CSS.escape(element.value)}"]` : element.localName;
}

// A page that is about to be another one is not loaded anew: that would undo the press.
function leave() {
  if (!leaving) location.reload();
}

function follow() {
  const others = "BroadcastChannel" in window ? new BroadcastChannel("keyturn") : null;
  const check = (seen) => { if (seen && seen !== version) look(); };
  if (others) others.onmessage = ({ data }) => {
    if (data === "signed-out") leave();
    else if (data !== "hello") check(data);
  };

  const listen = () => new Promise(() => {
    let latest = version;
    const events = new EventSource(`/events?known=${encodeURIComponent(version)}`);
    events.addEventListener("changed", (event) => {
      latest = JSON.parse(event.data).version;
      others?.postMessage(latest);
      check(latest);
    });
    events.addEventListener("signed-out", () => {
      events.close();
      others?.postMessage("signed-out");
      leave();
    });
    events.addEventListener("error", () => {
      if (events.readyState !== EventSource.CLOSED) return;
      say("Live updates have ended. Reload the page to see what is new.");
      // Refused, perhaps because another page has signed out: asking for this page tells.
      look();
    });
    others?.addEventListener("message", ({ data }) => { if (data === "hello") others.postMessage(latest); });
  });

  // Browsers open few connections to one host: of many tabs one listens and tells the others.
  if (others && navigator.locks) {
    others.postMessage("hello");
    navigator.locks.request("keyturn-live", listen);
  } else {
    listen();
  }
}

// Telling -----------------------------------------------------------------------------------------

function say(text) {
  $("#news").textContent = text;
}

function tell(rows) {
  if (rows.length === 0) return;
  say(rows.length === 1 ? `A new card waits for you. ${rows[0].dataset.title}` : `${rows.length} new cards wait for you.`);
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  for (const row of rows) {
    const note = new Notification(row.dataset.title, {
      body: row.dataset.body, tag: row.dataset.card, icon: "/static/icon.svg",
    });
    note.onclick = () => { window.focus(); location.assign(`/proposals/${row.dataset.card}`); };
  }
}

function offerToTell() {
  const button = $("[data-notify]");
  if (!button || !("Notification" in window) || Notification.permission !== "default") return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.hidden = (await Notification.requestPermission()) !== "default";
  });
}

// -------------------------------------------------------------------------------------------------

function forgetFlash() {
  // A reload is not another press: the answer to the last one is said once.
  const here = new URL(location);
  if (!here.searchParams.has("said")) return;
  here.searchParams.delete("said");
  history.replaceState(null, "", here);
}

document.addEventListener("submit", pressOnce);
window.addEventListener("pageshow", allowAgain);
tellTimes();
setInterval(tellTimes, 15_000);
forgetFlash();
signInFromLink();
window.addEventListener("hashchange", signInFromLink);
offerToTell();
if (version) follow();
