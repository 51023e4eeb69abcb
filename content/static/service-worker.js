// Answers for the lessons: from the network while there is one, from what was kept when there is none.
// Only addresses under /learn and files with a content hash are ever kept; exams, keys and accounts never are.

const LESSONS = "lessons";
const FILES = "files";
const OFFLINE = "/learn/offline";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(FILES).then((cache) => cache.add(OFFLINE)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== location.origin) return;
  if (address.pathname.startsWith("/static/") && address.searchParams.has("v")) {
    event.respondWith(file(event.request));
  } else if (event.request.mode === "navigate" && /^\/learn(\/|$)/.test(address.pathname)) {
    event.respondWith(page(event.request, address));
  }
});

async function page(request, address) {
  try {
    const answer = await fetch(request);
    const kept = !/no-store/.test(answer.headers.get("Cache-Control") ?? "");
    if (answer.ok && kept && !answer.redirected && !address.search) {
      const cache = await caches.open(LESSONS);
      await cache.put(address.origin + address.pathname, answer.clone());
    }
    return answer;
  } catch {
    const cache = await caches.open(LESSONS);
    return (await cache.match(address.origin + address.pathname)) ?? caches.match(OFFLINE);
  }
}

async function file(request) {
  const cache = await caches.open(FILES);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}
