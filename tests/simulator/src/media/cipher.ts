import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';

/** Names that WhatsApp derives a file's keys with, by the kind of message that carries it. */
const KEY_NAMES = {
  image: 'WhatsApp Image Keys',
  sticker: 'WhatsApp Image Keys',
  video: 'WhatsApp Video Keys',
  audio: 'WhatsApp Audio Keys',
  document: 'WhatsApp Document Keys',
} as const;

export type FileKind = keyof typeof KEY_NAMES;

export const FILE_KINDS = Object.keys(KEY_NAMES) as FileKind[];

const MAC_BYTES = 10;

function keysOf(mediaKey: Uint8Array, kind: FileKind) {
  const expanded = Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(0), KEY_NAMES[kind], 112));
  return { iv: expanded.subarray(0, 16), key: expanded.subarray(16, 48), mac: expanded.subarray(48, 80) };
}

/** What a message says of its file. */
export interface Sealed {
  mediaKey: Buffer;
  fileSha256: Buffer;
  fileEncSha256: Buffer;
  fileLength: number;
}

/** Encrypts a file on its way, and puts its authentication code behind it. */
export class Encryption extends Transform {
  readonly mediaKey = randomBytes(32);
  private readonly cipher;
  private readonly mac;
  private readonly plain = createHash('sha256');
  private readonly encrypted = createHash('sha256');
  private length = 0;
  private digests: { plain: Buffer; encrypted: Buffer } | undefined;

  constructor(kind: FileKind) {
    super();
    const keys = keysOf(this.mediaKey, kind);
    this.cipher = createCipheriv('aes-256-cbc', keys.key, keys.iv);
    this.mac = createHmac('sha256', keys.mac).update(keys.iv);
  }

  /** Known when the stream has ended. */
  get sealed(): Sealed {
    if (!this.digests) throw new Error('the file is not encrypted yet');
    const { plain, encrypted } = this.digests;
    return {
      mediaKey: this.mediaKey,
      fileSha256: plain,
      fileEncSha256: encrypted,
      fileLength: this.length,
    };
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.plain.update(chunk);
    this.length += chunk.length;
    this.put(this.cipher.update(chunk));
    done();
  }

  override _flush(done: TransformCallback): void {
    this.put(this.cipher.final());
    const code = this.mac.digest().subarray(0, MAC_BYTES);
    this.encrypted.update(code);
    this.push(code);
    this.digests = { plain: this.plain.digest(), encrypted: this.encrypted.digest() };
    done();
  }

  private put(bytes: Buffer): void {
    this.mac.update(bytes);
    this.encrypted.update(bytes);
    this.push(bytes);
  }
}

/** A file as its recipient finds it. */
export interface Opened {
  sha256: string;
  size: number;
}

/**
 * Decrypts a file and checks its authentication code, as a phone does.
 *
 * @throws when the code is wrong or the file is cut short
 */
export async function openFile(
  encrypted: AsyncIterable<Buffer>,
  mediaKey: Uint8Array,
  kind: FileKind,
): Promise<Opened> {
  const keys = keysOf(mediaKey, kind);
  const decipher = createDecipheriv('aes-256-cbc', keys.key, keys.iv);
  const mac = createHmac('sha256', keys.mac).update(keys.iv);
  const plain = createHash('sha256');
  let size = 0;
  let held: Buffer = Buffer.alloc(0);
  const take = (bytes: Buffer) => {
    plain.update(bytes);
    size += bytes.length;
  };
  for await (const chunk of encrypted) {
    const joined = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    const ready = joined.subarray(0, Math.max(0, joined.length - MAC_BYTES));
    mac.update(ready);
    take(decipher.update(ready));
    held = joined.subarray(ready.length);
  }
  if (!mac.digest().subarray(0, MAC_BYTES).equals(held)) throw new Error('the file was changed on its way');
  take(decipher.final());
  return { sha256: plain.digest('hex'), size };
}
