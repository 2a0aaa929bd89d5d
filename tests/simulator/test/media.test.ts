import { createHash, randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadMediaMessage, type proto, type WAMessage } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { waitUntil } from './wait.ts';
import { World } from './world.ts';

const OURS = '+5511999990001';
const THEIRS = '+5511999990002';
const CONTENTS = randomBytes(300_001);
const SHA256 = createHash('sha256').update(CONTENTS).digest('hex');

const world = new World();
let client: Client;

beforeAll(async () => {
  await world.start();
  for (const phone_number of [OURS, THEIRS]) await world.post('/phones', { phone_number });
  client = await world.linked(OURS);
});
afterAll(() => world.stop());

async function received(id: string): Promise<WAMessage> {
  const find = () => client.upserts.flatMap(({ messages }) => messages).find(({ key }) => key.id === id);
  return waitUntil(find, 'the file');
}

test('an upload of unmodified Baileys is opened by the phone that gets it', async () => {
  const jid = `${THEIRS.slice(1)}@s.whatsapp.net`;
  const document = { document: CONTENTS, mimetype: 'application/pdf', fileName: 'a.pdf' };
  const sent = await client.socket.sendMessage(jid, document);
  const messages = await world.get(`/phones/${THEIRS}/messages?wait_count=1`);
  const message = messages.find(({ id }: { id: string }) => id === sent?.key.id);
  expect(message).toMatchObject({
    kind: 'document',
    file: { sha256: SHA256, size: CONTENTS.length, mime_type: 'application/pdf', file_name: 'a.pdf' },
  });
});

test("a phone's file is downloaded by unmodified Baileys", async () => {
  const path = join(tmpdir(), `ponte-test-${randomBytes(6).toString('hex')}`);
  await writeFile(path, CONTENTS);
  const body = { to: OURS, kind: 'image', path, mime_type: 'image/jpeg', caption: 'look' };
  const { id } = await world.post(`/phones/${THEIRS}:send-file`, body);
  await rm(path);
  const message = await received(id);
  expect(message.message?.imageMessage?.caption).toBe('look');
  const bytes = await downloadMediaMessage(message, 'buffer', {});
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(SHA256);
});

test('a file that is gone is asked for anew and then found', async () => {
  const { id } = await world.post(`/phones/${THEIRS}:send-file`, { to: OURS, kind: 'video', size: 100_000 });
  const message = await received(id);
  await world.post('/faults', { kind: 'media_download', code: 410, count: 1 });
  await expect(downloadMediaMessage(message, 'buffer', {})).rejects.toMatchObject({
    output: { statusCode: 410 },
  });
  await client.socket.refreshMediaConn(false);
  const again = await client.socket.updateMediaMessage(message);
  expect(await downloadMediaMessage(again, 'buffer', {})).toHaveLength(100_000);
});

test('a file that the phone has no more is said to be gone', async () => {
  const { id } = await world.post(`/phones/${THEIRS}:send-file`, { to: OURS, kind: 'audio', size: 10 });
  const message = await received(id);
  await world.post('/faults', { kind: 'media_gone', count: 1 });
  await expect(client.socket.updateMediaMessage(message)).rejects.toMatchObject({
    output: { statusCode: 404 },
  });
});

test('a refused upload fails the send', async () => {
  await world.post('/faults', { kind: 'media_upload', code: 503, count: 2 });
  const sending = client.socket.sendMessage(`${THEIRS.slice(1)}@s.whatsapp.net`, {
    audio: CONTENTS,
    mimetype: 'audio/mp4',
    seconds: 1,
  });
  await expect(sending).rejects.toThrow('upload failed');
  await world.delete('/faults');
});

test('a file that was changed on its way is not taken for the one that was sent', async () => {
  const { simulator } = world;
  const { id } = await world.post(`/phones/${THEIRS}:send-file`, { to: OURS, kind: 'sticker', size: 5_000 });
  const sticker = (await received(id)).message?.stickerMessage as proto.Message.IStickerMessage;
  const stored = simulator.media.get(sticker.directPath ?? '');
  await stored?.handle.write(Buffer.from('changed'), 0, 7, 100);
  const jid = `${THEIRS.slice(1)}@s.whatsapp.net`;
  await client.socket.relayMessage(jid, { stickerMessage: sticker }, { messageId: 'CHANGED' });
  const messages = await world.get(`/phones/${THEIRS}/messages?wait_count=2`);
  const seen = messages.find((message: { id: string }) => message.id === 'CHANGED');
  expect(seen.file.sha256).toBe('');
});
