// The countdown of an attempt: the server's clock, carried on by the page's monotonic one.
// `say(name, values)` returns a sentence in the page's language.

const MINUTE = 60000;
const ANNOUNCED = [30, 15, 5, 1];

export class Countdown {
  // `unlimited` is what to show of an attempt without a time limit, or nothing.
  constructor(now, deadline, { unlimited, say, show, announce, end }) {
    Object.assign(this, { say, show, announce, end, ended: false, last: Infinity });
    this.calibrate(now, deadline);
    if (unlimited) {
      show(unlimited, false);
      return;
    }
    this.tick();
    setInterval(() => this.tick(), 500);
  }

  calibrate(now, deadline) {
    this.offset = now - performance.now();
    this.deadline = deadline;
  }

  // The server's time in milliseconds since 1970, as this page reckons it.
  get now() {
    return Math.round(this.offset + performance.now());
  }

  get left() {
    return Math.max(0, this.deadline - this.now);
  }

  tick() {
    const left = this.left;
    this.show(this.words(left), left <= 5 * MINUTE);
    const passed = (minutes) => this.last > minutes * MINUTE && left <= minutes * MINUTE;
    if (ANNOUNCED.some(passed) && this.last !== Infinity && left > 0) {
      const count = Math.ceil(left / MINUTE);
      this.announce(this.say(count === 1 ? "leftOne" : "leftMany", { count }));
    }
    if (this.last > 30000 && left <= 30000 && this.last !== Infinity && left > 0) {
      this.announce(this.say("leftSeconds"));
    }
    this.last = left;
    if (left === 0 && !this.ended) {
      this.ended = true;
      this.end();
    }
  }

  words(left) {
    if (left <= MINUTE) return this.say("seconds", { seconds: Math.ceil(left / 1000) });
    const minutes = Math.ceil(left / MINUTE);
    const hours = Math.floor(minutes / 60);
    if (!hours) return this.say("minutes", { minutes });
    return this.say("hours", { hours, minutes: String(minutes % 60).padStart(2, "0") });
  }
}
