import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { readReceipts } from '../src/events/receipts.js';
import { ReceiptKind } from '../src/generated/ponte/bridge/v1/bridge.js';

const ME = { id: '5511900000000:3@s.whatsapp.net', lid: '900:3@lid' };
const base = { id: 'A', from: '5511911111111:2@s.whatsapp.net', t: '1700000000' };

const receipts = (attrs: Record<string, string>, content?: BinaryNode[]) =>
  readReceipts({ tag: 'receipt', attrs: { ...base, ...attrs }, ...(content ? { content } : {}) }, ME);
const receipt = (attrs: Record<string, string>, items?: BinaryNode[]) => {
  const read = receipts(attrs, items && [{ tag: 'list', attrs: {}, content: items }]);
  expect(read?.length ?? 1).toBe(1);
  return read?.[0];
};

describe('readReceipts', () => {
  it.each([
    [{}, ReceiptKind.RECEIPT_KIND_DELIVERED],
    [{ type: 'inactive' }, ReceiptKind.RECEIPT_KIND_DELIVERED],
    [{ type: 'read' }, ReceiptKind.RECEIPT_KIND_READ],
    [{ type: 'played' }, ReceiptKind.RECEIPT_KIND_PLAYED],
  ])('%j', (attrs, kind) => {
    expect(receipt(attrs)).toEqual({
      waMessageIds: ['A'],
      chatJid: '5511911111111@s.whatsapp.net',
      participantJid: '',
      kind,
      atMs: 1700000000000,
      code: 0,
    });
  });

  it('takes the ids of the list as well', () => {
    const items = ['B', 'C', 'A'].map((id) => ({ tag: 'item', attrs: { id } }));
    expect(receipt({ type: 'read' }, items)?.waMessageIds).toEqual(['A', 'B', 'C']);
  });

  it('names the participant of a group', () => {
    expect(receipt({ from: '1@g.us', participant: '911:1@lid' })).toMatchObject({
      chatJid: '1@g.us',
      participantJid: '911@lid',
    });
  });

  it('takes the receipts of several members of a group in one stanza, but not our own', () => {
    const user = (jid: string, t: string) => ({ tag: 'user', attrs: { jid, t } });
    const list = (key: string, ...content: BinaryNode[]) => ({
      tag: 'participants',
      attrs: { key },
      content,
    });
    const read = receipts({ from: '1@g.us', type: 'read' }, [
      list('A', user('911:1@lid', '1700000001'), user('900@lid', '1700000002')),
      list('B', user('922@lid', '')),
    ]);
    const common = { chatJid: '1@g.us', kind: ReceiptKind.RECEIPT_KIND_READ, code: 0 };
    expect(read).toEqual([
      { ...common, waMessageIds: ['A'], participantJid: '911@lid', atMs: 1700000001000 },
      { ...common, waMessageIds: ['B'], participantJid: '922@lid', atMs: 1700000000000 },
    ]);
  });

  it.each([
    [{ type: 'retry' }],
    [{ type: 'read-self' }],
    [{ type: 'sender' }],
    [{ from: '5511900000000:1@s.whatsapp.net' }],
    [{ from: '900:1@lid' }],
    [{ from: '1@g.us', participant: '900@lid' }],
    [{ recipient: '5511922222222@s.whatsapp.net' }],
  ])('skips %j', (attrs) => {
    expect(receipt(attrs)).toBeUndefined();
  });
});
