import type { proto } from '@whiskeysockets/baileys';
import type { PhoneFile } from './phone-files.ts';

export type MessageStatus = 'received' | 'sent' | 'delivered' | 'read';

/** A message as a virtual phone knows it. Numbers are E.164. */
export interface PhoneMessage {
  id: string;
  from: string;
  to: string;
  text: string | null;
  /** Field of the message's protobuf that carries its content, `text` for both kinds of text. */
  kind: string;
  /** Arrival at the server: milliseconds since the epoch, with fractions. */
  at_ms: number;
  /** This phone has decrypted this id from this sender before. */
  duplicate: boolean;
  from_me: boolean;
  /** Written on this phone itself, as against received or copied from a linked device. */
  sent_here: boolean;
  status: MessageStatus;
  /** Address of the group that it was said in; `to` is the same. */
  group?: string;
  /** Of this account's messages in groups: how far each other member is, by number. */
  receipts?: Record<string, MessageStatus>;
  /** Addresses of those whom it mentions. */
  mentioned?: string[];
  /** Id of the message that it answers or reacts to. */
  about?: string;
  /** What it carries. */
  file?: PhoneFile;
}

/** Whom a message mentions and which one it is about, where it does. */
export function references(message: proto.IMessage): Pick<PhoneMessage, 'mentioned' | 'about'> {
  const contents = Object.values(message) as ({ contextInfo?: proto.IContextInfo | null } | null)[];
  const context = contents.find((content) => content?.contextInfo)?.contextInfo;
  const about = message.reactionMessage?.key?.id ?? context?.stanzaId;
  const mentioned = context?.mentionedJid ?? [];
  return { ...(mentioned.length > 0 ? { mentioned } : {}), ...(about ? { about } : {}) };
}

/** Kind and text of a message; undefined for what is no chat message (key shares, receipts of state). */
export function describe(message: proto.IMessage): { kind: string; text: string | null } | undefined {
  const text = message.conversation || message.extendedTextMessage?.text;
  if (text) return { kind: 'text', text };
  const inner =
    message.ephemeralMessage?.message ??
    message.viewOnceMessage?.message ??
    message.viewOnceMessageV2?.message ??
    message.documentWithCaptionMessage?.message;
  if (inner) return describe(inner);
  if (message.reactionMessage) return { kind: 'reaction', text: message.reactionMessage.text ?? null };
  const media = message.imageMessage ?? message.videoMessage ?? message.documentMessage;
  const kind = Object.entries(message).find(
    ([name, value]) => value && typeof value === 'object' && name.endsWith('Message') && !IGNORED.has(name),
  )?.[0];
  if (!kind) return undefined;
  return { kind: kind.slice(0, -'Message'.length), text: media?.caption ?? null };
}

const IGNORED = new Set(['protocolMessage', 'senderKeyDistributionMessage', 'deviceSentMessage']);
