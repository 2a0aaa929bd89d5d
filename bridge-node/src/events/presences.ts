import type { PresenceData, WASocket } from '@whiskeysockets/baileys';
import { contactId } from '../contact-id.js';
import { Presence, type PresenceTold } from '../generated/ponte/bridge/v1/chat.js';

type PresenceContent = Omit<PresenceTold, 'companyId' | 'sessionId'>;
type PresenceSocket = Pick<WASocket, 'ev' | 'presenceSubscribe'>;

/** Baileys says `available` of somebody who stopped typing, too. */
const PRESENCES: Record<PresenceData['lastKnownPresence'], Presence> = {
  available: Presence.PRESENCE_AVAILABLE,
  paused: Presence.PRESENCE_AVAILABLE,
  unavailable: Presence.PRESENCE_UNAVAILABLE,
  composing: Presence.PRESENCE_TYPING,
  recording: Presence.PRESENCE_RECORDING,
};

/** Tells what contacts show once somebody wants to know it of any of them. */
export class Presences {
  #listens = false;

  constructor(
    readonly sock: PresenceSocket,
    readonly tell: (content: PresenceContent) => void,
  ) {}

  /** Asks WhatsApp for a contact's presence; WhatsApp forgets it when the connection ends. */
  async watch(jid: string): Promise<void> {
    if (!this.#listens) {
      this.#listens = true;
      this.sock.ev.on('presence.update', ({ id, presences }) => this.#told(id, presences));
    }
    await this.sock.presenceSubscribe(jid);
  }

  #told(chatJid: string, presences: Record<string, PresenceData>): void {
    for (const [person, { lastKnownPresence, lastSeen }] of Object.entries(presences)) {
      const { pnJid: contactPnJid, lidJid: contactLidJid } = contactId(person);
      const presence = PRESENCES[lastKnownPresence];
      if (!presence || !(contactPnJid || contactLidJid)) continue;
      const lastSeenAtMs = lastSeen ? lastSeen * 1000 : 0;
      this.tell({ chatJid, contactPnJid, contactLidJid, presence, lastSeenAtMs });
    }
  }
}
