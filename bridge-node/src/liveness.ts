import type { EventEmitter } from 'node:events';

const CHECK_EVERY_MS = 1_000;
/** A check that comes so late was held up by this process: what the peer sent meanwhile is not read yet. */
const LATE_MS = 2_000;

/**
 * Believes in a connection as long as frames come in. Baileys asks for a sign of life at each interval of
 * its keep-alive, so silence for longer means that nobody is there, whatever the socket says. Baileys by
 * itself notices that only after up to twice its interval plus 5 s.
 */
export class Liveness {
  #heardAtMs = Date.now();
  #checkedAtMs = Date.now();
  readonly #timer: NodeJS.Timeout;

  /** @param frames emits `message` for each frame that comes in */
  constructor(frames: Pick<EventEmitter, 'on'>, timeoutMs: number, onSilence: () => void) {
    frames.on('message', () => {
      this.#heardAtMs = Date.now();
    });
    this.#timer = setInterval(() => {
      const nowMs = Date.now();
      if (nowMs - this.#checkedAtMs > CHECK_EVERY_MS + LATE_MS) this.#heardAtMs = nowMs;
      this.#checkedAtMs = nowMs;
      if (nowMs - this.#heardAtMs >= timeoutMs) onSilence();
    }, CHECK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
