// The outbox of an attempt: every change is kept in the browser until the server says that it stores it.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;
const PATIENCE = 8000;

export class Outbox {
  // `address` takes the changes; `storageKey` names their place in local storage; `onChange(outbox)` and
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
    this.write();
    this.onChange(this);
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
    }
    this.write();
    this.onStored(data.stored);
  }

  fail(message) {
    this.wait = Math.min(LONGEST_WAIT, Math.max(FIRST_WAIT, this.wait * 2));
    this.trouble = message;
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.storageKey)) ?? {};
    } catch {
      return {};
    }
  }

  write() {
    try {
      if (this.size) localStorage.setItem(this.storageKey, JSON.stringify(this.waiting));
      else localStorage.removeItem(this.storageKey);
    } catch {
      // Storage may be full or forbidden; the changes are still in memory and still being sent.
    }
  }
}
