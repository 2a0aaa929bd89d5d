import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitUntil } from './wait.ts';
import { World } from './world.ts';

const ANA = '+5511999990001';
const BIA = '+5511999990002';
let world: World;

beforeEach(async () => {
  world = await new World().start();
  await world.post('/phones', { phone_number: ANA, name: 'Ana' });
  await world.post('/phones', { phone_number: BIA, name: 'Bia' });
});
afterEach(() => world.stop());

test('two linked clients of different numbers write to each other', async () => {
  const [ana, bia] = await Promise.all([world.linked(ANA), world.linked(BIA)]);
  const id = await ana.sendText(BIA, 'from ana');
  await waitUntil(() => bia.texts('notify').includes('from ana'), 'message to bia');
  await bia.sendText(ANA, 'from bia');
  await waitUntil(() => ana.texts('notify').includes('from bia'), 'message to ana');
  await waitUntil(() => ana.status(id) >= 3, 'delivery receipt');
  const key = bia.upserts.flatMap((upsert) => upsert.messages).find((m) => m.key.id === id)?.key;
  await bia.socket.readMessages(key ? [key] : []);
  await waitUntil(() => ana.status(id) === 4, 'read receipt');
  expect(await world.get(`/phones/${BIA}/messages`)).toHaveLength(2);
});

test('two devices of one number both get a message, and copies of what the other one sends', async () => {
  const first = await world.linked(ANA);
  const second = await world.linked(ANA);
  await world.post(`/phones/${BIA}:send`, { to: ANA, text: 'to both' });
  await waitUntil(() => first.texts().includes('to both'), 'first device');
  await waitUntil(() => second.texts().includes('to both'), 'second device');
  await first.sendText(BIA, 'sent by the first');
  await waitUntil(() => second.texts().includes('sent by the first'), 'copy');
  const copy = second.upserts
    .flatMap((upsert) => upsert.messages)
    .find((message) => message.message?.extendedTextMessage?.text === 'sent by the first');
  expect(copy?.key).toMatchObject({ fromMe: true, remoteJid: '5511999990002@s.whatsapp.net' });
  expect((await world.get('/devices')).map((device: { pending: number }) => device.pending)).toEqual([0, 0]);
});

test('a second socket of the same device replaces the first', async () => {
  const client = await world.linked(ANA);
  const twin = world.twin(client);
  await twin.login();
  await waitUntil(() => client.closeCode() === 440, 'conflict');
  await world.post(`/phones/${BIA}:send`, { to: ANA, text: 'to the newer one' });
  await waitUntil(() => twin.texts().includes('to the newer one'), 'message');
  expect(client.texts()).toEqual([]);
});

test('an unlinked device is closed with 401 and cannot come back', async () => {
  const client = await world.linked(ANA);
  const [{ jid }] = await world.get('/devices');
  await world.delete(`/devices/${encodeURIComponent(jid)}`);
  await waitUntil(() => client.closeCode() === 401, 'close');
  client.updatesOfConnection.length = 0;
  client.connect();
  await waitUntil(() => client.closeCode() === 401, 'refused login');
  expect(await world.get('/devices')).toEqual([]);
});

test('a client that logs out is unlinked', async () => {
  const client = await world.linked(ANA);
  await client.socket.logout();
  await expect.poll(() => world.get('/devices')).toEqual([]);
});

test('several clients pair at once', async () => {
  const numbers = Array.from({ length: 6 }, (_, index) => `+551198888000${index}`);
  await world.post('/phones:bulk', { count: 6, start: numbers[0] });
  await Promise.all(numbers.map((number) => world.linked(number)));
  const devices = await world.get('/devices');
  expect(devices.map((device: { phone_number: string }) => device.phone_number).sort()).toEqual(numbers);
});

test('a QR code that nobody waits with, is malformed or carries other keys is refused', async () => {
  const scan = (qr: string) => world.raw('POST', `/phones/${ANA}:scan`, JSON.stringify({ qr }));
  expect((await scan('no code')).json.error.code).toBe('INVALID_QR');
  expect((await scan('2@x,AAAA,AAAA,AAAA,1')).json.error.code).toBe('QR_NOT_FOUND');
  const client = world.client();
  client.connect();
  const qr = await waitUntil(() => client.updatesOfConnection.findLast((update) => update.qr)?.qr, 'QR code');
  const [ref, noise, , adv] = qr.split(',');
  expect((await scan([ref, noise, 'AAAA', adv].join(','))).json.error.code).toBe('QR_MISMATCH');
});

test('a client pairs by code; a wrong code is refused', async () => {
  const ask = async () => {
    const client = world.client();
    client.connect();
    await waitUntil(() => client.updatesOfConnection.some((update) => update.qr), 'registration');
    return { client, code: await client.socket.requestPairingCode(ANA.slice(1)) };
  };
  const typed = (code: string) => world.raw('POST', `/phones/${ANA}:enter-code`, JSON.stringify({ code }));
  const wrong = await ask();
  await expect.poll(async () => (await typed('AAAAAAAA')).json.error.code).toBe('WRONG_CODE');
  await wrong.client.close();
  await expect.poll(() => world.simulator.connections.size).toBe(0);
  const { client, code } = await ask();
  await expect.poll(async () => (await typed(code)).status, { timeout: 5_000 }).toBe(200);
  await waitUntil(() => client.closeCode() === 515, 'restart after pairing');
  await client.login();
  expect(await world.get('/devices')).toMatchObject([{ phone_number: ANA, connected: true }]);
});
