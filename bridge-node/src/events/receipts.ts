import {
  areJidsSameUser,
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
} from '@whiskeysockets/baileys';
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
 * receipts into other events, and reads of a group's collected receipts nothing.
 */
export function readReceipts(stanza: BinaryNode, me: Me): ReceiptContent[] | undefined {
  const kind = KIND_BY_TYPE[stanza.attrs.type ?? ''];
  if (!kind || !stanza.attrs.from || !stanza.attrs.id || stanza.attrs.recipient) return undefined;
  const receipts = getBinaryNodeChild(stanza, 'participants')
    ? readCollected(stanza, kind)
    : [readOne(stanza, kind)];
  const isOwn = ({ chatJid, participantJid }: ReceiptContent) => {
    const author = participantJid || chatJid;
    return areJidsSameUser(author, me.id) || areJidsSameUser(author, me.lid);
  };
  const told = receipts.filter((receipt) => !isOwn(receipt));
  return told.length > 0 ? told : undefined;
}

/** What several members did with messages of a group, in one stanza. */
function readCollected(stanza: BinaryNode, kind: ReceiptKind): ReceiptContent[] {
  const whole = readOne(stanza, kind);
  return getBinaryNodeChildren(stanza, 'participants').flatMap((list) =>
    getBinaryNodeChildren(list, 'user').flatMap(({ attrs: { jid, t } }) => {
      if (!jid) return [];
      const one = { ...whole, participantJid: withoutDevice(jid), atMs: Number(t) * 1000 || whole.atMs };
      return [list.attrs.key ? { ...one, waMessageIds: [list.attrs.key] } : one];
    }),
  );
}

function readOne({ attrs, content }: BinaryNode, kind: ReceiptKind): ReceiptContent {
  const list = Array.isArray(content) ? content.find((child) => child.tag === 'list') : undefined;
  const more = list ? getBinaryNodeChildren(list, 'item').flatMap((item) => item.attrs.id ?? []) : [];
  return {
    waMessageIds: [...new Set([...(attrs.id ? [attrs.id] : []), ...more])],
    chatJid: withoutDevice(attrs.from ?? ''),
    participantJid: attrs.participant ? withoutDevice(attrs.participant) : '',
    kind,
    atMs: Number(attrs.t ?? 0) * 1000,
    code: 0,
  };
}

function withoutDevice(jid: string): string {
  return jid.replace(/:\d+@/, '@');
}
