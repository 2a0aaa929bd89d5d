import { areJidsSameUser, type BinaryNode, getBinaryNodeChildren } from '@whiskeysockets/baileys';
import { type Receipt, ReceiptKind } from '../generated/ponte/bridge/v1/bridge.js';
import type { Me } from '../inbound.js';

export type ReceiptContent = Omit<Receipt, 'companyId' | 'sessionId' | 'requestId'>;

/** `inactive` is what a device that is not in the foreground sends: delivered all the same. */
const KIND_BY_TYPE: Record<string, ReceiptKind> = {
  '': ReceiptKind.RECEIPT_KIND_DELIVERED,
  inactive: ReceiptKind.RECEIPT_KIND_DELIVERED,
  read: ReceiptKind.RECEIPT_KIND_READ,
  played: ReceiptKind.RECEIPT_KIND_PLAYED,
};

/**
 * Reads a <receipt> stanza about messages of this number; undefined for receipts of own devices and
 * for retry, read-self and other housekeeping. Read from the stanza because Baileys folds early
 * receipts into other events.
 */
export function readReceipt({ attrs, content }: BinaryNode, me: Me): ReceiptContent | undefined {
  const kind = KIND_BY_TYPE[attrs.type ?? ''];
  const author = attrs.participant ?? attrs.from ?? '';
  const isOwnDevice = areJidsSameUser(author, me.id) || areJidsSameUser(author, me.lid);
  if (!kind || !attrs.from || !attrs.id || attrs.recipient || isOwnDevice) return undefined;
  const list = Array.isArray(content) ? content.find((child) => child.tag === 'list') : undefined;
  const more = list ? getBinaryNodeChildren(list, 'item').flatMap((item) => item.attrs.id ?? []) : [];
  return {
    waMessageIds: [...new Set([attrs.id, ...more])],
    chatJid: withoutDevice(attrs.from),
    participantJid: attrs.participant ? withoutDevice(attrs.participant) : '',
    kind,
    atMs: Number(attrs.t ?? 0) * 1000,
    code: 0,
  };
}

function withoutDevice(jid: string): string {
  return jid.replace(/:\d+@/, '@');
}
