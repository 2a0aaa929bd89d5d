import { inflateSync } from 'node:zlib';
import { type BinaryNode, decodeDecompressedBinaryNode } from '@whiskeysockets/baileys';
import * as dictionary from '@whiskeysockets/baileys/lib/WABinary/constants.js';

const HEADER_LENGTH = 4;
const ROUTING_PREFIX_LENGTH = 7;
const COMPRESSED = 2;

/** Splits a byte stream into frames of a three-byte length and a body. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);

  /** Adds received bytes and returns the frames that are now complete. */
  push(bytes: Buffer): Buffer[] {
    const data = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    const frames: Buffer[] = [];
    let offset = 0;
    while (data.length - offset >= 3) {
      const end = offset + 3 + data.readUIntBE(offset, 3);
      if (data.length < end) break;
      frames.push(data.subarray(offset + 3, end));
      offset = end;
    }
    this.rest = data.subarray(offset);
    return frames;
  }
}

/** Body with its three-byte length in front. */
export function frame(body: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(3 + body.length);
  framed.writeUIntBE(body.length, 0, 3);
  framed.set(body, 3);
  return framed;
}

/**
 * Takes the protocol header (`WA` and two version bytes) from a connection's first bytes; routing information
 * (`ED`, version, length, data) may precede it. Returns undefined while bytes are missing, throws when it is no
 * WhatsApp client.
 */
export function takeHeader(bytes: Buffer): { header: Buffer; rest: Buffer } | undefined {
  if (bytes.length < HEADER_LENGTH) return undefined;
  let start = 0;
  if (bytes.toString('latin1', 0, 2) === 'ED') {
    if (bytes.length < ROUTING_PREFIX_LENGTH) return undefined;
    start = ROUTING_PREFIX_LENGTH + bytes.readUIntBE(4, 3);
    if (bytes.length < start + HEADER_LENGTH) return undefined;
  }
  const header = bytes.subarray(start, start + HEADER_LENGTH);
  if (header.toString('latin1', 0, 2) !== 'WA') throw new Error('not a WhatsApp client');
  return { header, rest: bytes.subarray(start + HEADER_LENGTH) };
}

/** Decodes a decrypted frame at once (Baileys' own decoder is asynchronous only for the sake of inflate). */
export function decodeNode(bytes: Buffer): BinaryNode {
  const flags = bytes.readUInt8(0);
  const body = flags & COMPRESSED ? inflateSync(bytes.subarray(1)) : bytes.subarray(1);
  return decodeDecompressedBinaryNode(body, dictionary);
}
