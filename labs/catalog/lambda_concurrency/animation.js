// Plays the recorded evenings at the magical pizza, second by second; nothing moves before somebody asks for it.

const stage = document.getElementById("animation");
const words = stage.dataset;
const slices = [...stage.querySelectorAll(".slice")];
const holders = [...stage.querySelectorAll(".holder")];
const states = [...stage.querySelectorAll(".state")];
const PACE = matchMedia("(prefers-reduced-motion: reduce)").matches ? 2000 : 700;

const { names, evenings } = await (await fetch(new URL("animation.json", import.meta.url))).json();
let second = 0;
let timer = 0;

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

const evening = element("select", { id: "evening", lang: "en" });
evening.append(...evenings.map(({ title }, number) => new Option(title, number)));
const label = element("label", { htmlFor: "evening", textContent: words.scene });
const play = element("button", { className: "button quiet", type: "button" });
const step = element("button", { className: "button quiet", type: "button", textContent: words.step });
const said = element("p", { className: "meta", lang: "en" });
const buttons = element("p", { className: "row" });
buttons.append(play, step);
const field = element("div", { className: "field" });
field.append(label, evening);
stage.append(field, buttons, said);

function show() {
  const { slices: held, waits } = evenings[evening.value].frames[second];
  slices.forEach((slice, place) => {
    const taken = held[place] !== "-";
    slice.classList.toggle("taken", taken);
    holders[place].textContent = taken ? held[place] : "";
  });
  states.forEach((state, friend) => {
    const number = [...held].filter((letter) => letter === names[friend][0]).length;
    state.textContent = `holds ${number}${waits[friend] ? ", waits" : ""}`;
    state.previousElementSibling.previousElementSibling.classList.toggle("accent", waits[friend] > 0);
  });
  const waiting = names.filter((_, friend) => waits[friend]);
  const taken = [...held].filter((letter) => letter !== "-").length;
  said.textContent = `Second ${second}: ${taken} of 8 slices taken; ${waiting.join(", ") || "nobody"} waiting.`;
}

function advance() {
  second = (second + 1) % evenings[evening.value].frames.length;
  show();
}

function turn(on) {
  clearInterval(timer);
  timer = on ? setInterval(advance, PACE) : 0;
  play.textContent = on ? words.pause : words.play;
  // A screen reader hears each step that was asked for, and not what goes on by itself.
  said.setAttribute("aria-live", on ? "off" : "polite");
}

play.addEventListener("click", () => turn(!timer));
step.addEventListener("click", () => {
  turn(false);
  advance();
});
evening.addEventListener("change", () => {
  second = 0;
  show();
});
document.addEventListener("visibilitychange", () => document.hidden && turn(false));
turn(false);
show();
