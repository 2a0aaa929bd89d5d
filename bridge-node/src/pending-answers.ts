interface Waiting<T> {
  resolve(answer: T): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** Questions that were sent as events and wait for their command: bounded in number and in time. */
export class PendingAnswers<T> {
  readonly #waiting = new Map<number, Waiting<T>>();
  #lastId = 0;

  constructor(
    readonly name: string,
    readonly timeoutMs: number,
    readonly limit: number,
  ) {}

  /**
   * Calls `ask` with a new request id and waits for `answer` of that id.
   * Rejects after `timeoutMs`, when `limit` questions wait already, and on `rejectAll`.
   */
  ask(ask: (requestId: number) => void): Promise<T> {
    if (this.#waiting.size >= this.limit) return Promise.reject(new Error(`${this.name}: too many pending`));
    this.#lastId += 1;
    const requestId = this.#lastId;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(requestId);
        reject(new Error(`${this.name}: no answer in ${this.timeoutMs} ms`));
      }, this.timeoutMs);
      this.#waiting.set(requestId, { resolve, reject, timer });
      ask(requestId);
    });
  }

  /** Returns whether anybody waited for it. */
  answer(requestId: number, answer: T): boolean {
    const waiting = this.#waiting.get(requestId);
    if (!waiting) return false;
    this.#waiting.delete(requestId);
    clearTimeout(waiting.timer);
    waiting.resolve(answer);
    return true;
  }

  rejectAll(error: Error): void {
    for (const waiting of this.#waiting.values()) {
      clearTimeout(waiting.timer);
      waiting.reject(error);
    }
    this.#waiting.clear();
  }
}
