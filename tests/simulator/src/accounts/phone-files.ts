import { createReadStream } from 'node:fs';
import { type Readable, Readable as Streams } from 'node:stream';
import type { proto } from '@whiskeysockets/baileys';
import { Encryption, type FileKind, openFile, type Sealed } from '../media/cipher.ts';
import type { MediaStore } from '../media/store.ts';

/** Where the files of this WhatsApp are. */
export interface FileHost {
  store: MediaStore;
  /** Base of the URLs that messages carry. */
  url(): string;
}

/** A file that came with a message; `sha256` is empty where it could not be opened. */
export interface PhoneFile {
  mime_type: string;
  size: number;
  sha256: string;
  /** It has a thumbnail, and for a voice note a waveform, of so many bytes. */
  thumbnail_bytes: number;
  waveform_bytes: number;
  seconds: number;
  file_name: string | null;
}

/** A file to send: from this machine's disk, or so many bytes of nothing in particular. */
export interface FileToSend {
  kind: FileKind;
  path: string | undefined;
  size: number;
  mime_type: string;
  caption: string | undefined;
  file_name: string | undefined;
  voice: boolean;
}

const BLOCK = Buffer.alloc(64 * 1024, 'ponte ');

/** Opens the file of a message as the phone's app would; undefined where it has none. */
export async function receiveFile(host: FileHost, message: proto.IMessage): Promise<PhoneFile | undefined> {
  const found = fileOf(message);
  if (!found) return undefined;
  const { kind, fields } = found;
  const stored = host.store.get(fields.directPath ?? '');
  const noted = {
    mime_type: fields.mimetype ?? '',
    thumbnail_bytes: fields.jpegThumbnail?.length ?? 0,
    waveform_bytes: fields.waveform?.length ?? 0,
    seconds: fields.seconds ?? 0,
    file_name: fields.fileName ?? null,
  };
  if (!stored || !fields.mediaKey) return { ...noted, size: 0, sha256: '' };
  try {
    const bytes = stored.handle.createReadStream({ start: 0, autoClose: false });
    return { ...noted, ...(await openFile(bytes, fields.mediaKey, kind)) };
  } catch {
    return { ...noted, size: 0, sha256: '' };
  }
}

/** Encrypts and uploads a file; gives the message that carries it. */
export async function uploadFile(
  host: FileHost,
  file: FileToSend,
): Promise<{ message: proto.IMessage; path: string; sealed: Sealed }> {
  const encryption = new Encryption(file.kind);
  const source = file.path ? createReadStream(file.path) : filler(file.size);
  source.once('error', (error: Error) => encryption.destroy(error));
  const path = await host.store.add(source.pipe(encryption));
  const fields = {
    ...encryption.sealed,
    url: host.url() + path,
    directPath: path,
    mimetype: file.mime_type,
    mediaKeyTimestamp: Math.floor(Date.now() / 1000),
    ...(file.caption ? { caption: file.caption } : {}),
    ...(file.file_name ? { fileName: file.file_name } : {}),
    ...(file.voice ? { ptt: true } : {}),
  };
  return { message: { [`${file.kind}Message`]: fields }, path, sealed: encryption.sealed };
}

function filler(size: number): Readable {
  return Streams.from(
    (function* () {
      for (let left = size; left > 0; left -= BLOCK.length)
        yield BLOCK.subarray(0, Math.min(left, BLOCK.length));
    })(),
  );
}

interface FileFields {
  directPath?: string | null;
  mediaKey?: Uint8Array | null;
  mimetype?: string | null;
  jpegThumbnail?: Uint8Array | null;
  waveform?: Uint8Array | null;
  seconds?: number | null;
  fileName?: string | null;
}

function fileOf(message: proto.IMessage): { kind: FileKind; fields: FileFields } | undefined {
  const inner =
    message.ephemeralMessage?.message ??
    message.viewOnceMessage?.message ??
    message.viewOnceMessageV2?.message ??
    message.associatedChildMessage?.message ??
    message.documentWithCaptionMessage?.message;
  if (inner) return fileOf(inner);
  const candidates: [FileKind, FileFields | null | undefined][] = [
    ['image', message.imageMessage],
    ['video', message.videoMessage ?? message.ptvMessage],
    ['audio', message.audioMessage],
    ['document', message.documentMessage],
    ['sticker', message.stickerMessage],
  ];
  for (const [kind, fields] of candidates) if (fields) return { kind, fields };
  return undefined;
}
