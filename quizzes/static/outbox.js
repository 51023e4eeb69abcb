// The outbox of an attempt: every change is kept in the browser until the server says that it stores it.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;
const PATIENCE = 8000;

export class Outbox {
  // `address` takes the changes; `storageKey` begins the names under which local storage keeps them, a name for each
  // question, so that two tabs on one attempt never write over what the other keeps; `onChange(outbox)` and
  // `onStored(stored)` tell the page what happened.
  constructor({ address, token, storageKey, onChange, onStored, onClock }) {
    Object.assign(this, { address, token, storageKey, onChange, onStored, onClock });
    this.waiting = this.read();
    this.sending = false;
    this.wait = FIRST_WAIT;
    this.trouble = "";
    this.timer = 0;
    addEventListener("online", () => this.hurry());
    addEventListener("pagehide", () => this.send(true));
    document.addEventListener("visibilitychange", () => document.hidden && this.send(true));
  }

  get size() {
    return Object.keys(this.waiting).length;
  }

  put(change) {
    this.waiting[change.place] = change;
    this.keep(change);
    this.onChange(this);
    this.hurry();
  }

  // A sign-in in another tab gives this visit a new token: every form of this page, and what still waits, goes with it.
  renew(token) {
    if (token === this.token) return;
    this.token = token;
    for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
    this.hurry();
  }

  hurry() {
    clearTimeout(this.timer);
    this.send();
  }

  async send(leaving = false) {
    if (!this.size || (this.sending && !leaving)) return;
    this.sending = true;
    try {
      const answer = await fetch(this.address, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": this.token, Accept: "application/json" },
        body: JSON.stringify({ responses: Object.values(this.waiting) }),
        keepalive: leaving,
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      this.receive(await answer.json());
    } catch (error) {
      this.fail(error.message);
    }
    this.sending = false;
    this.onChange(this);
    if (this.size) this.timer = setTimeout(() => this.send(), this.wait * (0.75 + Math.random() / 2));
  }

  receive(data) {
    this.wait = FIRST_WAIT / 10;
    this.trouble = "";
    this.onClock(data.now, data.deadline, data.closed);
    for (const stored of data.stored) {
      const own = this.waiting[stored.place];
      if (own && stored.revision >= own.revision) delete this.waiting[stored.place];
      this.forget(stored);
    }
    this.onStored(data.stored);
  }

  fail(message) {
    this.wait = Math.min(LONGEST_WAIT, Math.max(FIRST_WAIT, this.wait * 2));
    this.trouble = message;
  }

  read() {
    const found = {};
    try {
      for (const name of Object.keys(localStorage).filter((one) => one.startsWith(`${this.storageKey}-`))) {
        const change = JSON.parse(localStorage.getItem(name));
        found[change.place] = change;
      }
    } catch {
      // Storage may be forbidden; then nothing was kept.
    }
    return found;
  }

  keep(change) {
    try {
      localStorage.setItem(`${this.storageKey}-${change.place}`, JSON.stringify(change));
    } catch {
      // Storage may be full or forbidden; the changes are still in memory and still being sent.
    }
  }

  // What another tab keeps since then is newer than what the server told this one, and stays.
  forget(stored) {
    try {
      const name = `${this.storageKey}-${stored.place}`;
      if (JSON.parse(localStorage.getItem(name))?.revision <= stored.revision) localStorage.removeItem(name);
    } catch {
      // What could not be kept need not be forgotten.
    }
  }
}
