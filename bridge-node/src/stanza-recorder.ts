import type { EventEmitter } from 'node:events';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { Slots } from './slots.js';

/** A Baileys connection, which emits each stanza by its name. */
export type StanzaSource = EventEmitter & { readonly isOpen: boolean };

/** Fewer than the gateway lets wait, so that its stream is never held up by one sort of stanza. */
const AT_A_TIME = 500;

/**
 * Makes each receipt, step of a call or change of a group durable before WhatsApp gets its ack. Baileys acknowledges such
 * a stanza as soon as it has seen it, so it sees one only once it is recorded; until then WhatsApp keeps it,
 * and brings it again at the next login.
 */
export class StanzaRecorder<Content> {
  readonly #slots = new Slots(AT_A_TIME);

  constructor(
    /** As Baileys' connection emits it, for instance `CB:receipt`. */
    readonly name: string,
    /** Undefined for a stanza that is not recorded. */
    readonly read: (stanza: BinaryNode) => Content | undefined,
    /** Resolves when the stanza is durable; a rejection leaves it without its ack. */
    readonly record: (content: Content) => Promise<void>,
  ) {}

  /** Stands between the connection and Baileys' own listeners. What is not recorded goes through at once. */
  takeOver(ws: StanzaSource): void {
    const handlers = ws.listeners(this.name) as ((stanza: BinaryNode) => unknown)[];
    ws.removeAllListeners(this.name);
    ws.on(this.name, (stanza: BinaryNode) => {
      const handOver = () => {
        if (ws.isOpen) for (const handle of handlers) handle(stanza);
      };
      const content = this.read(stanza);
      if (!content) return handOver();
      this.#slots.run(() => this.record(content)).then(handOver, () => undefined);
    });
  }
}
