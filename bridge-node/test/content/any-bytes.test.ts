import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { readContent } from '../../src/content/incoming.js';
import { InboundMessage } from '../../src/generated/ponte/bridge/v1/bridge.js';
import { readInbound } from '../../src/inbound.js';

const ME = { id: '5511900000000:3@s.whatsapp.net', lid: '900:3@lid' };
const PEER = '5511911111111@s.whatsapp.net';
const STANZA = { tag: 'message', attrs: { id: 'ID1', t: '1700000000', from: PEER } };
const ROUNDS = 1500;

/** Numbers of 0 to below 1, the same in every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function randomBytes(next: () => number, most: number): Buffer {
  return Buffer.from(Array.from({ length: Math.floor(next() * most) }, () => Math.floor(next() * 256)));
}

/** Bytes that are a message as far as tags and lengths go: fields within fields, with any values. */
function fieldsWithin(next: () => number, depth: number): Buffer {
  const parts: Buffer[] = [];
  for (let count = 1 + Math.floor(next() * 4); count > 0; count--) {
    const field = 1 + Math.floor(next() * 110);
    const wireType = [0, 1, 2, 2, 2, 5][Math.floor(next() * 6)] as number;
    parts.push(varint((field << 3) | wireType));
    if (wireType === 0) parts.push(varint(Math.floor(next() * 2 ** 31)));
    else if (wireType === 1) parts.push(Buffer.alloc(8, Math.floor(next() * 256)));
    else if (wireType === 5) parts.push(Buffer.from([1, 2, 3, Math.floor(next() * 256)]));
    else {
      const inner = depth > 0 && next() < 0.7 ? fieldsWithin(next, depth - 1) : randomBytes(next, 24);
      parts.push(varint(inner.length), inner);
    }
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value >>> 0;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function tryRead(bytes: Buffer): string {
  const padded = Buffer.concat([bytes, Buffer.from([1])]);
  const inbound = readInbound(STANZA, padded, ME, PEER);
  if (!inbound) return '';
  // It must also fit the contract: a number out of bounds would break the stream.
  const message = { requestId: 1, companyId: 'c', sessionId: 's', ...inbound };
  const back = InboundMessage.decode(InboundMessage.encode(message).finish());
  expect(back.kind).toBe(inbound.kind);
  return inbound.kind;
}

describe('any bytes as a message', () => {
  it('are read or kept, whatever they are', () => {
    const next = random(7);
    const kinds = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) kinds.add(tryRead(randomBytes(next, 60)));
    for (let round = 0; round < ROUNDS; round++) kinds.add(tryRead(fieldsWithin(next, 4)));
    expect(kinds).toContain('unknown');
    expect(kinds.size).toBeGreaterThan(8);
  });

  it('are read or kept where a known message is damaged', () => {
    const next = random(11);
    const messages: proto.IMessage[] = [
      { pollCreationMessageV3: { name: '?', options: [{ optionName: 'a' }], selectableOptionsCount: 1 } },
      { locationMessage: { degreesLatitude: 1, degreesLongitude: 2, name: 'here' } },
      { eventMessage: { name: 'party', startTime: 1_700_000_000, location: { degreesLatitude: 3 } } },
      { interactiveMessage: { nativeFlowMessage: { buttons: [{ buttonParamsJson: '{"id":"x"}' }] } } },
      { protocolMessage: { type: 14, key: { id: 'A' }, editedMessage: { conversation: 'new' } } },
    ];
    for (const message of messages) {
      const good = Buffer.from(proto.Message.encode(message).finish());
      for (let round = 0; round < ROUNDS / 5; round++) {
        const damaged = Buffer.from(good);
        for (let hit = 0; hit < 1 + next() * 3; hit++) {
          damaged[Math.floor(next() * damaged.length)] = Math.floor(next() * 256);
        }
        tryRead(damaged);
      }
    }
  });

  it('are kept where numbers are beyond every bound', () => {
    const extreme: proto.IMessage[] = [
      { locationMessage: { degreesLatitude: Number.NaN, degreesLongitude: Number.POSITIVE_INFINITY } },
      { eventMessage: { name: 'x', startTime: Number.MAX_SAFE_INTEGER } },
      { imageMessage: { fileLength: Number.MAX_SAFE_INTEGER, width: -1, height: 2 ** 31 - 1 } },
      { extendedTextMessage: { text: 'x', contextInfo: { expiration: 2 ** 32 - 1 } } },
      { interactiveMessage: { nativeFlowMessage: { buttons: [{ buttonParamsJson: '[1' }] } } },
    ];
    for (const message of extreme) tryRead(Buffer.from(proto.Message.encode(message).finish()));
  });

  it('may be nested without end', () => {
    let message: proto.IMessage = { conversation: 'deep' };
    for (let depth = 0; depth < 200; depth++) message = { ephemeralMessage: { message } };
    expect(() => readContent(message)).not.toThrow();
  });
});
