import { deflateSync } from 'node:zlib';
import { encodeBinaryNode, proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { describe as describeMessage } from '../src/accounts/messages.ts';
import { BoundedLog, BoundedSet } from '../src/bounded.ts';
import { createServerIdentity, DEFAULT_ROOT_SEED, rootKeys } from '../src/wire/certificates.ts';
import { decodeNode, FrameReader, frame, takeHeader } from '../src/wire/frames.ts';
import { lidJid, parseJid, phoneJid } from '../src/wire/jid.ts';
import { generateKeyPair, isSignedBy, sign } from '../src/wire/keys.ts';
import { node } from '../src/wire/nodes.ts';
import { NoiseResponder, Transport } from '../src/wire/noise.ts';

describe('certificates', () => {
  const { certificateChain, staticKeys, rootPublicKey } = createServerIdentity(DEFAULT_ROOT_SEED);
  const { intermediate, leaf } = proto.CertChain.decode(certificateChain);
  const { Details } = proto.CertChain.NoiseCertificate;
  const middle = Details.decode(intermediate?.details ?? new Uint8Array());
  const end = Details.decode(leaf?.details ?? new Uint8Array());

  test('the chain leads from the root to the static key', () => {
    const valid = (key: Uint8Array, certificate: typeof leaf) =>
      isSignedBy(key, certificate?.details ?? new Uint8Array(), certificate?.signature ?? new Uint8Array());
    expect(valid(rootPublicKey, intermediate)).toBe(true);
    expect(valid(middle.key ?? new Uint8Array(), leaf)).toBe(true);
    expect(valid(rootPublicKey, leaf)).toBe(false);
    expect(Buffer.from(end.key ?? [])).toEqual(staticKeys.publicKey);
    expect(middle.issuerSerial).toBe(0);
  });

  test('the root depends on its seed only', () => {
    expect(rootKeys('a').publicKey).toEqual(rootKeys('a').publicKey);
    expect(rootKeys('a').publicKey).not.toEqual(rootKeys('b').publicKey);
  });

  test('a signature over something else is not accepted', () => {
    const pair = generateKeyPair();
    const signature = sign(pair.privateKey, Buffer.from('this'));
    expect(isSignedBy(pair.publicKey, Buffer.from('this'), signature)).toBe(true);
    expect(isSignedBy(pair.publicKey, Buffer.from('that'), signature)).toBe(false);
  });
});

describe('frames', () => {
  test('are put together from any pieces', () => {
    const bytes = Buffer.concat([
      frame(Buffer.from('one')),
      frame(Buffer.from('')),
      frame(Buffer.from('three')),
    ]);
    const reader = new FrameReader();
    const read = [...bytes].flatMap((byte) => reader.push(Buffer.from([byte])));
    expect(read.map(String)).toEqual(['one', '', 'three']);
    expect(new FrameReader().push(bytes).map(String)).toEqual(['one', '', 'three']);
  });

  test('follow the protocol header, which routing information may precede', () => {
    const header = Buffer.from([87, 65, 6, 3]);
    expect(takeHeader(header.subarray(0, 3))).toBeUndefined();
    expect(takeHeader(Buffer.concat([header, Buffer.from('x')]))?.rest.toString()).toBe('x');
    const routing = Buffer.from([69, 68, 0, 1, 0, 0, 2, 9, 9]);
    expect(takeHeader(routing)).toBeUndefined();
    expect(takeHeader(Buffer.concat([routing, header]))?.header).toEqual(header);
    expect(() => takeHeader(Buffer.from('GET /'))).toThrow('not a WhatsApp client');
  });

  test('hold stanzas, compressed ones too', () => {
    const stanza = node('iq', { id: '1', to: '5511999990001:3@s.whatsapp.net' }, [node('ping')]);
    const encoded = encodeBinaryNode(stanza);
    expect(decodeNode(encoded)).toEqual(stanza);
    expect(decodeNode(Buffer.concat([Buffer.from([2]), deflateSync(encoded.subarray(1))]))).toEqual(stanza);
  });
});

describe('noise', () => {
  test('both directions decrypt, and a changed byte is noticed', () => {
    const [a, b] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const server = new Transport(a, b);
    const client = new Transport(b, a);
    expect(client.decrypt(server.encrypt(Buffer.from('down'))).toString()).toBe('down');
    expect(server.decrypt(client.encrypt(Buffer.from('up'))).toString()).toBe('up');
    const changed = server.encrypt(Buffer.from('down again'));
    changed.writeUInt8(changed.readUInt8(0) ^ 1, 0);
    expect(() => client.decrypt(changed)).toThrow();
    expect(() => client.decrypt(Buffer.alloc(3))).toThrow('shorter');
  });

  test('a client that does not know its key is refused', () => {
    const { staticKeys, certificateChain } = createServerIdentity('seed');
    const responder = new NoiseResponder(Buffer.from([87, 65, 6, 3]));
    responder.hello(generateKeyPair().publicKey, staticKeys, certificateChain);
    expect(() => responder.finish({ static: Buffer.alloc(48), payload: Buffer.alloc(48) })).toThrow();
  });
});

describe('addresses', () => {
  test('are read with and without device', () => {
    expect(parseJid('5511@s.whatsapp.net')).toEqual({ user: '5511', device: 0, lid: false });
    expect(parseJid('77:12@lid')).toEqual({ user: '77', device: 12, lid: true });
    for (const other of ['', '@s.whatsapp.net', '1-2@g.us', 'status@broadcast', 'x']) {
      expect(parseJid(other)).toBeUndefined();
    }
    expect([phoneJid('1'), phoneJid('1', 2), lidJid('1', 3)]).toEqual([
      '1@s.whatsapp.net',
      '1:2@s.whatsapp.net',
      '1:3@lid',
    ]);
  });
});

describe('messages', () => {
  test.each([
    ['text', 'hi', { conversation: 'hi' }],
    ['text', 'long', { extendedTextMessage: { text: 'long' } }],
    ['text', 'brief', { ephemeralMessage: { message: { conversation: 'brief' } } }],
    ['image', 'a caption', { imageMessage: { caption: 'a caption' } }],
    ['audio', null, { audioMessage: { ptt: true } }],
    ['reaction', '👍', { reactionMessage: { text: '👍' } }],
  ])('a %s is described', (kind, text, message) => {
    expect(describeMessage(message)).toEqual({ kind, text });
  });

  test('what is no chat message has no description', () => {
    expect(describeMessage({ protocolMessage: {} })).toBeUndefined();
    expect(describeMessage({ messageContextInfo: {} })).toBeUndefined();
  });
});

describe('bounded collections', () => {
  test('a log gives what came after a number, without what it forgot', () => {
    const log = new BoundedLog<{ name: string }>(10);
    for (let index = 1; index <= 25; index++) log.add({ name: `n${index}` });
    expect(log.last).toBe(25);
    expect(log.after(23).map(({ name }) => name)).toEqual(['n24', 'n25']);
    expect(log.after(0).length).toBeLessThanOrEqual(11);
    expect(log.after(0, 1)[0]?.seq).toBeGreaterThan(10);
    expect(log.after(25)).toEqual([]);
  });

  test('a set forgets its oldest member', () => {
    const set = new BoundedSet(2);
    expect([set.add('a'), set.add('a'), set.add('b'), set.add('c'), set.add('a')]).toEqual([
      true,
      false,
      true,
      true,
      true,
    ]);
  });
});
