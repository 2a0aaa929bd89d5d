import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { waitUntil } from './wait.ts';
import { World } from './world.ts';

const ANA = '+5511999990001';
const BIA = '+5511999990002';
const world = new World();
let ana: Client;

beforeAll(async () => {
  await world.start();
  await world.post('/phones', { phone_number: ANA, name: 'Ana' });
  await world.post('/phones', { phone_number: BIA, name: 'Bia' });
  ana = await world.linked(ANA);
});
afterAll(() => world.stop());

const received = (number: string, after: number) =>
  world.get(`/phones/${number}/messages?after=${after}&wait_count=1&timeout_ms=8000`);
const lastSeq = async (number: string) => (await world.get(`/phones/${number}`)).last_seq;

test('a linked client has the phone number, the LID and pre-keys on the server', async () => {
  const [device] = await world.get('/devices');
  expect(device).toMatchObject({ phone_number: ANA, connected: true, sockets: 1 });
  expect(ana.auth.creds.me?.id).toBe(device.jid);
  expect(ana.auth.creds.me?.lid).toBe(device.lid);
  expect(device.pre_keys).toBeGreaterThan(800);
});

test('a text from the client is decrypted by the recipient and acknowledged', async () => {
  const after = await lastSeq(BIA);
  const id = await ana.sendText(BIA, 'olá', 'OWN-ID-1');
  const [message] = await received(BIA, after);
  expect(id).toBe('OWN-ID-1');
  expect(message).toMatchObject({ id, from: ANA, to: BIA, text: 'olá', kind: 'text', duplicate: false });
  expect(message.from_me).toBe(false);
  await waitUntil(() => ana.acks.some((ack) => ack.id === id && ack.error === undefined), 'ack');
});

test("the sender's own phone gets a copy", async () => {
  const after = await lastSeq(ANA);
  const id = await ana.sendText(BIA, 'copied');
  const [copy] = await received(ANA, after);
  expect(copy).toMatchObject({ id, from: ANA, to: BIA, text: 'copied', from_me: true });
});

test('the same id again is marked as a duplicate', async () => {
  const after = await lastSeq(BIA);
  await ana.sendText(BIA, 'twice', 'OWN-ID-2');
  await ana.sendText(BIA, 'twice', 'OWN-ID-2');
  const messages = await world.get(`/phones/${BIA}/messages?after=${after}&wait_count=2&timeout_ms=8000`);
  expect(messages.map((message: { duplicate: boolean }) => message.duplicate)).toEqual([false, true]);
});

test('delivery and read receipts reach the client', async () => {
  await world.patch(`/phones/${BIA}`, { receipt_delay_ms: 150 });
  const id = await ana.sendText(BIA, 'receipts');
  await waitUntil(() => ana.status(id) >= 3, 'delivery receipt');
  await world.post(`/phones/${BIA}:read`, { from: ANA, ids: [id] });
  await waitUntil(() => ana.status(id) === 4, 'read receipt');
});

test.each(['pn', 'lid'])(
  'a text from a phone arrives as notify with both addresses (%s)',
  async (addressing) => {
    await world.patch(`/phones/${BIA}`, { addressing });
    const { id } = await world.post(`/phones/${BIA}:send`, { to: ANA, text: `hello ${addressing}` });
    await waitUntil(() => ana.texts('notify').includes(`hello ${addressing}`), 'message');
    const message = ana.upserts.flatMap((upsert) => upsert.messages).find((m) => m.key.id === id);
    const bia = await world.get(`/phones/${BIA}`);
    expect([message?.key.remoteJid, message?.key.remoteJidAlt].sort()).toEqual([bia.jid, bia.lid].sort());
    expect(message?.pushName).toBe('Bia');
    await world.patch(`/phones/${BIA}`, { addressing: 'pn' });
  },
);

test('a message from the phone is shown delivered, then read', async () => {
  const { id } = await world.post(`/phones/${BIA}:send`, { to: ANA, text: 'read me' });
  const status = async () =>
    (await world.get(`/phones/${BIA}/messages?include_sent=true`)).findLast(
      (m: { id: string }) => m.id === id,
    )?.status;
  await waitUntil(() => ana.texts().includes('read me'), 'message');
  await expect.poll(status).toBe('delivered');
  const key = ana.upserts.flatMap((upsert) => upsert.messages).find((m) => m.key.id === id)?.key;
  await ana.socket.readMessages(key ? [key] : []);
  await expect.poll(status).toBe('read');
});

test('a phone that reads by itself sends both receipts', async () => {
  await world.patch(`/phones/${BIA}`, { auto_read: true });
  const id = await ana.sendText(BIA, 'read at once');
  await waitUntil(() => ana.status(id) === 4, 'read receipt');
  await world.patch(`/phones/${BIA}`, { auto_read: false });
});

test('a phone answers by itself', async () => {
  await world.patch(`/phones/${BIA}`, { auto_reply: { text: 'you said {text}', delay_ms: 10 } });
  await ana.sendText(BIA, 'ping');
  await waitUntil(() => ana.texts('notify').includes('you said ping'), 'answer');
  await world.patch(`/phones/${BIA}`, { auto_reply: { text: null, delay_ms: 0 } });
});

test('typing on a phone is seen by the client', async () => {
  const presences: string[] = [];
  ana.socket.ev.on('presence.update', ({ presences: all }) => {
    for (const { lastKnownPresence } of Object.values(all)) presences.push(lastKnownPresence);
  });
  await world.post(`/phones/${BIA}:typing`, { to: ANA });
  await waitUntil(() => presences.includes('composing'), 'typing');
});

test('a call on a phone is seen by the client, step by step', async () => {
  const seen: string[] = [];
  ana.socket.ev.on('call', (calls) => {
    for (const { id, status, isVideo } of calls) seen.push(`${id} ${status} ${isVideo}`);
  });
  const { call_id: id } = await world.post(`/phones/${BIA}:call`, { to: ANA, video: true });
  await waitUntil(() => seen.includes(`${id} offer true`), 'the offer');
  await world.post(`/phones/${BIA}:call`, { to: ANA, call_id: id, step: 'terminate', reason: 'timeout' });
  await waitUntil(() => seen.includes(`${id} timeout true`), 'the end');
});

test('number checks tell who is on WhatsApp, and know both spellings of a Brazilian number', async () => {
  const found = await ana.socket.onWhatsApp(BIA, '+5511999990099', '+551199990002');
  expect(found).toEqual([
    { jid: '5511999990002@s.whatsapp.net', exists: true },
    { jid: '5511999990002@s.whatsapp.net', exists: true },
  ]);
});

test.each([
  ['+5215512345678', '+525512345678'],
  ['+528112345678', '+5218112345678'],
])('number checks find %s by %s too', async (number, other) => {
  await world.post('/phones', { phone_number: number });
  const jid = `${number.slice(1)}@s.whatsapp.net`;
  expect(await ana.socket.onWhatsApp(other)).toEqual([{ jid, exists: true }]);
});

test('a number that is taken off WhatsApp is no longer found', async () => {
  const number = '+5511999990077';
  await world.post('/phones', { phone_number: number });
  await world.patch(`/phones/${number}`, { registered: false });
  expect(await ana.socket.onWhatsApp(number)).toEqual([]);
});

test('arrivals are recorded in order with their time', async () => {
  const { last_arrival } = await world.get('/stats');
  const before = performance.timeOrigin + performance.now();
  const ids = [await ana.sendText(BIA, 'one'), await ana.sendText(BIA, 'two')];
  await waitUntil(() => ana.acks.some((ack) => ack.id === ids[1]), 'acks');
  const arrivals = await world.get(`/arrivals?after=${last_arrival}&from=${encodeURIComponent(ANA)}`);
  expect(arrivals.map((arrival: { id: string }) => arrival.id)).toEqual(ids);
  expect(arrivals[0]).toMatchObject({ from: ANA, to: BIA });
  expect(arrivals[0].at_ms).toBeGreaterThanOrEqual(before - 1);
});

test('Baileys asks nothing that the simulator does not know', async () => {
  const { iqs_unknown } = await world.get('/stats');
  expect(iqs_unknown).toEqual({});
});
