// Reading offline: registers the service worker for the lessons, and keeps a whole course on request.

const policy = globalThis.trustedTypes?.createPolicy("sw", { createScriptURL: (address) => address });
const script = policy ? policy.createScriptURL("/sw.js") : "/sw.js";

async function begin() {
  // A browser that somebody else used keeps their pages no longer.
  const reader = document.querySelector('meta[name="reader"]')?.content ?? "";
  if (localStorage.getItem("reader") !== reader) {
    await caches.delete("lessons");
    localStorage.setItem("reader", reader);
  }
  await navigator.serviceWorker.register(script, { scope: "/learn" });
}

async function keep(button, status) {
  const pages = [...document.querySelectorAll("#course-contents a")].map((link) => link.href);
  button.disabled = true;
  try {
    const cache = await caches.open("lessons");
    for (const page of [location.href, ...pages]) {
      const answer = await fetch(page);
      if (!answer.ok) throw new Error(page);
      await keepFiles(await answer.clone().text());
      await cache.put(page, answer);
    }
    status.textContent = button.dataset.kept;
  } catch {
    status.textContent = button.dataset.failed;
  }
  button.disabled = false;
}

// The style sheets, scripts and fonts that a page names, each under an address that changes with its content.
async function keepFiles(text) {
  const files = await caches.open("files");
  for (const [, address] of text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)) {
    if (!(await files.match(address))) await files.add(address);
  }
}

if ("serviceWorker" in navigator) {
  begin().then(() => {
    const button = document.getElementById("keep-offline");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => keep(button, document.getElementById("kept-offline")));
  });
}
