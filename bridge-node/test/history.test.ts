import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { History } from '../src/history/history.js';
import type { HistoryPart } from '../src/recordings.js';

const { HistorySyncType } = proto.HistorySync;
const ANA = '5511911111111@s.whatsapp.net';
const ANA_LID = '911@lid';
const GROUP = '120363000000000001@g.us';

function told(id: string, more: proto.IWebMessageInfo = {}): proto.IHistorySyncMsg {
  const message = { conversation: `text ${id}` };
  return { message: { key: { id }, messageTimestamp: 1_700_000_000, message, ...more }, msgOrderId: 7 };
}

async function padded(history: proto.IHistorySync): Promise<Uint8Array> {
  const payload = await promisify(deflate)(proto.HistorySync.encode(history).finish());
  return notification({
    syncType: history.syncType as number,
    initialHistBootstrapInlinePayload: payload,
  });
}

function notification(historySyncNotification: proto.Message.IHistorySyncNotification): Uint8Array {
  const message = { protocolMessage: { historySyncNotification } };
  return Buffer.concat([proto.Message.encode(message).finish(), Buffer.from([1])]);
}

async function take(history: proto.IHistorySync, wantsAll = true) {
  const parts: HistoryPart[] = [];
  const left = await new History(async (part) => void parts.push(part), wantsAll).take(await padded(history));
  return { parts, messages: parts.flatMap((part) => part.messages), left };
}

async function leftIn(bytes: Uint8Array): Promise<proto.HistorySync> {
  const message = proto.Message.decode(bytes.subarray(0, -1));
  const payload = message.protocolMessage?.historySyncNotification?.initialHistBootstrapInlinePayload;
  return proto.HistorySync.decode(await promisify(inflate)(payload ?? Buffer.alloc(0)));
}

describe('History', () => {
  it('gives a message of a contact with both names, and how far an own one came', async () => {
    const own = told('B', { key: { id: 'B', fromMe: true }, status: proto.WebMessageInfo.Status.READ });
    const conversations = [{ id: ANA_LID, pnJid: ANA, messages: [told('A', { pushName: 'Ana' }), own] }];
    const { messages } = await take({ syncType: HistorySyncType.RECENT, conversations });
    expect(messages).toMatchObject([
      {
        waMessageId: 'A',
        chatJid: ANA_LID,
        contactPnJid: ANA,
        contactLidJid: ANA_LID,
        fromMe: false,
        isGroup: false,
        pushName: 'Ana',
        sentAtMs: 1_700_000_000_000,
        place: 7,
        kind: 'text',
        text: 'text A',
      },
      { waMessageId: 'B', fromMe: true, waStatus: 4 },
    ]);
  });

  it('names who wrote in a group, by the mappings of its part', async () => {
    const { messages } = await take({
      syncType: HistorySyncType.RECENT,
      phoneNumberToLidMappings: [{ pnJid: ANA, lidJid: ANA_LID }],
      conversations: [{ id: GROUP, messages: [told('A', { participant: ANA_LID })] }],
    });
    expect(messages).toMatchObject([
      { chatJid: GROUP, isGroup: true, contactPnJid: ANA, contactLidJid: ANA_LID },
    ]);
  });

  it('leaves out what nobody said: statuses, channels, and messages without content', async () => {
    const conversations = [
      { id: 'status@broadcast', messages: [told('A')] },
      { id: '1203@newsletter', messages: [told('B')] },
      { id: ANA, messages: [told('C', { message: null }), told('D')] },
    ];
    const { messages } = await take({ syncType: HistorySyncType.RECENT, conversations });
    expect(messages.map((message) => message.waMessageId)).toEqual(['D']);
  });

  it('parts a large conversation into frames, the next when the one before is durable', async () => {
    const messages = Array.from({ length: 450 }, (_, index) => told(`M${index}`));
    let underWay = 0;
    const sizes: number[] = [];
    const history = new History(async (part) => {
      underWay += 1;
      expect(underWay).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      sizes.push(part.messages.length);
      underWay -= 1;
    }, true);
    await history.take(
      await padded({ syncType: HistorySyncType.RECENT, conversations: [{ id: ANA, messages }] }),
    );
    expect(sizes).toEqual([200, 200, 50]);
  });

  it('tells the end only behind the last part of all, also where it has no messages', async () => {
    const last = await take({ syncType: HistorySyncType.FULL, progress: 100, conversations: [] });
    expect(last.parts).toEqual([{ messages: [], isLast: true, onDemand: false }]);
    const conversations = [{ id: ANA, messages: [told('A')] }];
    const recent = await take({ syncType: HistorySyncType.RECENT, progress: 100, conversations });
    expect(recent.parts.map((part) => part.isLast)).toEqual([false]);
  });

  it('takes what a phone was asked for, and nothing else where nothing else is wanted', async () => {
    const conversations = [{ id: ANA, messages: [told('A')] }];
    const asked = await take({ syncType: HistorySyncType.ON_DEMAND, conversations }, false);
    expect(asked.parts).toMatchObject([{ messages: [{ waMessageId: 'A' }], isLast: true, onDemand: true }]);
    const none = await take({ syncType: HistorySyncType.ON_DEMAND, conversations: [] }, false);
    expect(none.parts).toEqual([{ messages: [], isLast: true, onDemand: true }]);
    const { parts, left } = await take({ syncType: HistorySyncType.RECENT, conversations }, false);
    expect(parts).toEqual([]);
    expect((await leftIn(left)).conversations[0]?.messages).toHaveLength(1);
  });

  it('leaves Baileys the names without the messages', async () => {
    const { left } = await take({
      syncType: HistorySyncType.RECENT,
      phoneNumberToLidMappings: [{ pnJid: ANA, lidJid: ANA_LID }],
      conversations: [{ id: ANA, name: 'Ana', messages: [told('A')] }],
    });
    const history = await leftIn(left);
    expect(history.phoneNumberToLidMappings).toHaveLength(1);
    expect(history.conversations[0]?.name).toBe('Ana');
    expect(history.conversations[0]?.messages).toEqual([]);
  });

  it('rejects where a chunk could not be recorded, so that it comes again', async () => {
    const history = new History(() => Promise.reject(new Error('not durable')), true);
    const conversations = [{ id: ANA, messages: [told('A')] }];
    const bytes = await padded({ syncType: HistorySyncType.RECENT, conversations });
    await expect(history.take(bytes)).rejects.toThrow('not durable');
  });

  it('leaves a part out that cannot be read, and passes other messages of the phone on', async () => {
    const parts: HistoryPart[] = [];
    const history = new History(async (part) => void parts.push(part), true);
    const broken = notification({
      syncType: HistorySyncType.RECENT as number,
      initialHistBootstrapInlinePayload: Buffer.from('no zlib'),
    });
    expect((await leftIn(await history.take(broken))).conversations).toEqual([]);
    const names = await padded({ syncType: HistorySyncType.PUSH_NAME, pushnames: [] });
    expect(await history.take(names)).toBe(names);
    expect(parts).toEqual([]);
  });
});
