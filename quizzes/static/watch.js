// Watches an attempt for what another tab or device answers: told within five seconds, while this page is looked at.

const PAUSE = 4000;
const PATIENCE = 3500;
const APART = 500;

// `address` tells the answers; `tell(state)` is called where something has changed since the last time: an answer, the
// deadline, the token of the page's forms (after a sign-in in another tab), or this page's clock against the server's
// (after the machine slept, for the page's clock then stood still).
export function watch(address, tell) {
  let known = { version: -1 };
  let looking = false;

  function changed(state) {
    const apart = Math.abs(state.offset - known.offset) > APART;
    return apart || ["version", "deadline", "token"].some((name) => state[name] !== known[name]);
  }

  async function look() {
    if (document.hidden || looking) return;
    looking = true;
    try {
      const answer = await fetch(`${address}?version=${known.version}`, {
        headers: { Accept: "application/json" },
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (answer.ok) {
        const state = await answer.json();
        state.offset = state.now - performance.now();
        if (changed(state) || state.closed) tell(state);
        known = state;
      }
    } catch {
      // The outbox tells the learner when the server is away; looking goes on.
    }
    looking = false;
  }

  document.addEventListener("visibilitychange", look);
  setInterval(look, PAUSE);
}
