import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileUploads, UploadFailedError } from '../src/content/outgoing-files.js';
import { Content } from '../src/generated/ponte/v1/content.js';

const CHAT = '5511988887777@s.whatsapp.net';
const OPTIONS = { messageId: 'ID', userJid: '5511900000001@s.whatsapp.net' };
const CONTENTS = Buffer.from('what is in the file');
const SHA256 = createHash('sha256').update(CONTENTS).digest();
const MEDIA = { mimeType: 'video/mp4', sha256: SHA256.toString('hex'), width: 4, height: 3, seconds: 2 };

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ponte-test-'));
  path = join(folder, 'file');
  await writeFile(path, CONTENTS);
});
afterEach(() => rm(folder, { recursive: true }));

function setUp() {
  const upload = vi.fn(async () => ({ mediaUrl: 'https://host/file', directPath: '/file' }));
  const uploads = new FileUploads(upload);
  const compose = (content: object) =>
    uploads.compose(
      CHAT,
      Content.fromPartial(content),
      [{ filePath: path, thumbnail: Buffer.from('jpeg') }],
      OPTIONS,
    );
  return { upload, uploads, compose };
}

const video = (said: object = {}) => ({
  body: { $case: 'video' as const, video: { media: MEDIA, ...said } },
});

describe('FileUploads', () => {
  it('makes a message that says where the file is and what it is', async () => {
    const made = await setUp().compose(video({ caption: 'look', gif: true }));
    expect(made?.key).toMatchObject({ id: 'ID', remoteJid: CHAT });
    const message = made?.message?.videoMessage;
    expect(message).toMatchObject({
      url: 'https://host/file',
      mimetype: 'video/mp4',
      caption: 'look',
      gifPlayback: true,
      seconds: 2,
      width: 4,
    });
    expect(Buffer.from(message?.fileSha256 ?? [])).toEqual(SHA256);
    expect(Buffer.from(message?.jpegThumbnail ?? []).toString()).toBe('jpeg');
  });

  it('uploads a file once, whatever is said beside it', async () => {
    const { upload, compose } = setUp();
    const all = [compose(video()), compose(video({ caption: 'again' })), compose(video({ round: true }))];
    const [first, , round] = await Promise.all(all);
    expect(upload).toHaveBeenCalledTimes(1);
    expect(round?.message?.ptvMessage?.mediaKey).toEqual(first?.message?.videoMessage?.mediaKey);
  });

  it('uploads again after a failure, which is told apart from a send that may have left', async () => {
    const { upload, compose } = setUp();
    upload.mockRejectedValueOnce(new Error('no host takes it'));
    await expect(compose(video())).rejects.toBeInstanceOf(UploadFailedError);
    expect((await compose(video()))?.message?.videoMessage?.directPath).toBe('/file');
  });

  it('uploads a file for channels as it is, apart from that of other chats', async () => {
    const { upload, uploads, compose } = setUp();
    const files = [{ filePath: path, thumbnail: Buffer.alloc(0) }];
    const post = (jid: string) => uploads.compose(jid, Content.fromPartial(video()), files, OPTIONS);
    const [first, other] = [await post('1@newsletter'), await post('2@newsletter')];
    await compose(video());
    expect(upload).toHaveBeenCalledTimes(2);
    expect(first?.message?.videoMessage?.mediaKey?.length ?? 0).toBe(0);
    expect(Buffer.from(first?.message?.videoMessage?.fileSha256 ?? [])).toEqual(SHA256);
    expect(other?.message?.videoMessage?.directPath).toBe('/file');
  });

  it('names the album that a file belongs to, and no other message has one', async () => {
    const { compose } = setUp();
    const inAlbum = await compose({ ...video(), albumWaMessageId: '3EB0A' });
    expect(inAlbum?.message?.messageContextInfo?.messageAssociation).toMatchObject({
      associationType: 1,
      parentMessageKey: { remoteJid: CHAT, fromMe: true, id: '3EB0A' },
    });
    expect((await compose(video()))?.message?.messageContextInfo).toBeFalsy();
  });

  it('wraps what can be seen once, and marks what is forwarded and who is meant', async () => {
    const content = {
      body: { $case: 'image' as const, image: { media: MEDIA } },
      viewOnce: true,
      forwarded: true,
      mentions: ['+5511977776666', '123@lid'],
    };
    const image = (await setUp().compose(content))?.message?.viewOnceMessage?.message?.imageMessage;
    expect(image?.contextInfo).toMatchObject({
      isForwarded: true,
      mentionedJid: ['5511977776666@s.whatsapp.net', '123@lid'],
    });
  });

  it('says of each kind what a phone needs', async () => {
    const { compose } = setUp();
    const voice = { $case: 'voice' as const, voice: { media: MEDIA, waveform: Buffer.from([1, 2]) } };
    const audio = { $case: 'audio' as const, audio: { media: MEDIA } };
    const document = { $case: 'document' as const, document: { media: { ...MEDIA, fileName: 'a.pdf' } } };
    const sticker = { $case: 'sticker' as const, sticker: { media: MEDIA, animated: true } };
    expect((await compose({ body: voice }))?.message?.audioMessage).toMatchObject({ ptt: true, seconds: 2 });
    expect((await compose({ body: audio }))?.message?.audioMessage?.ptt).toBeFalsy();
    expect((await compose({ body: document }))?.message?.documentMessage).toMatchObject({
      fileName: 'a.pdf',
    });
    expect((await compose({ body: sticker }))?.message?.stickerMessage).toMatchObject({ isAnimated: true });
    expect(await compose({ body: { $case: 'text' as const, text: { body: 'no file' } } })).toBeUndefined();
  });
});
