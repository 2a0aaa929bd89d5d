import { isJidGroup, type WASocket } from '@whiskeysockets/baileys';

/** What asking anew needs of a Baileys socket. */
export type FreshSocket = Pick<WASocket, 'getUSyncDevices' | 'assertSessions' | 'groupMetadata'>;

/**
 * Asks WhatsApp anew for a recipient's devices and keys (of a group: for its members and their devices),
 * so that what is sent next rests on nothing that was kept. Give the send `useCachedGroupMetadata: false`.
 */
export async function refreshRecipient(sock: FreshSocket, jid: string): Promise<void> {
  if (isJidGroup(jid)) {
    const { participants } = await sock.groupMetadata(jid);
    await sock.getUSyncDevices(
      participants.map(({ id }) => id),
      false,
      false,
    );
    return;
  }
  const devices = await sock.getUSyncDevices([jid], false, false);
  await sock.assertSessions([...new Set([jid, ...devices.map((device) => device.jid)])], true);
}
