/** For how long each gateway may hold its sessions. One that is frozen or hangs says nothing, and its time passes. */
export class Holders {
  readonly #limits = new Map<string, { until: number; timer: NodeJS.Timeout }>();
  readonly #onOver: (holder: string) => void;

  /** `onOver` is called once each time that a holder's time has passed. */
  constructor(onOver: (holder: string) => void) {
    this.#onOver = onOver;
  }

  /** The holder's time lasts `validForMs` from now on; what it said before counts no longer. */
  extend(holder: string, validForMs: number): void {
    clearTimeout(this.#limits.get(holder)?.timer);
    const timer = setTimeout(() => this.#onOver(holder), validForMs);
    timer.unref();
    this.#limits.set(holder, { until: performance.now() + validForMs, timer });
  }

  /** Whether the holder's time has passed; a holder that never said how long has no limit. */
  isOver(holder: string): boolean {
    const limit = this.#limits.get(holder);
    return limit !== undefined && performance.now() >= limit.until;
  }

  stop(): void {
    for (const { timer } of this.#limits.values()) clearTimeout(timer);
  }
}
