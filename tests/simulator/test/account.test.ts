import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { waitUntil } from './wait.ts';
import { World } from './world.ts';

const ANA = '+5511999990001';
const BIA = '+5511999990002';
const world = new World({ maxPendingPerDevice: 5 });
let ana: Client;

beforeAll(async () => {
  await world.start();
  await world.post('/phones', { phone_number: ANA, name: 'Ana' });
  await world.post('/phones', { phone_number: BIA, name: 'Bia' });
  ana = await world.linked(ANA);
});
afterAll(() => world.stop());

test('the account is in good standing', async () => {
  expect(await ana.socket.fetchAccountReachoutTimelock()).toMatchObject({ isActive: false });
  expect(await ana.socket.fetchNewChatMessageCap()).toMatchObject({
    total_quota: -1,
    capping_status: 'NONE',
  });
});

test('read receipts are allowed and nobody is blocked', async () => {
  expect(await ana.socket.fetchPrivacySettings(true)).toMatchObject({ readreceipts: 'all' });
  expect(await ana.socket.fetchBlocklist()).toEqual([]);
});

test('app state that one device changes reaches the others, later ones too', async () => {
  const chat = '5511999990002@s.whatsapp.net';
  await ana.socket.chatModify({ mute: 8_640_000_000_000 }, chat);
  const second = await world.linked(ANA);
  const synced = async (name: string) =>
    (await second.auth.state.keys.get('app-state-sync-version', [name]))[name]?.version;
  expect(await synced('regular_high')).toBe(1);
  await ana.socket.chatModify({ pin: true }, chat);
  await expect.poll(() => synced('regular_low'), { timeout: 5_000 }).toBe(1);
  await second.socket.logout();
});

test('a contact is shown as available', async () => {
  const seen: string[] = [];
  ana.socket.ev.on('presence.update', ({ id }) => seen.push(id));
  await ana.socket.presenceSubscribe('5511999990002@s.whatsapp.net');
  await waitUntil(() => seen.includes('5511999990002@s.whatsapp.net'), 'presence');
});

test('a client can rotate its signed pre-key and is still reached', async () => {
  await ana.socket.rotateSignedPreKey();
  await world.post('/phones', { phone_number: '+5511999990003' });
  await world.post('/phones/+5511999990003:send', { to: ANA, text: 'with the new key' });
  await waitUntil(() => ana.texts().includes('with the new key'), 'message');
});

test('what nobody knows is answered and counted', async () => {
  const answer = await ana.socket.query({
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'urn:new' },
    content: [{ tag: 'thing', attrs: {} }],
  });
  expect(answer.attrs.type).toBe('result');
  expect((await world.get('/stats')).iqs_unknown).toEqual({ 'urn:new/thing': 1 });
});

test('a query can be left without an answer', async () => {
  await world.post('/faults', { kind: 'iq_silence', xmlns: 'w:p', count: 1 });
  const ping = { tag: 'iq', attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:p' } };
  await expect(ana.socket.query(ping, 200)).rejects.toThrow('Timed Out');
});

test('the queue of a device that stays away keeps only the newest stanzas', async () => {
  await ana.close();
  for (let index = 0; index < 8; index++) {
    await world.post(`/phones/${BIA}:send`, { to: ANA, text: `kept ${index}` });
  }
  expect((await world.get('/devices'))[0].pending).toBe(5);
  await ana.login();
  await waitUntil(() => ana.texts('append').includes('kept 7'), 'newest');
  expect(ana.texts('append').filter((text) => text.startsWith('kept'))).toHaveLength(5);
});
