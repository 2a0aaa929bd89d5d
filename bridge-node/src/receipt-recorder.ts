import type { EventEmitter } from 'node:events';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { type ReceiptContent, readReceipt } from './events/receipts.js';
import type { Me } from './inbound.js';
import { Slots } from './slots.js';

/** A Baileys connection, which emits each stanza by its name. */
export type ReceiptSource = EventEmitter & { readonly isOpen: boolean };

/** Fewer than the gateway lets wait, so that its stream is never held up by receipts. */
const AT_A_TIME = 500;

/**
 * Makes each receipt durable before WhatsApp gets its ack. Baileys acknowledges a receipt as soon as it
 * has seen it, so it sees one only once it is recorded; until then WhatsApp keeps it, and brings it again
 * at the next login.
 */
export class ReceiptRecorder {
  readonly #slots = new Slots(AT_A_TIME);

  constructor(
    readonly me: () => Me,
    /** Resolves when the receipt is durable; a rejection leaves it without its ack. */
    readonly record: (content: ReceiptContent) => Promise<void>,
  ) {}

  /** Stands between the connection and Baileys' own listeners. What is not recorded goes through at once. */
  takeOver(ws: ReceiptSource): void {
    const handlers = ws.listeners('CB:receipt') as ((stanza: BinaryNode) => unknown)[];
    ws.removeAllListeners('CB:receipt');
    ws.on('CB:receipt', (stanza: BinaryNode) => {
      const handOver = () => {
        if (ws.isOpen) for (const handle of handlers) handle(stanza);
      };
      const content = readReceipt(stanza, this.me());
      if (!content) return handOver();
      this.#slots.run(() => this.record(content)).then(handOver, () => undefined);
    });
  }
}
