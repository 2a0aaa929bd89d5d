import { isJidGroup } from '@whiskeysockets/baileys';
import type { GroupMemory } from '../groups/group-memory.js';
import type { PreparingSocket } from './recipient-sessions.js';

/**
 * Asks WhatsApp anew for a recipient's devices and keys (of a group: for its members and their devices),
 * and resolves when they are durable, so that what is sent next rests on nothing that was kept. What `groups`
 * had of the group is forgotten before.
 */
export async function refreshRecipient(
  sock: PreparingSocket,
  groups: GroupMemory,
  jid: string,
): Promise<void> {
  const members = isJidGroup(jid) ? (await groups.get(jid)).participants.map(({ id }) => id) : undefined;
  // The key that Baileys' own sends and our decryptions take: none of them may overwrite the other.
  const key = sock.authState.creds.me?.id ?? jid;
  await sock.authState.keys.transaction(() => askAnew(sock, jid, members), key);
}

async function askAnew(sock: PreparingSocket, jid: string, members: string[] | undefined): Promise<void> {
  if (members) {
    await sock.getUSyncDevices(members, false, false);
    return;
  }
  const devices = await sock.getUSyncDevices([jid], false, false);
  await sock.assertSessions([...new Set([jid, ...devices.map((device) => device.jid)])], true);
}
