import { type BinaryNode, getBinaryNodeChild, isJidNewsletter } from '@whiskeysockets/baileys';
import { contactId } from './contact-id.js';
import { decodeMessage, hasContent, type InboundContent, readOrKeep, told } from './inbound.js';

/** Reads what is posted in a channel, which comes in the clear and from nobody; undefined for any other message. */
export function readPost(stanza: BinaryNode): InboundContent | undefined {
  const { id, from, t, offline } = stanza.attrs;
  const plain = getBinaryNodeChild(stanza, 'plaintext')?.content;
  if (!id || !from || !isJidNewsletter(from) || !(plain instanceof Uint8Array)) return undefined;
  const message = decodeMessage(plain);
  if (!message || !hasContent(message)) return undefined;
  return {
    waMessageId: id,
    chatJid: from,
    sender: contactId(),
    chat: contactId(),
    fromMe: false,
    isGroup: true,
    pushName: '',
    sentAtMs: Number(t ?? 0) * 1000,
    offline: offline !== undefined,
    messageProto: Buffer.from(plain),
    ...told(readOrKeep(message)),
  };
}
