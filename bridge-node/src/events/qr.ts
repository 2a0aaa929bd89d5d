import type { QrCode } from '../generated/ponte/bridge/v1/bridge.js';

/** Baileys shows the first QR for 60 s and each one after it for 20 s. */
const FIRST_QR_MS = 60_000;
const NEXT_QR_MS = 20_000;

/** Knows how long a QR lives, and whether one is on show. */
export class QrClock {
  #shown = 0;
  #showing = false;

  get isShowing(): boolean {
    return this.#showing;
  }

  show(data: string, nowMs: number): QrCode {
    const lifetimeMs = this.#shown === 0 ? FIRST_QR_MS : NEXT_QR_MS;
    this.#shown += 1;
    this.#showing = true;
    return { data, expiresAtMs: nowMs + lifetimeMs };
  }

  hide(): void {
    this.#showing = false;
  }
}
