import {
  type AuthenticationState,
  type Contact,
  isJidGroup,
  isLidUser,
  jidNormalizedUser,
  type SignalKeyStoreWithTransaction,
  type WASocket,
} from '@whiskeysockets/baileys';
import { boundedMap } from '../bounded-map.js';
import type { GroupMemory } from '../groups/group-memory.js';

/** What preparing needs of a Baileys socket. */
export type PreparingSocket = Pick<WASocket, 'getUSyncDevices' | 'assertSessions'> & {
  authState: {
    creds: AuthenticationState['creds'];
    keys: Pick<SignalKeyStoreWithTransaction, 'transaction'>;
  };
};

/** Sooner than Baileys forgets a number's devices (DEFAULT_CACHE_TTLS.USER_DEVICES, 5 minutes). */
const FRESH_MS = 4 * 60_000;
const MAX_FRESH = 20_000;

/**
 * Makes the Signal sessions with a recipient, and with this number's own other devices, durable before
 * the first message is encrypted in them.
 *
 * Baileys starts new sessions with each device query that its cache does not answer, and stores them
 * only after the stanza is out. A crash or a database that is away in between would leave the
 * recipient writing in a session that nobody here knows: each of its messages would have to be asked
 * for again, and would arrive behind later ones.
 */
export class RecipientSessions {
  readonly #fresh = boundedMap<string, true>({ most: MAX_FRESH, ttlMs: FRESH_MS });

  constructor(
    readonly sock: PreparingSocket,
    readonly groups: GroupMemory,
  ) {}

  /**
   * Does nothing for a recipient that is prepared; of a group, and of a status' `audience` of jids, all are asked about
   * in one query. Rejects when WhatsApp or the store does not answer.
   */
  async prepare(chatJid: string, audience: readonly string[] = []): Promise<void> {
    const me = this.sock.authState.creds.me;
    if (!me) return;
    const recipients = audience.length > 0 ? audience : await this.#recipients(chatJid, me);
    const stale = recipients.filter((jid) => !this.#fresh.has(jid));
    if (stale.length === 0) return;
    // The key that Baileys' own sends and our decryptions take: none of them may overwrite the other.
    await this.sock.authState.keys.transaction(async () => {
      const devices = await this.sock.getUSyncDevices(stale, false, false);
      const exactlyUs = new Set([me.id, me.lid]);
      await this.sock.assertSessions(devices.map(({ jid }) => jid).filter((jid) => !exactlyUs.has(jid)));
    }, me.id);
    for (const jid of stale) this.#fresh.set(jid, true);
  }

  /** A group's members are this number too. */
  async #recipients(chatJid: string, me: Contact): Promise<string[]> {
    if (isJidGroup(chatJid)) return (await this.groups.get(chatJid)).participants.map(({ id }) => id);
    return [jidNormalizedUser(isLidUser(chatJid) && me.lid ? me.lid : me.id), chatJid];
  }
}
