import {
  isJidBroadcast,
  isJidGroup,
  isJidNewsletter,
  isJidStatusBroadcast,
  jidNormalizedUser,
  proto,
} from '@whiskeysockets/baileys';
import { contactId } from '../contact-id.js';
import type { ContactId } from '../generated/ponte/bridge/v1/bridge.js';
import type { HistoryMessage } from '../generated/ponte/bridge/v1/history.js';
import { hasContent, readOrKeep, told } from '../inbound.js';

/** Of an own message of which the phone does not say how far it came. */
const SERVER_ACK = proto.WebMessageInfo.Status.SERVER_ACK;

/** Reads the messages of people out of a part of a history: what WhatsApp tells by itself is none. */
export class HistoryReader {
  readonly #history: proto.IHistorySync;
  /** The other name of whoever has two. */
  readonly #otherName = new Map<string, string>();

  constructor(history: proto.IHistorySync) {
    this.#history = history;
    for (const { pnJid, lidJid } of history.phoneNumberToLidMappings ?? []) {
      if (!pnJid || !lidJid) continue;
      this.#otherName.set(pnJid, lidJid);
      this.#otherName.set(lidJid, pnJid);
    }
  }

  *messages(): Generator<HistoryMessage> {
    for (const chat of this.#history.conversations ?? []) {
      const chatJid = jidNormalizedUser(chat.id ?? '');
      if (!chatJid || isJidStatusBroadcast(chatJid) || isJidBroadcast(chatJid) || isJidNewsletter(chatJid)) {
        continue;
      }
      for (const item of chat.messages ?? []) {
        const message = this.#read(chat, chatJid, item);
        if (message) yield message;
      }
    }
  }

  #read(
    chat: proto.IConversation,
    chatJid: string,
    { message: info, msgOrderId }: proto.IHistorySyncMsg,
  ): HistoryMessage | undefined {
    const { key, message } = info ?? {};
    if (!info || !key?.id || !message || !hasContent(message)) return undefined;
    const isGroup = isJidGroup(chatJid) === true;
    const fromMe = key.fromMe === true;
    const contact = isGroup
      ? this.#pair(fromMe ? '' : (info.participant ?? key.participant))
      : this.#pair(chatJid, chat.pnJid, chat.lidJid);
    return {
      waMessageId: key.id,
      chatJid,
      contactPnJid: contact.pnJid,
      contactLidJid: contact.lidJid,
      fromMe,
      isGroup,
      pushName: info.pushName ?? '',
      sentAtMs: Number(info.messageTimestamp ?? 0) * 1000,
      place: Number(msgOrderId ?? 0),
      waStatus: Object.hasOwn(info, 'status') ? (info.status ?? SERVER_ACK) : SERVER_ACK,
      messageProto: Buffer.from(proto.Message.encode(message).finish()),
      ...told(readOrKeep(message)),
    };
  }

  #pair(...jids: (string | null | undefined)[]): ContactId {
    const pair = contactId(...jids);
    return contactId(pair.pnJid, pair.lidJid, this.#otherName.get(pair.pnJid || pair.lidJid));
  }
}
