import type { QrCode } from '../generated/ponte/bridge/v1/bridge.js';

/** Baileys shows the first QR for 60 s and each one after it for 20 s. */
const FIRST_QR_MS = 60_000;
const NEXT_QR_MS = 20_000;
/** WhatsApp gives six references for one pairing. */
const MOST_QRS = 6;

/** Knows how long a QR lives, how many may follow, and whether one is on show. */
export class QrClock {
  #shown = 0;
  #showing = false;

  constructor(
    /** How long each lives; 0 for Baileys' own times. */
    readonly lifetimeMs = 0,
    readonly most = MOST_QRS,
  ) {}

  get isShowing(): boolean {
    return this.#showing;
  }

  /** Undefined once as many were shown as may be. */
  show(data: string, nowMs: number): QrCode | undefined {
    if (this.#shown >= this.most) return undefined;
    const lifetimeMs = this.lifetimeMs || (this.#shown === 0 ? FIRST_QR_MS : NEXT_QR_MS);
    this.#shown += 1;
    this.#showing = true;
    return { data, expiresAtMs: nowMs + lifetimeMs };
  }

  hide(): void {
    this.#showing = false;
  }
}
