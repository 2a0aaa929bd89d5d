import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { type Json, World } from './world.ts';

const ANA = '+5511999990011';
const BIA = '+5511999990012';
const CAU = '+5511999990013';
const STATUS = 'status@broadcast';
const world = new World();
const receipts: BaileysEventMap['message-receipt.update'] = [];
let ana: Client;
let bia: Client;

beforeAll(async () => {
  await world.start();
  for (const number of [ANA, BIA, CAU]) await world.post('/phones', { phone_number: number });
  ana = await world.linked(ANA);
  bia = await world.linked(BIA);
  ana.socket.ev.on('message-receipt.update', (updates) => receipts.push(...updates));
});
afterAll(() => world.stop());

const jidOf = (number: string): string => `${number.slice(1)}@s.whatsapp.net`;

async function post(text: string, audience: string[]): Promise<string> {
  const sent = await ana.socket.sendMessage(STATUS, { text }, { statusJidList: audience.map(jidOf) });
  return sent?.key.id ?? '';
}

async function seenOn(number: string, id: string): Promise<Json> {
  const find = async () => (await world.get(`/phones/${number}/messages`)).find((m: Json) => m.id === id);
  await expect.poll(find, { timeout: 8_000 }).toBeDefined();
  return find();
}

test('a status is shown on the phones and linked devices that it names, and on no others', async () => {
  const id = await post('we are open', [BIA]);
  expect(await seenOn(BIA, id)).toMatchObject({ from: ANA, to: STATUS, text: 'we are open' });
  const upserts = () => bia.upserts.flatMap(({ messages }) => messages).filter(({ key }) => key.id === id);
  await expect.poll(() => upserts().length, { timeout: 8_000 }).toBe(1);
  expect(upserts()[0]?.key).toMatchObject({ remoteJid: STATUS, participant: jidOf(ANA) });

  const next = await post('and now', [BIA, CAU]);
  await seenOn(CAU, next);
  await seenOn(BIA, next);
  expect((await world.get(`/phones/${CAU}/messages`)).map((m: Json) => m.text)).toEqual(['and now']);
});

test('who has read a status is told to the one who posted it', async () => {
  // Sooner, Baileys folds the receipt into its event of the message itself.
  await world.patch(`/phones/${CAU}`, { auto_read: true, receipt_delay_ms: 300 });
  const id = await post('read me', [CAU]);
  const readers = () =>
    receipts.filter(({ key, receipt }) => key.id === id && receipt.readTimestamp).map(({ key }) => key);
  await expect.poll(readers, { timeout: 8_000 }).toMatchObject([{ participant: jidOf(CAU) }]);
});
