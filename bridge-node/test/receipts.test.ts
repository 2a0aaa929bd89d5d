import { describe, expect, it } from 'vitest';
import { readReceipt } from '../src/events/receipts.js';
import { ReceiptKind } from '../src/generated/ponte/bridge/v1/bridge.js';

const ME = { id: '5511900000000:3@s.whatsapp.net', lid: '900:3@lid' };
const base = { id: 'A', from: '5511911111111:2@s.whatsapp.net', t: '1700000000' };

const receipt = (attrs: Record<string, string>, content?: { tag: string; attrs: { id: string } }[]) =>
  readReceipt(
    {
      tag: 'receipt',
      attrs: { ...base, ...attrs },
      content: content && [{ tag: 'list', attrs: {}, content }],
    },
    ME,
  );

describe('readReceipt', () => {
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
