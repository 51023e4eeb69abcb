// The sitting of an exam: one question at a time, each change saved at once, nothing lost while the server is away.

import { inputs, limit, prepare, read, show } from "./controls.js";
import { Countdown } from "./countdown.js";
import { Outbox } from "./outbox.js";
import { watch } from "./watch.js";

const $ = (id) => document.getElementById(id);
const form = $("exam");
const items = [...form.querySelectorAll(".exam-item")];
const links = new Map([...form.querySelectorAll("[data-jump]")].map((link) => [Number(link.dataset.jump), link]));
const revisions = new Map(items.map((item) => [place(item), Number(item.dataset.revision)]));
const KEYS = "archway-exam-keys";
const note = $("ask-note").textContent;
let current = 0;

// A sentence in the page's language: the template gives them as data-…, with places for values in braces.
function say(name, values = {}) {
  return form.dataset[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

const outbox = new Outbox({
  address: form.dataset.save,
  token: form.elements.csrf_token.value,
  storageKey: `archway-outbox-${form.dataset.attempt}`,
  onChange: showSaved,
  onStored: adopt,
  onClock: (now, deadline, closed) => {
    follow(now, deadline);
    if (closed) location.assign(`${location.pathname}/report`);
  },
});
const countdown = new Countdown(Number(form.dataset.now), Number(form.dataset.deadline), {
  unlimited: form.dataset.unlimited,
  say,
  show: showTime,
  announce,
  end: timeIsUp,
});

// Go by the server's clock and deadline; an instructor may have moved the deadline.
function follow(now, deadline) {
  if (deadline > countdown.deadline) announce(say("extended"));
  countdown.calibrate(now, deadline);
}

// Say something to everybody: it stands in the bar until the learner goes on.
function announce(text) {
  $("announce").textContent = text;
}

function place(item) {
  return Number(item.dataset.place);
}

function flag(item) {
  return item.querySelector(".flag input");
}

function changed(item) {
  const number = place(item);
  const revision = revisions.get(number) + 1;
  revisions.set(number, revision);
  outbox.put({ place: number, revision, answer: read(item), flagged: flag(item).checked, stamp: countdown.now });
  mark(item);
}

// Show what the server stores where it differs from this page: another tab or device answered there.
function adopt(stored) {
  const told = [];
  for (const one of stored) {
    const item = items[one.place - 1];
    revisions.set(one.place, Math.max(one.revision, revisions.get(one.place)));
    const same = read(item) === one.answer && flag(item).checked === one.flagged;
    if (one.late || same || outbox.waiting[one.place] || one.revision < revisions.get(one.place)) continue;
    fill(item, one.answer, one.flagged);
    told.push(say("elsewhere", one));
  }
  if (told.length) announce(told.join(" "));
}

function fill(item, given, flagged) {
  show(item, given);
  flag(item).checked = flagged;
  mark(item);
}

function mark(item) {
  const link = links.get(place(item));
  const answered = read(item) !== "";
  const flagged = flag(item).checked;
  link.classList.toggle("answered", answered);
  link.classList.toggle("flagged", flagged);
  const words = [say("question", { place: place(item) }), say(answered ? "answered" : "unanswered")];
  if (flagged) words.push(say("flagged"));
  link.setAttribute("aria-label", words.join(", "));
  limit(item);
}

function answered() {
  return items.filter((item) => read(item) !== "").length;
}

function showSaved({ size, trouble }) {
  const bar = $("saved");
  const count = answered();
  bar.classList.toggle("waiting", size > 0);
  if (size === 0) bar.textContent = say(["savedNone", "savedOne"][count] ?? "saved", { count });
  else {
    const out = ["401", "403", "404"].includes(trouble);
    bar.textContent = say(out ? "out" : trouble ? "again" : "way", { count: size });
  }
}

function showTime(text, low) {
  $("time").textContent = text;
  form.classList.toggle("low-time", low);
}

function go(index, focus = true) {
  current = Math.max(0, Math.min(items.length - 1, index));
  items.forEach((item, number) => item.classList.toggle("current", number === current));
  for (const [number, link] of links) {
    if (number === current + 1) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  $("where").textContent = say("where", { place: current + 1, total: items.length });
  for (const button of items[current].querySelectorAll("[data-go]")) {
    const target = current + Number(button.dataset.go);
    button.hidden = target < 0 || target >= items.length;
  }
  history.replaceState(null, "", `#question-${current + 1}`);
  if (focus) {
    announce("");
    $(`heading-${current + 1}`).focus({ preventScroll: true });
    scrollTo({ top: 0, behavior: "instant" });
  }
}

function ask() {
  const open = items.filter((item) => read(item) === "").length;
  const flagged = items.filter((item) => flag(item).checked).length;
  const sentences = [say("counts", { answered: items.length - open, total: items.length, open, flagged })];
  if (outbox.size) sentences.push(say(outbox.size === 1 ? "waitingOne" : "waitingMany", { count: outbox.size }));
  $("ask-counts").textContent = sentences.join(" ");
  $("ask-note").textContent = note;
  $("ask-submit").disabled = false;
  $("ask").showModal();
}

// Submitting waits for the outbox, so that what counts is what the learner sees; going back calls it off.
async function submit() {
  $("ask-title").focus();
  $("ask-submit").disabled = true;
  $("ask-note").textContent = say("sending");
  while (outbox.size && countdown.now < countdown.deadline + 58000) {
    outbox.hurry();
    await new Promise((done) => setTimeout(done, 300));
    if (!$("ask").open) return;
  }
  $("submit").submit();
}

// What a learner rules out is a mark of this browser's, no answer: it stays here and is never sent.
function strike(button, store = true) {
  const struck = store ? button.getAttribute("aria-pressed") !== "true" : true;
  button.setAttribute("aria-pressed", String(struck));
  if (!store) return;
  const marks = [...form.querySelectorAll('.strike[aria-pressed="true"]')].map((one) => one.dataset.strike);
  localStorage.setItem(`archway-struck-${form.dataset.attempt}`, marks.join(" "));
}

function showStrikes() {
  const struck = new Set((localStorage.getItem(`archway-struck-${form.dataset.attempt}`) ?? "").split(" "));
  for (const button of form.querySelectorAll(".strike")) {
    button.hidden = false;
    if (struck.has(button.dataset.strike)) strike(button, false);
  }
}

function timeIsUp() {
  for (const item of items) item.querySelector("fieldset").disabled = true;
  announce(say("upSending"));
  if (!$("ask").open) ask();
  $("ask-title").textContent = say("up");
  $("ask-back").hidden = true;
  $("ask").closedBy = "none";
  submit();
}

function key(event) {
  const typing = event.target.matches("input[type=text], textarea, select");
  if (!$("keys").checked || typing || event.ctrlKey || event.altKey || event.metaKey || $("ask").open) return;
  const item = items[current];
  if (/^[1-9]$/.test(event.key)) inputs(item)[Number(event.key) - 1]?.click();
  else if (event.key === "n" || event.key === "N") go(current + 1);
  else if (event.key === "p" || event.key === "P") go(current - 1);
  else if (event.key === "f" || event.key === "F") flag(item).click();
  else return;
  event.preventDefault();
}

function begin() {
  for (const change of Object.values(outbox.waiting)) {
    const item = items[change.place - 1];
    if (item && change.revision > revisions.get(change.place)) {
      revisions.set(change.place, change.revision);
      fill(item, change.answer, change.flagged);
    }
  }
  items.forEach(prepare);
  items.forEach(mark);
  showStrikes();
  form.classList.add("live");
  form.querySelector("[data-plain]").hidden = true;
  form.querySelector("[data-finish]").hidden = false;
  $("shortcuts").hidden = false;
  $("keys").checked = localStorage.getItem(KEYS) !== "off";
  $("hide-time").hidden = false;
  const hash = /^#question-(\d+)$/.exec(location.hash);
  go(hash ? Number(hash[1]) - 1 : 0, false);
  showSaved(outbox);
  outbox.hurry();
}

// What is typed is sent as it is typed; everything else when it is chosen.
for (const kind of ["change", "input"]) {
  form.addEventListener(kind, (event) => {
    const item = event.target.closest(".exam-item");
    if (item && (kind === "input") === event.target.matches("[type=text]")) changed(item);
  });
}
form.addEventListener("click", (event) => {
  const jump = event.target.closest("[data-jump]");
  const step = event.target.closest("[data-go]");
  const struck = event.target.closest(".strike");
  if (struck) strike(struck);
  else if (jump) {
    event.preventDefault();
    go(Number(jump.dataset.jump) - 1);
  } else if (step) go(current + Number(step.dataset.go));
  else if (event.target.closest("[data-finish]")) ask();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter?.id === "finish") ask();
  else go(current + 1);
});
$("keys").addEventListener("change", (event) => localStorage.setItem(KEYS, event.target.checked ? "on" : "off"));
$("hide-time").addEventListener("click", (event) => {
  const hidden = $("time").classList.toggle("hidden-time");
  event.currentTarget.setAttribute("aria-pressed", String(hidden));
  event.currentTarget.textContent = say(hidden ? "show" : "hide");
});
$("ask-back").addEventListener("click", () => $("ask").close());
$("submit").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
addEventListener("keydown", key);
begin();
watch(form.dataset.save, ({ stored, now, deadline, closed, token }) => {
  follow(now, deadline);
  outbox.renew(token);
  if (closed && !outbox.size) location.assign(`${location.pathname}/report`);
  adopt(stored);
  showSaved(outbox);
});
