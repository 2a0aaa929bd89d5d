/** The work was cut off because its session is over. */
export class SessionClosedError extends Error {
  override readonly name = 'SessionClosedError';

  constructor() {
    super('the session is closed');
  }
}

/**
 * A session's end. Baileys leaves calls pending for ever after a local `end()`, and a query that
 * times out resolves with undefined, so each call is raced against this.
 */
export class CloseSignal {
  #fired = false;
  readonly #listeners = new Set<() => void>();

  get fired(): boolean {
    return this.#fired;
  }

  fire(): void {
    this.#fired = true;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  /** Settles as `work` does, or rejects with SessionClosedError when the session ends first. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const onClose = () => reject(new SessionClosedError());
      if (this.#fired) onClose();
      this.#listeners.add(onClose);
      work.then(resolve, reject).finally(() => this.#listeners.delete(onClose));
    });
  }
}
