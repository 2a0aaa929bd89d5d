import { Boom } from '@hapi/boom';
import type { AuthenticationCreds, BinaryNode, WAMessage } from '@whiskeysockets/baileys';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CloseSignal } from '../src/close-signal.js';
import { type RunAhead, Sender, type SendingSocket } from '../src/commands/send.js';
import { EMPTY } from '../src/content/incoming.js';
import type { ReceiptContent } from '../src/events/receipts.js';
import { ReceiptKind, type SendMessage, SendOutcome } from '../src/generated/ponte/bridge/v1/bridge.js';
import { GroupMemory } from '../src/groups/group-memory.js';
import { UnansweredError } from '../src/groups/group-queries.js';
import { GROUP_STANZA } from './support/group-stanza.js';

const CHAT = '5511911111111@s.whatsapp.net';
const DEVICE = '5511911111111:3@s.whatsapp.net';
const GROUP = '120363000000000000@g.us';
const { SEND_OUTCOME_ACKNOWLEDGED, SEND_OUTCOME_AMBIGUOUS, SEND_OUTCOME_NOT_SENT, SEND_OUTCOME_REJECTED } =
  SendOutcome;

function command(id: string, chatJid = CHAT, body = 'hi'): SendMessage {
  const content = { $case: 'text' as const, text: { body } };
  return { requestId: 1, waMessageId: id, chatJid, content, files: [], freshRecipient: false, typingMs: 0 };
}

function ack(id: string, attrs: Record<string, string> = {}) {
  return { tag: 'ack', attrs: { class: 'message', id, from: CHAT, ...attrs } };
}

function setUp({
  ackTimeoutMs = 1000,
  open = true,
  durable = Promise.resolve(),
  lid = '911@lid' as string | null,
} = {}) {
  const calls: { jid: string; id: string; resolve(): void; reject(error: unknown): void }[] = [];
  const sendMessage = vi.fn<SendingSocket['sendMessage']>(
    (jid, _content, { messageId = '' }) =>
      new Promise<WAMessage>((resolve, reject) => {
        const message = { key: { id: messageId }, message: { conversation: 'hi' } } as WAMessage;
        calls.push({ jid, id: messageId, resolve: () => resolve(message), reject });
      }),
  );
  const lidMapping = { getLIDForPN: async () => lid, getPNForLID: async () => null };
  const closeSignal = new CloseSignal();
  const runAhead: RunAhead = async (work) => ({ value: await work(), durable });
  const late: ReceiptContent[] = [];
  const fresh = {
    getUSyncDevices: vi.fn(async () => [{ user: '5511911111111', device: 3, jid: DEVICE }]),
    assertSessions: vi.fn(async () => true),
    authState: {
      creds: { me: { id: '5511900000001:2@s.whatsapp.net' } } as AuthenticationCreds,
      keys: { transaction: <T>(work: () => Promise<T>) => work() },
    },
    onWhatsApp: vi.fn(async (): Promise<{ exists: boolean }[] | undefined> => [{ exists: true }]),
  };
  const askGroup = vi.fn(async (): Promise<BinaryNode> => GROUP_STANZA);
  const groups = new GroupMemory(askGroup);
  const relayMessage = vi.fn(async () => 'ID');
  const sendPresenceUpdate = vi.fn(async () => undefined);
  const sock: SendingSocket = {
    sendMessage,
    relayMessage,
    sendPresenceUpdate,
    waUploadToServer: vi.fn(async () => ({ mediaUrl: '', directPath: '' })),
    signalRepository: { lidMapping },
    ...fresh,
  };
  const sender = new Sender(
    sock,
    runAhead,
    () => open,
    closeSignal,
    ackTimeoutMs,
    (receipt) => late.push(receipt),
    async () => undefined,
    async () => undefined,
    groups,
  );
  return { sender, calls, closeSignal, late, sendMessage, relayMessage, sendPresenceUpdate, fresh, askGroup };
}

/** Answers a send as Baileys does for a poll. */
const POLL_SENT = { message: { pollCreationMessage: { name: '?', options: [] } } } as unknown as WAMessage;

afterEach(() => vi.useRealTimers());

describe('Sender', () => {
  it('knows the newest polls it has sent before they are acknowledged', async () => {
    const { sender, sendMessage } = setUp({ ackTimeoutMs: 5000 });
    sendMessage.mockResolvedValue(POLL_SENT);
    const sends = Array.from({ length: 21 }, (_, number) => sender.send(command(`P${number}`)));
    await vi.waitUntil(() => sender.recentPoll('P20'));
    expect(sender.recentPoll('P0')).toBeUndefined();
    expect(sender.recentPoll('P1')).toBeDefined();
    for (let number = 0; number <= 20; number++) sender.handleAck(ack(`P${number}`));
    await Promise.all(sends);
  });

  it('shows typing before it sends, and holds up no other chat meanwhile', async () => {
    vi.useFakeTimers();
    const { sender, calls, sendPresenceUpdate } = setUp();
    const typed = sender.send({ ...command('typed'), typingMs: 1500 });
    const other = sender.send(command('other', '5511922222222@s.whatsapp.net'));
    await vi.advanceTimersByTimeAsync(1400);
    expect(calls.map((call) => call.id)).toEqual(['other']);
    expect(sendPresenceUpdate).toHaveBeenCalledWith('composing', CHAT);
    await vi.advanceTimersByTimeAsync(200);
    expect(calls.map((call) => call.id)).toEqual(['other', 'typed']);
    for (const call of calls) call.resolve();
    await vi.advanceTimersByTimeAsync(1);
    sender.handleAck(ack('typed'));
    sender.handleAck(ack('other'));
    expect((await typed).outcome).toBe(SEND_OUTCOME_ACKNOWLEDGED);
    expect((await other).outcome).toBe(SEND_OUTCOME_ACKNOWLEDGED);
  });

  it('sends nothing when the session ends while typing is shown', async () => {
    const { sender, calls, closeSignal } = setUp();
    const typed = sender.send({ ...command('typed'), typingMs: 60_000 });
    await vi.waitFor(() => expect(calls).toEqual([]));
    closeSignal.fire();
    expect((await typed).outcome).toBe(SEND_OUTCOME_NOT_SENT);
    expect(calls).toEqual([]);
  });

  it('asks anew for the devices and keys of a stale recipient before it sends', async () => {
    const { sender, calls, sendMessage, fresh } = setUp();
    const sent = sender.send({ ...command('A'), freshRecipient: true });
    await vi.waitUntil(() => calls[0]);
    expect(fresh.getUSyncDevices).toHaveBeenCalledWith([CHAT], false, false);
    expect(fresh.assertSessions).toHaveBeenCalledWith([CHAT, DEVICE], true);
    expect(sendMessage.mock.calls[0]?.[2]).toMatchObject({ messageId: 'A' });
    calls[0]?.resolve();
    sender.handleAck(ack('A'));
    expect((await sent).outcome).toBe(SEND_OUTCOME_ACKNOWLEDGED);
  });

  it('asks anew for the members of a stale group and their devices', async () => {
    const { sender, calls, fresh, askGroup } = setUp();
    const first = sender.send(command('A', GROUP));
    await vi.waitUntil(() => calls[0]);
    calls[0]?.resolve();
    sender.handleAck(ack('A', { error: '479' }));
    await first;
    void sender.send({ ...command('A', GROUP), freshRecipient: true });
    await vi.waitUntil(() => calls[1]);
    expect(askGroup).toHaveBeenCalledTimes(2);
    expect(fresh.getUSyncDevices).toHaveBeenCalledWith(['911@lid', '900@lid'], false, false);
    expect(fresh.assertSessions).not.toHaveBeenCalled();
  });

  it('asks for a group once, and again after an ack that says that it is another', async () => {
    const { sender, calls, askGroup } = setUp();
    for (const [position, error] of ['', '', '421', ''].entries()) {
      const sent = sender.send(command(`A${position}`, GROUP));
      await vi.waitUntil(() => calls[position]);
      calls[position]?.resolve();
      sender.handleAck(ack(`A${position}`, error ? { error } : {}));
      await sent;
    }
    expect(askGroup).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['this number is not in it', new Boom('forbidden', { data: 403 }), 'not_in_group', 403],
    ['there is none', new Boom('item-not-found', { data: 404 }), 'group_gone', 404],
    ['WhatsApp is asked too much', new Boom('slow down', { data: 429 }), 'query_failed', 429],
    ['WhatsApp does not answer', new UnansweredError('no answer'), 'query_failed', 0],
  ])('sends nothing to a group where %s', async (_why, error, reason, code) => {
    const { sender, calls, askGroup } = setUp();
    askGroup.mockRejectedValue(error);
    const result = await sender.send(command('A', GROUP));
    expect(result).toMatchObject({ outcome: SEND_OUTCOME_NOT_SENT, reason, code });
    expect(calls).toEqual([]);
  });

  it('mentions by the names of the group', async () => {
    const { sender, calls, sendMessage } = setUp();
    const text = { body: 'hi @5511911111111', preview: undefined };
    void sender.send({
      ...command('A', GROUP),
      content: {
        $case: 'composed',
        composed: { ...EMPTY, body: { $case: 'text', text }, mentionAll: true },
      },
    });
    await vi.waitUntil(() => calls[0]);
    expect(sendMessage.mock.calls[0]?.[1]).toMatchObject({
      text: 'hi @5511911111111',
      mentions: ['911@lid'],
    });
  });

  it.each([
    ['that has no account', [], 'not_on_whatsapp'],
    ['that has one', [{ exists: true }], 'encryption_failed'],
    ['of which WhatsApp does not tell', undefined, 'encryption_failed'],
  ])('tells a failed encryption for a number %s', async (_number, found, reason) => {
    const { sender, calls, fresh } = setUp();
    fresh.onWhatsApp.mockResolvedValue(found);
    const sent = sender.send(command('A'));
    await vi.waitUntil(() => calls[0]);
    calls[0]?.reject(new Boom('All encryptions failed', { statusCode: 500 }));
    expect(await sent).toMatchObject({ outcome: SEND_OUTCOME_NOT_SENT, reason });
  });

  it.each([
    ['without an account', [], SEND_OUTCOME_NOT_SENT],
    ['of which WhatsApp tells no LID', [{ exists: true }], SEND_OUTCOME_ACKNOWLEDGED],
  ])('tells an ack for a number %s', async (_number, found, outcome) => {
    const { sender, calls, fresh } = setUp({ lid: null });
    fresh.onWhatsApp.mockResolvedValue(found);
    const sent = sender.send(command('A'));
    await vi.waitUntil(() => calls[0]);
    calls[0]?.resolve();
    sender.handleAck(ack('A'));
    expect((await sent).outcome).toBe(outcome);
    expect(fresh.onWhatsApp).toHaveBeenCalledWith(CHAT);
  });

  it('sends nothing when the fresh devices cannot be had', async () => {
    const { sender, calls, fresh } = setUp();
    fresh.getUSyncDevices.mockRejectedValue(new Boom('slow down', { data: 429 }));
    const result = await sender.send({ ...command('A'), freshRecipient: true });
    expect(result).toMatchObject({ outcome: SEND_OUTCOME_NOT_SENT, code: 429, reason: 'query_failed' });
    expect(calls).toHaveLength(0);
  });

  it('answers with the ack, the pair of ids and the sent message', async () => {
    const { sender, calls, sendMessage } = setUp();
    const sent = sender.send(command('A'));
    await vi.waitUntil(() => calls[0]);
    calls[0]?.resolve();
    sender.handleAck(ack('A'));
    const result = await sent;
    expect(result).toMatchObject({
      outcome: SEND_OUTCOME_ACKNOWLEDGED,
      waMessageId: 'A',
      code: 0,
      reason: '',
    });
    expect(result.chat).toEqual({ pnJid: CHAT, lidJid: '911@lid' });
    expect(result.acknowledgedAtMs).toBeGreaterThan(0);
    expect(result.messageProto.length).toBeGreaterThan(0);
    expect(sendMessage).toHaveBeenCalledWith(
      CHAT,
      { text: 'hi', linkPreview: null },
      expect.objectContaining({ messageId: 'A' }),
    );
  });

  it('takes an ack that comes before the keys are committed', async () => {
    const { sender, calls } = setUp();
    const sent = sender.send(command('A'));
    await vi.waitUntil(() => calls[0]);
    sender.handleAck(ack('A'));
    calls[0]?.resolve();
    expect((await sent).outcome).toBe(SEND_OUTCOME_ACKNOWLEDGED);
  });

  it('answers only when the keys are durable', async () => {
    let store: () => void = () => undefined;
    const durable = new Promise<void>((resolve) => {
      store = resolve;
    });
    const { sender, calls } = setUp({ durable });
    const answered = vi.fn();
    const sent = sender.send(command('A')).then(answered);
    await vi.waitUntil(() => calls[0]);
    calls[0]?.resolve();
    sender.handleAck(ack('A'));
    await new Promise(setImmediate);
    expect(answered).not.toHaveBeenCalled();
    store();
    await sent;
    expect(answered).toHaveBeenCalledWith(expect.objectContaining({ outcome: SEND_OUTCOME_ACKNOWLEDGED }));
  });

  it('says ambiguous when the keys were refused, whatever the ack', async () => {
    const durable = Promise.reject(new Error('STALE_FENCE'));
    durable.catch(() => undefined);
    const { sender, calls } = setUp({ durable });
    const sent = sender.send(command('A'));
    await vi.waitUntil(() => calls[0]);
    calls[0]?.resolve();
    sender.handleAck(ack('A'));
    expect((await sent).outcome).toBe(SEND_OUTCOME_AMBIGUOUS);
  });

  it.each([
    ['463', 'reachout_locked'],
    ['479', 'stale_device_session'],
    ['429', 'rate_limited'],
    ['475', 'rejected'],
  ])('answers an error ack %s as rejected', async (error, reason) => {
    const { sender, calls } = setUp();
    const sent = sender.send(command('A'));
    await vi.waitUntil(() => calls[0]);
    calls[0]?.resolve();
    sender.handleAck(ack('A', { error }));
    expect(await sent).toMatchObject({ outcome: SEND_OUTCOME_REJECTED, code: Number(error), reason });
  });

  it('answers a missing ack as ambiguous and reports a late one, once', async () => {
    const { sender, calls, late } = setUp({ ackTimeoutMs: 10 });
    const sent = sender.send(command('A'));
    await vi.waitUntil(() => calls[0]);
    calls[0]?.resolve();
    expect((await sent).outcome).toBe(SEND_OUTCOME_AMBIGUOUS);
    sender.handleAck(ack('A'));
    sender.handleAck(ack('A'));
    expect(late).toMatchObject([
      { waMessageIds: ['A'], chatJid: CHAT, kind: ReceiptKind.RECEIPT_KIND_SERVER_ACK },
    ]);
  });

  it('reports a late refusal with its code', async () => {
    const { sender, calls, late } = setUp({ ackTimeoutMs: 10 });
    const sent = sender.send(command('A'));
    await vi.waitUntil(() => calls[0]);
    calls[0]?.resolve();
    await sent;
    sender.handleAck(ack('A', { error: '479' }));
    expect(late).toMatchObject([{ kind: ReceiptKind.RECEIPT_KIND_ERROR, code: 479 }]);
  });

  it('says not sent while the session is not open', async () => {
    const { sender, calls } = setUp({ open: false });
    expect(await sender.send(command('A'))).toMatchObject({
      outcome: SEND_OUTCOME_NOT_SENT,
      reason: 'not_connected',
    });
    expect(calls).toHaveLength(0);
  });

  it('says ambiguous for what had begun when the session closed, not sent for what waited behind it', async () => {
    const { sender, calls, closeSignal } = setUp();
    const first = sender.send(command('A'));
    const second = sender.send(command('B'));
    await vi.waitUntil(() => calls[0]);
    closeSignal.fire();
    expect((await first).outcome).toBe(SEND_OUTCOME_AMBIGUOUS);
    expect(await second).toMatchObject({ outcome: SEND_OUTCOME_NOT_SENT, reason: 'not_connected' });
    expect(calls).toHaveLength(1);
  });

  it('says ambiguous when the session closes while the ack is awaited', async () => {
    const { sender, calls, closeSignal } = setUp();
    const sent = sender.send(command('A'));
    await vi.waitUntil(() => calls[0]);
    calls[0]?.resolve();
    await Promise.resolve();
    closeSignal.fire();
    expect((await sent).outcome).toBe(SEND_OUTCOME_AMBIGUOUS);
  });

  it('keeps the order of a chat and lets other chats pass', async () => {
    const { sender, calls } = setUp();
    void sender.send(command('A'));
    void sender.send(command('B'));
    void sender.send(command('C', 'other@s.whatsapp.net'));
    await vi.waitUntil(() => calls.length === 2);
    expect(calls.map(({ id }) => id)).toEqual(['A', 'C']);
    calls[0]?.reject(new TypeError('bad'));
    await vi.waitUntil(() => calls.length === 3);
    expect(calls[2]?.id).toBe('B');
  });

  it('refuses an id that is being sent, and empty content', async () => {
    const { sender, calls } = setUp();
    void sender.send(command('A'));
    await vi.waitUntil(() => calls[0]);
    expect(await sender.send(command('A'))).toMatchObject({
      outcome: SEND_OUTCOME_NOT_SENT,
      reason: 'in_flight',
    });
    expect(await sender.send(command('B', CHAT, ''))).toMatchObject({ reason: 'bad_request' });
  });
});
