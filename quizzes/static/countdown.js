// The countdown of an attempt: the server's clock, carried on by the page's monotonic one.

const MINUTE = 60000;
const ANNOUNCED = [30, 15, 5, 1];

export class Countdown {
  constructor(now, deadline, { show, announce, end }) {
    Object.assign(this, { show, announce, end, ended: false, last: Infinity });
    this.calibrate(now, deadline);
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
    this.show(words(left), left <= 5 * MINUTE);
    for (const minutes of ANNOUNCED) {
      if (this.last > minutes * MINUTE && left <= minutes * MINUTE && this.last !== Infinity) {
        this.announce(minutes === 1 ? "One minute is left." : `${minutes} minutes are left.`);
      }
    }
    if (this.last > 30000 && left <= 30000 && this.last !== Infinity && left > 0) this.announce("30 seconds are left.");
    this.last = left;
    if (left === 0 && !this.ended) {
      this.ended = true;
      this.end();
    }
  }
}

function words(left) {
  if (left > MINUTE) {
    const minutes = Math.ceil(left / MINUTE);
    const hours = Math.floor(minutes / 60);
    return hours ? `${hours} h ${String(minutes % 60).padStart(2, "0")} min` : `${minutes} min`;
  }
  return `${Math.ceil(left / 1000)} s`;
}
