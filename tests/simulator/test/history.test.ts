import {
  type BaileysEventMap,
  type BinaryNode,
  proto,
  type UserFacingSocketConfig,
} from '@whiskeysockets/baileys';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { waitUntil } from './wait.ts';
import { World } from './world.ts';

const ANA = '+5511999990001';
const { ON_DEMAND } = proto.HistorySync.HistorySyncType;
let world: World;

beforeEach(async () => {
  world = await new World().start();
  await world.post('/phones', { phone_number: ANA });
});
afterEach(() => world.stop());

type HistorySet = BaileysEventMap['messaging-history.set'];

/** A client that remembers the histories that it was sent. */
class Reader {
  readonly sets: HistorySet[] = [];
  /** What the phone sent to this client alone, by its id: whether it came late. */
  readonly fromPhone = new Map<string, boolean>();
  readonly client: Client;

  constructor(options: Partial<UserFacingSocketConfig> = {}) {
    this.client = world.client(options);
    const connect = this.client.connect.bind(this.client);
    this.client.connect = () => {
      const socket = connect();
      socket.ev.on('messaging-history.set', (set) => this.sets.push(set));
      socket.ws.on('CB:message', ({ attrs }: BinaryNode) => {
        if (attrs.category === 'peer') this.fromPhone.set(attrs.id ?? '', attrs.offline !== undefined);
      });
      return socket;
    };
  }

  async link(): Promise<this> {
    await this.client.pair((qr) => world.post(`/phones/${ANA}:scan`, { qr }));
    return this;
  }

  get messages() {
    return this.sets.flatMap((set) => set.messages);
  }

  get ids(): string[] {
    return this.messages.map((message) => message.key.id ?? '');
  }
}

const pending = () => world.simulator.companions()[0]?.pendingCount ?? 0;

function textsOf(reader: Reader, jid: string) {
  return reader.messages
    .filter((message) => message.key.remoteJid === jid)
    .sort((a, b) => Number(a.messageTimestamp) - Number(b.messageTimestamp))
    .map((message) => message.message?.conversation ?? message.message?.imageMessage?.caption);
}

const everyText = (chat: number, count: number) =>
  Array.from({ length: count }, (_, index) => `Chat ${chat}, message ${index}`);

test('a client gets every message of the history once, people and groups', async () => {
  const past = { chats: 5, groups: 1, messages: 40, files: true, chunk: 30, seed: 7 };
  await world.post(`/phones/${ANA}/history`, past);
  const reader = await new Reader({ syncFullHistory: true, shouldSyncHistoryMessage: () => true }).link();
  await waitUntil(() => reader.ids.length === 200, 'all of the history');
  expect(new Set(reader.ids).size).toBe(200);
  const chats = new Set(reader.messages.map((message) => message.key.remoteJid ?? ''));
  expect([...chats].filter((jid) => jid.endsWith('@lid'))).toHaveLength(2);
  const group = [...chats].find((jid) => jid.endsWith('@g.us')) ?? '';
  expect(textsOf(reader, group)).toEqual(everyText(4, 40));
  const theirs = reader.messages.filter(({ key }) => key.remoteJid === group && !key.fromMe);
  expect(theirs.every(({ key }) => key.participant?.endsWith('@lid'))).toBe(true);
  const { lidMapping } = reader.client.socket.signalRepository;
  for (const jid of chats) if (jid.endsWith('@lid')) expect(await lidMapping.getPNForLID(jid)).not.toBeNull();
});

test('the oldest half goes only to a client that asks for all', async () => {
  await world.post(`/phones/${ANA}/history`, { chats: 2, messages: 20 });
  const reader = await new Reader({ syncFullHistory: false, shouldSyncHistoryMessage: () => true }).link();
  await waitUntil(() => reader.ids.length === 20, 'the recent half');
  const [jid = ''] = reader.messages.map((message) => message.key.remoteJid ?? '');
  expect(textsOf(reader, jid)[0]).toMatch(/, message 10$/);
});

test('the same seed gives the same history', async () => {
  const past = { chats: 3, messages: 4, seed: 3, ends_at: 1_750_000_000 };
  const ids: string[][] = [];
  for (const _ of [1, 2]) {
    await world.post(`/phones/${ANA}/history`, past);
    const reader = await new Reader({ syncFullHistory: true, shouldSyncHistoryMessage: () => true }).link();
    await waitUntil(() => reader.ids.length === 12, 'all of the history');
    expect(
      Math.max(...reader.messages.map((message) => Number(message.messageTimestamp))),
    ).toBeLessThanOrEqual(1_750_000_000);
    ids.push([...reader.ids].sort());
  }
  expect(ids[0]).toEqual(ids[1]);
});

test('chunks that a client did not acknowledge come again at its next login', async () => {
  await world.post(`/phones/${ANA}/history`, { chats: 4, messages: 50, chunk: 1 });
  const reader = new Reader({ syncFullHistory: true, shouldSyncHistoryMessage: () => true });
  const { client } = reader;
  client.connect();
  const qr = await waitUntil(() => client.updatesOfConnection.findLast((update) => update.qr)?.qr, 'QR code');
  await world.post(`/phones/${ANA}:scan`, { qr });
  await waitUntil(() => client.closeCode() === 515, 'restart after pairing');
  await client.login();
  await waitUntil(() => reader.fromPhone.size > 1, 'first chunks');
  await world.post('/faults', { kind: 'cut', number: ANA });
  expect(pending()).toBeGreaterThan(0);
  await client.login();
  // The app-state key and the names as well.
  await waitUntil(() => reader.fromPhone.size === 202 && pending() === 0, 'all acknowledged');
  expect([...reader.fromPhone.values()]).toContain(true);
});

test('older messages come on demand, with the number of the request', async () => {
  await world.post(`/phones/${ANA}/history`, { chats: 1, messages: 100 });
  const reader = await new Reader({ syncFullHistory: false, shouldSyncHistoryMessage: () => true }).link();
  await waitUntil(() => reader.ids.length === 50, 'the recent half');
  const oldest = reader.messages.reduce((a, b) =>
    Number(a.messageTimestamp) < Number(b.messageTimestamp) ? a : b,
  );
  const at = Number(oldest.messageTimestamp) * 1000;
  const request = await reader.client.socket.fetchMessageHistory(20, oldest.key, at);
  const answer = () => reader.sets.find((set) => set.syncType === ON_DEMAND);
  await waitUntil(() => answer() !== undefined, 'answer');
  expect(answer()?.peerDataRequestSessionId).toBe(request);
  expect(answer()?.messages.map((message) => message.message?.conversation)).toEqual(
    everyText(0, 50).slice(30).reverse(),
  );
});

test('a field that a history does not have is refused', async () => {
  const body = JSON.stringify({ chats: 1, message: 2 });
  const { status, json } = await world.raw('POST', `/phones/${ANA}/history`, body);
  expect(status).toBe(400);
  expect(json.error.detail).toContain('message');
});
