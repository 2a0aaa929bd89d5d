import { isJidGroup, type WASocket } from '@whiskeysockets/baileys';
import type { PreparingSocket } from './recipient-sessions.js';

/** What asking anew needs of a Baileys socket. */
export type FreshSocket = PreparingSocket & Pick<WASocket, 'groupMetadata'>;

/**
 * Asks WhatsApp anew for a recipient's devices and keys (of a group: for its members and their devices),
 * and resolves when they are durable, so that what is sent next rests on nothing that was kept. Give the
 * send `useCachedGroupMetadata: false`.
 */
export async function refreshRecipient(sock: FreshSocket, jid: string): Promise<void> {
  // The key that Baileys' own sends and our decryptions take: none of them may overwrite the other.
  const key = sock.authState.creds.me?.id ?? jid;
  await sock.authState.keys.transaction(() => askAnew(sock, jid), key);
}

async function askAnew(sock: FreshSocket, jid: string): Promise<void> {
  if (isJidGroup(jid)) {
    const { participants } = await sock.groupMetadata(jid);
    const members = participants.map(({ id }) => id);
    await sock.getUSyncDevices(members, false, false);
    return;
  }
  const devices = await sock.getUSyncDevices([jid], false, false);
  await sock.assertSessions([...new Set([jid, ...devices.map((device) => device.jid)])], true);
}
