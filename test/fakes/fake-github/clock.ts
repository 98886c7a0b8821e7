/** The fake's time: it stands still until a test moves it. */
export class Clock {
  now: Date;
  #passedMs = 0;

  constructor(now: Date) {
    this.now = now;
  }

  after(ms: number): Date {
    return new Date(this.now.getTime() + ms);
  }

  passDays(days: number): void {
    const ms = days * 86_400_000;
    this.now = this.after(ms);
    this.#passedMs += ms;
  }

  /** A time that a client, whose clock was not moved, has reckoned. */
  ofClient(time: string): Date {
    return new Date(Date.parse(time) + this.#passedMs);
  }
}
