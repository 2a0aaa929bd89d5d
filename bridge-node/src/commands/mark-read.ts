import type { WASocket } from '@whiskeysockets/baileys';
import type { CloseSignal } from '../close-signal.js';
import type { MarkedRead, MarkRead } from '../generated/ponte/bridge/v1/bridge.js';
import { queryError } from './query-error.js';

/** Sends read receipts, as the account's privacy settings allow. */
export async function markRead(
  sock: Pick<WASocket, 'readMessages'>,
  closeSignal: CloseSignal,
  { requestId, chatJid, participantJid, waMessageIds }: MarkRead,
): Promise<MarkedRead> {
  const participant = participantJid || undefined;
  const keys = waMessageIds.map((id) => ({ remoteJid: chatJid, participant, id, fromMe: false }));
  try {
    await closeSignal.race(sock.readMessages(keys));
    return { requestId, errorCode: '', detail: '' };
  } catch (error) {
    return { requestId, ...queryError(error) };
  }
}
