import libsignal from 'libsignal';

/** What libsignal's JavaScript has and its types leave out. */
interface SessionEntry {
  indexInfo: { used: number };
  pendingPreKey?: unknown;
  serialize(): object;
  constructor: { deserialize(data: object): SessionEntry };
}

interface CipherInternals {
  doDecryptWhisperMessage(data: Uint8Array, session: SessionEntry): Promise<Buffer>;
  decryptWithSessions(
    data: Uint8Array,
    sessions: SessionEntry[],
  ): Promise<{ session: SessionEntry; plaintext: Buffer }>;
}

/**
 * Makes libsignal try each session on a copy.
 *
 * Two devices that write to each other first at the same moment have two sessions. libsignal 6.0.0
 * tries them in turn, and a failed try has already moved the wrong session's ratchet, which is then
 * stored: messages of that session can never be decrypted again, and are asked for anew, out of order.
 */
export function keepSessionsFromFailedAttempts(): void {
  const prototype = libsignal.SessionCipher.prototype as unknown as CipherInternals;
  prototype.decryptWithSessions = async function (data, sessions) {
    let usedKey: unknown;
    for (const session of sessions) {
      const attempt = session.constructor.deserialize(session.serialize());
      try {
        const plaintext = await this.doDecryptWhisperMessage(data, attempt);
        delete session.pendingPreKey;
        Object.assign(session, attempt);
        session.indexInfo.used = Date.now();
        return { session, plaintext };
      } catch (error) {
        if (error instanceof Error && error.name === 'MessageCounterError') usedKey = error;
      }
    }
    // A key that was used before tells more than the other sessions' failed checks.
    throw usedKey ?? new Error('No matching sessions found for message');
  };
}
