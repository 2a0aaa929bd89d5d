import type { WASocket } from '@whiskeysockets/baileys';
import type { CloseSignal } from '../close-signal.js';
import { type ActOnChat, type ChatActed, ChatAction } from '../generated/ponte/bridge/v1/chat.js';
import { queryError } from './query-error.js';

type ActingSocket = Pick<WASocket, 'sendPresenceUpdate' | 'updateBlockStatus'>;
type Watch = (jid: string) => Promise<void>;

/** Shows typing or recording in a chat, blocks its contact, or watches what the contact shows. */
export async function actOnChat(
  sock: ActingSocket,
  watch: Watch,
  closeSignal: CloseSignal,
  { requestId, chatJid, action }: ActOnChat,
): Promise<ChatActed> {
  try {
    await closeSignal.race(act(sock, watch, chatJid, action));
    return { requestId, errorCode: '', detail: '' };
  } catch (error) {
    return { requestId, ...queryError(error) };
  }
}

function act(sock: ActingSocket, watch: Watch, jid: string, action: ChatAction): Promise<void> {
  switch (action) {
    case ChatAction.CHAT_ACTION_TYPING:
      return sock.sendPresenceUpdate('composing', jid);
    case ChatAction.CHAT_ACTION_RECORDING:
      return sock.sendPresenceUpdate('recording', jid);
    case ChatAction.CHAT_ACTION_PAUSED:
      return sock.sendPresenceUpdate('paused', jid);
    case ChatAction.CHAT_ACTION_BLOCK:
      return sock.updateBlockStatus(jid, 'block');
    case ChatAction.CHAT_ACTION_UNBLOCK:
      return sock.updateBlockStatus(jid, 'unblock');
    case ChatAction.CHAT_ACTION_WATCH_PRESENCE:
      return watch(jid);
    default:
      return Promise.reject(new Error('an action of a newer contract'));
  }
}
