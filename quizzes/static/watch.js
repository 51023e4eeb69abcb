// Watches an attempt for what another tab or device answers: told within five seconds, while this page is looked at.

const PAUSE = 4000;
const PATIENCE = 3500;

// `address` tells the answers; `tell(state)` is called where something has changed since the last time.
export function watch(address, tell) {
  let version = -1;
  let looking = false;

  async function look() {
    if (document.hidden || looking) return;
    looking = true;
    try {
      const answer = await fetch(`${address}?version=${version}`, {
        headers: { Accept: "application/json" },
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (answer.ok) {
        const state = await answer.json();
        if (state.version !== version || state.closed) tell(state);
        version = state.version;
      }
    } catch {
      // The outbox tells the learner when the server is away; looking goes on.
    }
    looking = false;
  }

  document.addEventListener("visibilitychange", look);
  setInterval(look, PAUSE);
}
