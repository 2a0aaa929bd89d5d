import type { WASocket } from '@whiskeysockets/baileys';
import type { CloseSignal } from '../close-signal.js';
import type { HistoryRequested, RequestHistory } from '../generated/ponte/bridge/v1/history.js';
import { queryError } from './query-error.js';

export type HistorySocket = Pick<WASocket, 'fetchMessageHistory'>;

/** Asks this number's own phone for what came before a message; its answer comes as part of a history. */
export async function requestHistory(
  sock: HistorySocket,
  closeSignal: CloseSignal,
  { requestId, chatJid, waMessageId, fromMe, sentAtMs, count }: RequestHistory,
): Promise<HistoryRequested> {
  const key = { remoteJid: chatJid, id: waMessageId, fromMe };
  try {
    await closeSignal.race(sock.fetchMessageHistory(count, key, sentAtMs));
    return { requestId, errorCode: '', detail: '' };
  } catch (error) {
    return { requestId, ...queryError(error) };
  }
}
