/** What showing presence needs of a Baileys socket. */
export interface PresenceSocket {
  sendPresenceUpdate(type: 'available' | 'unavailable'): Promise<void>;
}

/** As long as a person looks at a chat after writing. */
const SHOWN_FOR_MS = 15_000;

/**
 * Shows the number online while somebody seems to write, and no longer: one that is always online is a program's,
 * and while it is, the phone gets no notifications.
 */
export class ShownPresence {
  #idle: NodeJS.Timeout | undefined;

  constructor(
    readonly sock: PresenceSocket,
    readonly shownForMs = SHOWN_FOR_MS,
  ) {}

  /** Shows the number online from now on, for a while. What cannot be shown is left out. */
  show(): void {
    if (this.#idle) clearTimeout(this.#idle);
    else this.sock.sendPresenceUpdate('available').catch(() => undefined);
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      this.sock.sendPresenceUpdate('unavailable').catch(() => undefined);
    }, this.shownForMs);
  }

  /** The session has ended; WhatsApp shows it offline by itself. */
  end(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
  }
}
