import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { waitUntil } from './wait.ts';
import { World } from './world.ts';

const ANA = '+5511999990001';
const BIA = '+5511999990002';
let world: World;
let ana: Client;

beforeEach(async () => {
  world = await new World().start();
  await world.post('/phones', { phone_number: ANA, name: 'Ana' });
  await world.post('/phones', { phone_number: BIA, name: 'Bia' });
  ana = await world.linked(ANA);
});
afterEach(() => world.stop());

const arrivedAtBia = (count: number) =>
  world.get(`/phones/${BIA}/messages?wait_count=${count}&timeout_ms=8000`);
const texts = (messages: { text: string }[]) => messages.map(({ text }) => text);
const reconnect = async () => {
  ana.updatesOfConnection.length = 0;
  await ana.login();
};

test('messages that arrive while the client is away come at its next login, in order, as append', async () => {
  // What pairing left on its way would wait with the texts.
  await expect.poll(async () => (await world.get('/devices'))[0].pending).toBe(0);
  await ana.close();
  const wanted = Array.from({ length: 20 }, (_, index) => `offline ${index}`);
  for (const text of wanted) await world.post(`/phones/${BIA}:send`, { to: ANA, text });
  expect((await world.get('/devices'))[0]).toMatchObject({ connected: false, pending: 20 });
  await ana.login();
  await waitUntil(() => ana.texts('append').length === 20, 'offline messages');
  expect(ana.texts('append')).toEqual(wanted);
  await expect.poll(async () => (await world.get('/devices'))[0].pending).toBe(0);
});

test('a message that the client did not acknowledge comes again', async () => {
  ana.socket.ws.removeAllListeners('CB:message');
  await world.post(`/phones/${BIA}:send`, { to: ANA, text: 'never handled' });
  await expect.poll(async () => (await world.get('/devices'))[0].pending).toBe(1);
  await ana.close();
  await reconnect();
  await waitUntil(() => ana.texts('append').includes('never handled'), 'second delivery');
});

test('a phone encrypts again when the client cannot decrypt', async () => {
  await world.post('/faults', { kind: 'corrupt', number: ANA, count: 1 });
  const { id } = await world.post(`/phones/${BIA}:send`, { to: ANA, text: 'second try' });
  await waitUntil(() => ana.texts().includes('second try'), 'message after the retry');
  await waitUntil(() => ana.status(id) >= 0 && ana.texts().length >= 1, 'message');
  await expect.poll(async () => (await world.get('/devices'))[0].pending).toBe(0);
});

test('the client encrypts again when a phone cannot decrypt', async () => {
  await world.post('/faults', { kind: 'corrupt', number: BIA, count: 1 });
  const id = await ana.sendText(BIA, 'again please');
  const [message] = await arrivedAtBia(1);
  expect(message).toMatchObject({ id, text: 'again please', duplicate: false });
});

test('a cut before the message is taken loses it, the same id sent again arrives once', async () => {
  await ana.sendText(BIA, 'warm up');
  await arrivedAtBia(1);
  await world.post('/faults', { kind: 'cut_before_message', count: 1 });
  await ana.sendText(BIA, 'cut', 'CUT-1');
  await waitUntil(() => ana.closeCode() !== undefined, 'close');
  await reconnect();
  await ana.sendText(BIA, 'cut', 'CUT-1');
  expect(texts(await arrivedAtBia(2))).toEqual(['warm up', 'cut']);
});

test('a cut after the message was taken makes its repetition a duplicate', async () => {
  await world.post('/faults', { kind: 'cut_after_message', count: 1 });
  await ana.sendText(BIA, 'cut', 'CUT-2');
  await waitUntil(() => ana.closeCode() !== undefined, 'close');
  await reconnect();
  await ana.sendText(BIA, 'cut', 'CUT-2');
  const messages = await arrivedAtBia(2);
  expect(messages.map((message: { duplicate: boolean }) => message.duplicate)).toEqual([false, true]);
});

test.each([463, 479, 429])('an ack with error %i makes the message fail', async (code) => {
  await world.post('/faults', { kind: 'ack_error', code, count: 1 });
  const id = await ana.sendText(BIA, 'refused');
  await waitUntil(() => ana.acks.some((ack) => ack.id === id && ack.error === String(code)), 'bad ack');
  expect(await world.get(`/phones/${BIA}/messages`)).toEqual([]);
});

test('a lost ack is not sent, a late one is late', async () => {
  await world.post('/faults', { kind: 'lost_ack', count: 1 });
  await world.post('/faults', { kind: 'late_ack', ms: 400, count: 1 });
  const lost = await ana.sendText(BIA, 'no ack');
  const begin = performance.now();
  const late = await ana.sendText(BIA, 'late ack');
  await waitUntil(() => ana.acks.some((ack) => ack.id === late), 'late ack');
  expect(performance.now() - begin).toBeGreaterThan(390);
  expect(ana.acks.some((ack) => ack.id === lost)).toBe(false);
  expect(texts(await arrivedAtBia(2))).toEqual(['no ack', 'late ack']);
});

test('a lost message neither arrives nor is acknowledged', async () => {
  await world.post('/faults', { kind: 'lost_message', count: 1 });
  const lost = await ana.sendText(BIA, 'lost');
  await ana.sendText(BIA, 'kept');
  expect(texts(await arrivedAtBia(1))).toEqual(['kept']);
  expect(ana.acks.some((ack) => ack.id === lost)).toBe(false);
});

test.each([515, 503, 440, 401])('a stream error %i closes the client with that code', async (code) => {
  await world.post('/faults', { kind: 'stream_error', code });
  await waitUntil(() => ana.closeCode() === code, 'close');
});

test('a cut closes the socket at once', async () => {
  await world.post('/faults', { kind: 'cut', number: ANA });
  await waitUntil(() => ana.closeCode() === 428, 'close');
  await reconnect();
});

test.each([401, 403, 405])('a login failure %i closes the client with that code', async (code) => {
  await ana.close();
  ana.updatesOfConnection.length = 0;
  await world.post('/faults', { kind: 'login_failure', code, count: 1 });
  ana.connect();
  await waitUntil(() => ana.closeCode() === code, 'close');
  await reconnect();
});

test('a refused upgrade answers with its HTTP status', async () => {
  await ana.close();
  await world.post('/faults', { kind: 'refuse', code: 429, count: 1 });
  const statuses: number[] = [];
  ana.connect();
  ana.socket.ws.on('unexpected-response', (_request: unknown, response: { statusCode: number }) => {
    statuses.push(response.statusCode);
  });
  await waitUntil(() => statuses.includes(429), 'refusal');
});

test('latency delays what the server sends', async () => {
  await ana.sendText(BIA, 'sessions are there');
  await world.post('/faults', { kind: 'latency', ms: 200 });
  const begin = performance.now();
  await ana.socket.onWhatsApp(BIA);
  expect(performance.now() - begin).toBeGreaterThan(190);
  await world.delete('/faults');
  const again = performance.now();
  await ana.socket.onWhatsApp(BIA);
  expect(performance.now() - again).toBeLessThan(190);
});

test('a frozen socket says nothing until it thaws', async () => {
  const { id } = await world.post('/faults', { kind: 'freeze' });
  await world.post(`/phones/${BIA}:send`, { to: ANA, text: 'held back' });
  const sent = ana.sendText(BIA, 'not read yet');
  expect(await world.get(`/phones/${BIA}/messages?wait_count=1&timeout_ms=300`)).toEqual([]);
  expect(ana.texts()).toEqual([]);
  await world.delete(`/faults/${id}`);
  await waitUntil(() => ana.texts().includes('held back'), 'held stanza');
  await sent;
  expect(texts(await arrivedAtBia(1))).toEqual(['not read yet']);
});

test('queries fail with a code, by namespace', async () => {
  await world.post('/faults', { kind: 'iq_error', code: 429, xmlns: 'usync', count: 1 });
  await expect(ana.socket.onWhatsApp(BIA)).rejects.toMatchObject({ data: 429 });
  expect(await ana.socket.onWhatsApp(BIA)).toHaveLength(1);
});

test('the server asks for pre-keys when they run low', async () => {
  const companion = world.simulator.companions()[0];
  while (companion && companion.preKeyCount > 4) companion.takeBundle();
  await waitUntil(() => companion && companion.preKeyCount >= 5, 'upload');
});
