import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { waitUntil } from './wait.ts';
import { type Json, World } from './world.ts';

const ANA = '+5511999990001';
const BIA = '+5511999990002';
let world: World;

beforeEach(async () => {
  world = await new World().start();
  await world.post('/phones', { phone_number: ANA });
  await world.post('/phones', { phone_number: BIA });
});
afterEach(() => world.stop());

const ids = (messages: Json[]) => messages.map(({ id }) => id);

test('a hundred texts each way at the same time arrive once, in order', async () => {
  const ana = await world.linked(ANA);
  const outgoing = Array.from({ length: 100 }, (_, index) => `OUT-${index}`);
  const incoming = outgoing.map((_, index) => ({
    from: BIA,
    to: ANA,
    text: `in ${index}`,
    id: `IN-${index}`,
  }));
  const answer = world.post('/messages:bulk', { messages: incoming });
  for (const id of outgoing) await ana.sendText(BIA, 'out', id);
  await answer;
  const received = await world.get(`/phones/${BIA}/messages?wait_count=100&timeout_ms=20000`);
  expect(ids(received)).toEqual(outgoing);
  await waitUntil(() => ana.texts('notify').length >= 100, 'incoming texts');
  const order = ana.texts('notify').filter((text) => text.startsWith('in '));
  expect(order).toEqual(incoming.map(({ text }) => text));
});

test('cuts in the middle of it lose nothing that came in', async () => {
  const ana = await world.linked(ANA);
  const wanted = Array.from({ length: 60 }, (_, index) => `in ${index}`);
  for (const [index, text] of wanted.entries()) {
    await world.post(`/phones/${BIA}:send`, { to: ANA, text });
    if (index % 20 !== 10) continue;
    await world.post('/faults', { kind: 'cut' });
    await waitUntil(() => ana.closeCode() !== undefined, 'cut');
    await ana.login();
  }
  await waitUntil(() => new Set(ana.texts()).size >= wanted.length, 'all texts');
  expect([...new Set(ana.texts())].sort()).toEqual([...wanted].sort());
  await expect.poll(async () => (await world.get('/devices'))[0].pending).toBe(0);
});

test('three hundred sockets are open at once', async () => {
  const sockets = Array.from({ length: 300 }, () => new WebSocket(world.simulator.wsUrl));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('open', resolve))));
  expect((await world.get('/stats')).sockets).toBe(300);
  for (const socket of sockets) socket.terminate();
  await expect.poll(async () => (await world.get('/stats')).sockets).toBe(0);
});

test('a client that speaks another protocol is cut', async () => {
  const socket = new WebSocket(world.simulator.wsUrl);
  await new Promise((resolve) => socket.once('open', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.send(Buffer.from('hello there'));
  await closed;
  expect((await world.get('/stats')).sockets).toBe(0);
});
