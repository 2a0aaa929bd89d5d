import { isBoom } from '@hapi/boom';
import type { BinaryNode, GroupMetadata } from '@whiskeysockets/baileys';
// Not among the package's exports, but what its own group functions read with.
import { extractGroupMetadata } from '@whiskeysockets/baileys/lib/Socket/groups.js';
import { boundedMap } from '../bounded-map.js';
import { describeError } from '../logger.js';

/** WhatsApp does not let this number read a group: it is not in it, or there is none. Nothing was sent. */
export class NoGroupError extends Error {
  override readonly name = 'NoGroupError';

  constructor(
    readonly code: number,
    detail: string,
  ) {
    super(detail);
  }

  get isGone(): boolean {
    return GONE.has(this.code);
  }
}

const GONE = new Set([404, 410]);
const REFUSED = new Set([401, 403, ...GONE]);
const MAX_GROUPS = 200;
/** A change is told at once; this is for what WhatsApp might not tell. */
const KNOWN_MS = 30 * 60_000;

/**
 * What WhatsApp says of the groups that are written to: who gets a message, and by which names. Baileys would
 * ask for it before each one.
 */
export class GroupMemory {
  readonly #known = boundedMap<string, Promise<GroupMetadata>>({ most: MAX_GROUPS, ttlMs: KNOWN_MS });

  constructor(
    /** Asks WhatsApp for the stanza that describes a group. */
    readonly ask: (groupJid: string) => Promise<BinaryNode>,
  ) {}

  /** Asks once for all who want to know. Rejects with NoGroupError, or whatever the question fails with. */
  get(groupJid: string): Promise<GroupMetadata> {
    const known = this.#known.get(groupJid);
    if (known) return known;
    const reading = this.#read(groupJid);
    this.#known.set(groupJid, reading);
    reading.catch(() => {
      if (this.#known.get(groupJid) === reading) this.#known.delete(groupJid);
    });
    return reading;
  }

  /** Something is another than it was: who asks next asks WhatsApp. */
  forget(groupJid: string): void {
    this.#known.delete(groupJid);
  }

  async #read(groupJid: string): Promise<GroupMetadata> {
    try {
      return extractGroupMetadata(await this.ask(groupJid));
    } catch (error) {
      const code = isBoom(error) && typeof error.data === 'number' ? error.data : 0;
      throw REFUSED.has(code) ? new NoGroupError(code, describeError(error)) : error;
    }
  }
}
