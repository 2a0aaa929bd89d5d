import { EventEmitter } from 'node:events';
import {
  type BinaryNode,
  proto,
  type SignalKeyStoreWithTransaction,
  type SignalRepositoryWithLIDStore,
} from '@whiskeysockets/baileys';
import { describe, expect, it, vi } from 'vitest';
import { type InboundContent, InboundRecorder, readInbound } from '../src/inbound.js';

const ME = { id: '5511900000000:3@s.whatsapp.net', lid: '900:3@lid' };
const PEER = '5511911111111@s.whatsapp.net';
const PEER_LID = '911@lid';

/** Signal's padding: one to sixteen bytes that each say how many they are. */
function padded(message: proto.IMessage): Uint8Array {
  return Buffer.concat([proto.Message.encode(message).finish(), Buffer.from([1])]);
}

function stanza(attrs: Record<string, string>, ...ciphertexts: Uint8Array[]): BinaryNode {
  const content = ciphertexts.map((content) => ({ tag: 'enc', attrs: { type: 'msg' }, content }));
  return { tag: 'message', attrs: { id: 'ID1', t: '1700000000', ...attrs }, content };
}

const fromPeer = { from: '5511911111111:2@s.whatsapp.net', sender_lid: PEER_LID, notify: 'Ana' };

describe('readInbound', () => {
  it('reads a text of a contact with both ids', () => {
    expect(readInbound(stanza(fromPeer), padded({ conversation: 'hi' }), ME, PEER_LID)).toMatchObject({
      waMessageId: 'ID1',
      chatJid: PEER,
      sender: { pnJid: PEER, lidJid: PEER_LID },
      chat: { pnJid: PEER, lidJid: PEER_LID },
      fromMe: false,
      isGroup: false,
      pushName: 'Ana',
      sentAtMs: 1700000000000,
      offline: false,
      kind: 'text',
      text: 'hi',
      messageProto: Buffer.from(proto.Message.encode({ conversation: 'hi' }).finish()),
    });
  });

  it('reads a lid-addressed message that waited at the server', () => {
    const attrs = { from: PEER_LID, sender_pn: PEER, addressing_mode: 'lid', offline: '1' };
    const content = readInbound(stanza(attrs), padded({ extendedTextMessage: { text: 'hi' } }), ME, PEER_LID);
    expect(content).toMatchObject({ chatJid: PEER_LID, offline: true, text: 'hi', kind: 'text' });
    expect(content?.sender).toEqual({ pnJid: PEER, lidJid: PEER_LID });
  });

  it('gives a copy of an own message to the chat it went to', () => {
    const attrs = { from: ME.id, recipient: PEER, recipient_lid: PEER_LID };
    const sent = { deviceSentMessage: { destinationJid: PEER, message: { conversation: 'mine' } } };
    const content = readInbound(stanza(attrs), padded(sent), ME, '900@lid');
    expect(content).toMatchObject({ fromMe: true, chatJid: PEER, text: 'mine' });
    expect(content?.chat).toEqual({ pnJid: PEER, lidJid: PEER_LID });
    expect(content?.sender?.pnJid).toBe('5511900000000@s.whatsapp.net');
    expect(proto.Message.decode(content?.messageProto ?? Buffer.alloc(0)).conversation).toBe('mine');
  });

  it('reads a group message with its participant', () => {
    const attrs = { from: '123@g.us', participant: PEER_LID, participant_pn: PEER, addressing_mode: 'lid' };
    const content = readInbound(stanza(attrs), padded({ conversation: 'all' }), ME, PEER_LID);
    expect(content).toMatchObject({ isGroup: true, chatJid: '123@g.us', chat: { pnJid: '', lidJid: '' } });
    expect(content?.sender).toEqual({ pnJid: PEER, lidJid: PEER_LID });
  });

  it('looks inside disappearing and view-once messages', () => {
    const ephemeral = { ephemeralMessage: { message: { extendedTextMessage: { text: 'soon gone' } } } };
    expect(readInbound(stanza(fromPeer), padded(ephemeral), ME, PEER)).toMatchObject({
      kind: 'text',
      text: 'soon gone',
    });
    const once = { viewOnceMessageV2: { message: { imageMessage: { caption: 'look' } } } };
    expect(readInbound(stanza(fromPeer), padded(once), ME, PEER)).toMatchObject({
      kind: 'image',
      content: { viewOnce: true, body: { image: { caption: 'look' } } },
    });
  });

  it.each<[string, Record<string, string>, proto.IMessage]>([
    ['a sender key', fromPeer, { senderKeyDistributionMessage: { groupId: '1@g.us' } }],
    ['an application state key', fromPeer, { protocolMessage: { type: 6, appStateSyncKeyShare: {} } }],
    ['a peer message', { from: ME.id, category: 'peer' }, { conversation: 'x' }],
    ['a status update', { from: 'status@broadcast', participant: PEER }, { conversation: 'x' }],
    ['an empty message', fromPeer, {}],
  ])('records nothing for %s', (_name, attrs, message) => {
    expect(readInbound(stanza(attrs), padded(message), ME, PEER)).toBeUndefined();
  });

  it('records a message that brings its sender key along', () => {
    const both = { senderKeyDistributionMessage: { groupId: '1@g.us' }, conversation: 'x' };
    expect(readInbound(stanza(fromPeer), padded(both), ME, PEER)?.text).toBe('x');
  });
});

describe('InboundRecorder', () => {
  function setUp(record: (content: InboundContent) => Promise<void>) {
    const steps: string[] = [];
    const plaintexts = new Map<Uint8Array, Uint8Array>();
    const decrypt = async (ciphertext: Uint8Array) => {
      steps.push('decrypt');
      return plaintexts.get(ciphertext) ?? new Uint8Array();
    };
    const repository = {
      decryptMessage: (options: { ciphertext: Uint8Array }) => decrypt(options.ciphertext),
      decryptGroupMessage: (options: { msg: Uint8Array }) => decrypt(options.msg),
      injectE2ESession: async () => void steps.push('inject'),
      jidToSignalProtocolAddress: (jid: string) => jid,
      lidMapping: { getLIDForPN: async () => PEER_LID, getPNForLID: async () => PEER },
    } as unknown as SignalRepositoryWithLIDStore;
    const keys = {
      transaction: async <T>(work: () => Promise<T>, key: string) => {
        steps.push(`begin ${key}`);
        const value = await work();
        steps.push('commit');
        return value;
      },
    } as unknown as SignalKeyStoreWithTransaction;
    const ws = Object.assign(new EventEmitter(), { isOpen: true });
    const recorder = new InboundRecorder(
      () => ME,
      async (content) => {
        steps.push('record');
        await record(content);
      },
      async () => undefined,
      async (padded) => padded,
    );
    const wrapped = recorder.wrap(repository, keys);
    return { steps, plaintexts, ws, recorder, wrapped };
  }

  it('records before the ratchet is committed and before decryption returns', async () => {
    const { steps, plaintexts, ws, recorder, wrapped } = setUp(async () => undefined);
    const ciphertext = Buffer.from('c');
    plaintexts.set(ciphertext, padded({ conversation: 'hi' }));
    recorder.takeOver(ws);
    ws.emit('CB:message', stanza(fromPeer, ciphertext));
    await wrapped.decryptMessage({ jid: PEER, type: 'msg', ciphertext });
    expect(steps).toEqual([`begin ${ME.id}`, 'decrypt', 'record', 'commit']);
  });

  it('begins a session that was asked for in the transaction that sends and decryptions take', async () => {
    const { steps, wrapped } = setUp(async () => undefined);
    type Options = Parameters<typeof wrapped.injectE2ESession>[0];
    await wrapped.injectE2ESession({ jid: PEER } as Options);
    expect(steps).toEqual([`begin ${ME.id}`, 'inject', 'commit']);
  });

  it('hands stanzas over one at a time, as they came, waiting ones and live ones alike', async () => {
    const { ws, recorder } = setUp(async () => undefined);
    const steps: string[] = [];
    const finish: (() => void)[] = [];
    ws.on('CB:message', async ({ attrs }: BinaryNode) => {
      steps.push(`${attrs.id} ${attrs.offline ?? 'live'}`);
      await new Promise<void>((resolve) => finish.push(resolve));
    });
    recorder.takeOver(ws);
    ws.emit('CB:message', stanza({ ...fromPeer, id: 'A', offline: '1' }));
    ws.emit('CB:message', stanza({ ...fromPeer, id: 'B' }));
    expect(steps).toEqual(['A live']);
    finish[0]?.();
    await vi.waitUntil(() => steps.length === 2);
    expect(steps[1]).toBe('B live');
  });

  it('drops what waits when the connection is gone: it comes again at the next login', async () => {
    const { ws, recorder } = setUp(async () => undefined);
    const baileys = vi.fn(async () => undefined);
    ws.on('CB:message', baileys);
    recorder.takeOver(ws);
    ws.isOpen = false;
    ws.emit('CB:message', stanza(fromPeer));
    await Promise.resolve();
    expect(baileys).not.toHaveBeenCalled();
  });

  it('throws without a commit when the message could not be recorded', async () => {
    const { steps, plaintexts, ws, recorder, wrapped } = setUp(async () => {
      throw new Error('database is down');
    });
    const ciphertext = Buffer.from('c');
    plaintexts.set(ciphertext, padded({ conversation: 'hi' }));
    recorder.takeOver(ws);
    ws.emit('CB:message', stanza(fromPeer, ciphertext));
    await expect(wrapped.decryptMessage({ jid: PEER, type: 'msg', ciphertext })).rejects.toThrow(
      'database is down',
    );
    expect(steps).not.toContain('commit');
  });

  it('records a message of several ciphertexts once', async () => {
    const record = vi.fn(async () => undefined);
    const { plaintexts, ws, recorder, wrapped } = setUp(record);
    const [key, first, second] = [Buffer.from('k'), Buffer.from('a'), Buffer.from('b')];
    plaintexts.set(key, padded({ senderKeyDistributionMessage: { groupId: '1@g.us' } }));
    plaintexts.set(first, padded({ conversation: 'hi' }));
    plaintexts.set(second, padded({ conversation: 'hi' }));
    recorder.takeOver(ws);
    const attrs = { from: '1@g.us', participant: PEER };
    ws.emit('CB:message', stanza(attrs, key, first, second));
    await wrapped.decryptMessage({ jid: PEER, type: 'pkmsg', ciphertext: key });
    await wrapped.decryptGroupMessage({ group: '1@g.us', authorJid: PEER, msg: first });
    await wrapped.decryptGroupMessage({ group: '1@g.us', authorJid: PEER, msg: second });
    expect(record).toHaveBeenCalledOnce();
    expect(record).toHaveBeenCalledWith(
      expect.objectContaining({ sender: { pnJid: PEER, lidJid: PEER_LID } }),
    );
  });
});
