// The contents list of a lesson: marks the section that is being read.

const links = new Map();
for (const link of document.querySelectorAll('.lesson-contents ol ol a[href^="#"]')) {
  const heading = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (heading) links.set(heading, link);
}

function mark() {
  let current = null;
  for (const heading of links.keys()) {
    if (heading.getBoundingClientRect().top > innerHeight / 3) break;
    current = heading;
  }
  for (const [heading, link] of links) {
    if (heading === current) link.setAttribute("aria-current", "location");
    else link.removeAttribute("aria-current");
  }
}

let waiting = false;
addEventListener(
  "scroll",
  () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      mark();
    });
  },
  { passive: true },
);
mark();
