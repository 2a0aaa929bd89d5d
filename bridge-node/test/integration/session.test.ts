import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ReceiptKind, SendOutcome, type SessionEvent } from '../../src/generated/ponte/bridge/v1/bridge.js';
import { Bench, jidOf } from '../support/bench.js';
import { Vault } from '../support/gateway.js';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
}, 30_000);
afterAll(() => bench?.stop());
afterEach(() => bench?.simulator.clearFaults());

const until = <T>(check: () => T | Promise<T>, timeout = 10_000) =>
  vi.waitUntil(check, { timeout, interval: 20 });

describe('linking', () => {
  it('shows a QR, stores what the phone agreed to, restarts and connects', async () => {
    const { phone, vault, stream, pairing } = await bench.linked();
    const { qr } = await pairing.event('qr');
    expect(qr.data).toContain('https://wa.me/settings/linked_devices#');
    expect(qr.expiresAtMs - Date.now()).toBeGreaterThan(40_000);
    const { paired } = await pairing.event('paired');
    expect(paired.me?.pnJid).toBe(jidOf(phone));
    expect(paired.me?.lidJid).toMatch(/^\d+@lid$/);
    expect(await pairing.closed()).toMatchObject({
      code: 515,
      reason: 'restart_required',
      intentional: false,
    });
    expect(JSON.parse(vault.credentialsJson ?? '').account).toBeDefined();
    expect((await stream.event('connected')).connected.me).toEqual(paired.me);
    await stream.end();
  });

  it('ends with the stream and leaves no socket', async () => {
    const { phone, stream, sessionId } = await bench.linked();
    expect((await bench.gateway.status()).sessionIds).toContain(sessionId);
    stream.call.cancel();
    await until(async () => !(await bench.simulator.device(phone))?.connected);
    await until(async () => !(await bench.gateway.status()).sessionIds.includes(sessionId));
  });

  it('answers the end of the stream with closed as the last event', async () => {
    const { phone, stream } = await bench.linked();
    expect(await stream.end()).toMatchObject({ reason: 'ended', intentional: true });
    expect(stream.events.at(-1)?.$case).toBe('closed');
    expect(stream.events.filter(({ $case }) => $case === 'closed')).toHaveLength(1);
    expect((await bench.simulator.device(phone))?.connected).toBe(false);
  });

  it('logs out at WhatsApp', async () => {
    const { phone, stream } = await bench.linked();
    stream.command({ $case: 'logout', logout: {} });
    expect(await stream.closed()).toMatchObject({ code: 401, reason: 'logged_out', intentional: true });
    await until(async () => (await bench.simulator.device(phone)) === undefined);
  });

  it('gives a session to the newer fence only', async () => {
    const { vault, sessionId, stream } = await bench.linked({});
    const newer = await bench.reopened(sessionId, vault, {}, { fence: 2 });
    expect(await stream.closed()).toMatchObject({ reason: 'ended' });
    const older = bench.gateway.open(sessionId, vault, {}, { fence: 1 });
    expect((await older.closed()).detail).toContain('newer fence');
    expect(newer.ended).toBe(false);
    await newer.end();
  });

  it('refuses a stream that does not begin with open', async () => {
    const call = bench.gateway.raw();
    const events: SessionEvent[] = [];
    call.on('data', (event) => events.push(event));
    call.on('error', () => undefined);
    call.write({ command: { $case: 'logout', logout: {} } });
    await until(() => events.length > 0);
    expect(events).toMatchObject([{ event: { $case: 'closed', closed: { reason: 'unknown' } } }]);
  });
});

describe('closing', () => {
  it.each([
    ['refuse', { code: 503 }, { code: 503, reason: 'upgrade_refused' }],
    ['login_failure', { code: 403 }, { code: 403, reason: 'forbidden' }],
    ['login_failure', { code: 401 }, { code: 401, reason: 'logged_out', intentional: false }],
    ['login_failure', { code: 405 }, { code: 405, reason: 'outdated_client' }],
  ])('tells %s %j', async (kind, fault, closed) => {
    const { phone, vault, sessionId, stream } = await bench.linked();
    await stream.end();
    // The server does not know yet who asks for an upgrade.
    await bench.simulator.fault({
      kind,
      count: 1,
      ...fault,
      ...(kind === 'refuse' ? {} : { number: phone }),
    });
    expect(await bench.gateway.open(sessionId, vault).closed()).toMatchObject(closed);
  });

  it.each([
    [440, 'replaced'],
    [503, 'service_unavailable'],
    [515, 'restart_required'],
  ])('tells stream error %i', async (code, reason) => {
    const { phone, stream } = await bench.linked();
    await bench.simulator.fault({ kind: 'stream_error', number: phone, code, count: 1 });
    expect(await stream.closed()).toMatchObject({ code, reason, intentional: false });
  });

  it('tells when a temporary ban ends and why it was given', async () => {
    const { phone, vault, sessionId, stream } = await bench.linked();
    await stream.end();
    const ban = { code: 402, ban_code: 101, expire_s: 7200 };
    await bench.simulator.fault({ kind: 'login_failure', number: phone, count: 1, ...ban });
    const closed = await bench.gateway.open(sessionId, vault).closed();
    expect(closed).toMatchObject({ code: 402, reason: 'banned', banCode: 101, expiresInS: 7200 });
  });

  it('notices that nobody is there any more, whatever the socket says', async () => {
    const { phone, stream } = await bench.linked({}, { keepAliveMs: 1000, silenceTimeoutMs: 2500 });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(stream.ended).toBe(false);
    const frozenAt = Date.now();
    await bench.simulator.fault({ kind: 'freeze', number: phone });
    expect(await stream.closed()).toMatchObject({ code: 408, reason: 'connection_lost' });
    expect(Date.now() - frozenAt).toBeLessThan(2500 + 1000 + 1500);
  });

  it('shows as many QRs as it may, then ends the pairing', async () => {
    const options = { qrLifetimeMs: 300, qrCodes: 2 };
    const stream = bench.gateway.open(bench.newSessionId(), new Vault(), {}, options);
    expect(await stream.closed()).toMatchObject({ code: 408, reason: 'qr_expired' });
    const shown = stream.events.flatMap((event) => (event.$case === 'qr' ? event.qr.data : []));
    expect(new Set(shown).size).toBe(2);
    expect(shown).toHaveLength(2);
  });

  it('gives up a connection that nobody answers', async () => {
    const { vault, sessionId, stream } = await bench.linked();
    await stream.end();
    const silent = bench.gateway.open(sessionId, vault, {}, { connectTimeoutMs: 1 });
    expect(await silent.closed()).toMatchObject({ reason: 'connect_timeout' });
  });

  it('ends when a write of keys is refused', async () => {
    let refuse = false;
    const { stream } = await bench.linked({ onStoreAuth: () => (refuse ? 'STALE_FENCE' : '') });
    const contact = await bench.simulator.createPhone();
    await stream.send('KNOWN1', jidOf(contact), 'x');
    refuse = true;
    const result = await stream.send('REFUSED1', jidOf(contact), 'x');
    expect(result.outcome).toBe(SendOutcome.SEND_OUTCOME_AMBIGUOUS);
    expect(await stream.closed()).toMatchObject({ reason: 'auth_store_failed', detail: 'STALE_FENCE' });
  });
});

describe('sending', () => {
  it('answers with the ack, then tells receipts', async () => {
    const { phone, stream } = await bench.linked();
    const contact = await bench.simulator.createPhone();
    const result = await stream.send('SEND1', jidOf(contact), 'hello');
    expect(result).toMatchObject({ outcome: SendOutcome.SEND_OUTCOME_ACKNOWLEDGED, waMessageId: 'SEND1' });
    expect(result.chat?.pnJid).toBe(jidOf(contact));
    expect(result.chat?.lidJid).toMatch(/@lid$/);
    const [message] = await bench.simulator.received(contact, 1);
    expect(message).toMatchObject({ id: 'SEND1', text: 'hello', from: phone, duplicate: false });
    await until(() => stream.receipts.some(({ kind }) => kind === ReceiptKind.RECEIPT_KIND_DELIVERED));
    await bench.simulator.read(contact, phone);
    await until(() => stream.receipts.some(({ kind }) => kind === ReceiptKind.RECEIPT_KIND_READ));
    expect(new Set(stream.receipts.flatMap(({ waMessageIds }) => waMessageIds))).toEqual(new Set(['SEND1']));
    await stream.end();
  });

  it('sends nothing in a new Signal session before that is durable', async () => {
    let away = false;
    const { phone, vault, sessionId, stream } = await bench.linked({
      onStoreAuth: () => (away ? new Promise<string>(() => undefined) : ''),
    });
    const contact = await bench.simulator.createPhone();
    await vault.quiet();
    away = true;
    const writes = () => stream.events.filter(({ $case }) => $case === 'storeAuth').length;
    const before = writes();
    void stream.send('UNSAVED1', jidOf(contact), 'x');
    await until(() => writes() > before);
    // What had left before this query is answered would be there.
    stream.command({ $case: 'checkNumbers', checkNumbers: { requestId: 2, phoneNumbers: [contact] } });
    await stream.event('numbersChecked');
    expect(await bench.simulator.received(contact, 0)).toEqual([]);

    for (const text of ['one', 'two', 'three']) await bench.simulator.send(contact, phone, text);
    stream.call.cancel();
    const again = await bench.reopened(sessionId, vault);
    await until(() => again.inbound.length === 3);
    expect(again.inbound.map(({ text }) => text)).toEqual(['one', 'two', 'three']);
    await again.end();
  });

  it('tells a refusal with its code', async () => {
    const { phone, stream } = await bench.linked();
    const contact = await bench.simulator.createPhone();
    await bench.simulator.fault({ kind: 'ack_error', number: phone, code: 463, count: 1 });
    const result = await stream.send('REJECTED1', jidOf(contact), 'x');
    expect(result).toMatchObject({
      outcome: SendOutcome.SEND_OUTCOME_REJECTED,
      code: 463,
      reason: 'reachout_locked',
    });
    await stream.end();
  });

  it('does not know after a lost ack, and a repeat with the same id is no second message', async () => {
    const { phone, stream } = await bench.linked({}, { ackTimeoutMs: 500 });
    const contact = await bench.simulator.createPhone();
    await bench.simulator.fault({ kind: 'lost_ack', number: phone, count: 1 });
    expect((await stream.send('LOST1', jidOf(contact), 'x')).outcome).toBe(
      SendOutcome.SEND_OUTCOME_AMBIGUOUS,
    );
    expect((await stream.send('LOST1', jidOf(contact), 'x')).outcome).toBe(
      SendOutcome.SEND_OUTCOME_ACKNOWLEDGED,
    );
    const messages = await bench.simulator.received(contact, 2);
    expect(messages.map(({ id, duplicate }) => [id, duplicate])).toEqual([
      ['LOST1', false],
      ['LOST1', true],
    ]);
    await stream.end();
  });

  it('reports an ack that comes late', async () => {
    const { phone, stream } = await bench.linked({}, { ackTimeoutMs: 300 });
    const contact = await bench.simulator.createPhone();
    await bench.simulator.fault({ kind: 'late_ack', number: phone, ms: 900, count: 1 });
    expect((await stream.send('LATE1', jidOf(contact), 'x')).outcome).toBe(
      SendOutcome.SEND_OUTCOME_AMBIGUOUS,
    );
    await until(() => stream.receipts.some(({ kind }) => kind === ReceiptKind.RECEIPT_KIND_SERVER_ACK));
    await stream.end();
  });

  it('is ambiguous when the connection is cut after the server took it', async () => {
    const { phone, stream } = await bench.linked();
    const contact = await bench.simulator.createPhone();
    await bench.simulator.fault({ kind: 'cut_after_message', number: phone, count: 1 });
    const result = await stream.send('CUT1', jidOf(contact), 'x');
    expect(result.outcome).toBe(SendOutcome.SEND_OUTCOME_AMBIGUOUS);
    expect(await stream.closed()).toMatchObject({ reason: 'connection_closed' });
  });

  it('writes keys once per message to a known contact and reads nothing', async () => {
    const { vault, stream } = await bench.linked();
    const contact = await bench.simulator.createPhone();
    await stream.send('WARM1', jidOf(contact), 'x');
    await vault.quiet();
    const before = { writes: vault.writes, reads: vault.reads };
    for (const id of ['COUNT1', 'COUNT2', 'COUNT3']) await stream.send(id, jidOf(contact), 'x');
    expect({ writes: vault.writes - before.writes, reads: vault.reads - before.reads }).toEqual({
      writes: 3,
      reads: 0,
    });
    await stream.end();
  });

  it('tells which numbers are on WhatsApp', async () => {
    const { stream } = await bench.linked();
    const contact = await bench.simulator.createPhone();
    const checkNumbers = { requestId: 9, phoneNumbers: [contact, '+5511888888888'] };
    stream.command({ $case: 'checkNumbers', checkNumbers });
    const { numbersChecked } = await stream.event('numbersChecked');
    expect(numbersChecked).toMatchObject({ requestId: 9, errorCode: '' });
    expect(numbersChecked.checks).toMatchObject([
      { phoneNumber: contact, onWhatsapp: true, contact: { pnJid: jidOf(contact) } },
      { phoneNumber: '+5511888888888', onWhatsapp: false },
    ]);
    await stream.end();
  });
});

describe('receiving', () => {
  it('gives WhatsApp its receipt only after the message is recorded', async () => {
    let release: () => void = () => undefined;
    const recorded = new Promise<string>((resolve) => {
      release = () => resolve('');
    });
    const { phone, stream } = await bench.linked({ onInbound: () => recorded });
    const contact = await bench.simulator.createPhone();
    const id = await bench.simulator.send(contact, phone, 'hi');
    const { inbound } = await stream.event('inbound');
    expect(inbound).toMatchObject({
      companyId: 'company',
      waMessageId: id,
      chatJid: jidOf(contact),
      kind: 'text',
      text: 'hi',
      fromMe: false,
      offline: false,
    });
    expect(inbound.sender?.pnJid).toBe(jidOf(contact));
    expect(inbound.sender?.lidJid).toMatch(/@lid$/);
    expect((await bench.simulator.device(phone))?.pending).toBe(1);
    release();
    await until(async () => (await bench.simulator.device(phone))?.pending === 0);
    await stream.end();
  });

  it('marks messages as read', async () => {
    const { phone, stream } = await bench.linked();
    const contact = await bench.simulator.createPhone();
    const id = await bench.simulator.send(contact, phone, 'hi');
    await stream.event('inbound');
    stream.command({
      $case: 'markRead',
      markRead: { requestId: 3, chatJid: jidOf(contact), participantJid: '', waMessageIds: [id] },
    });
    expect((await stream.event('markedRead')).markedRead).toEqual({
      requestId: 3,
      errorCode: '',
      detail: '',
    });
    await until(async () => (await bench.simulator.sent(contact))[0]?.status === 'read');
    await stream.end();
  });

  it('takes what waited at the server, in order, marked as offline', async () => {
    const { phone, vault, sessionId, stream } = await bench.linked();
    await stream.end();
    const contact = await bench.simulator.createPhone();
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    for (const text of texts) await bench.simulator.send(contact, phone, text);
    const again = await bench.reopened(sessionId, vault);
    await until(() => again.inbound.length === texts.length);
    expect(again.inbound.map(({ text }) => text)).toEqual(texts);
    expect(again.inbound.every(({ offline }) => offline)).toBe(true);
    await again.end();
  });

  it('gets what could not be recorded again at the next login, before what was written after it', async () => {
    let failures = 1;
    const { phone, vault, sessionId, stream } = await bench.linked({
      onInbound: () => (failures-- > 0 ? 'INTERNAL' : ''),
    });
    const contact = await bench.simulator.createPhone();
    const texts = Array.from({ length: 10 }, (_, index) => `text ${index}`);
    for (const text of texts) await bench.simulator.send(contact, phone, text);
    expect(await stream.closed()).toMatchObject({ reason: 'inbound_store_failed' });
    const again = await bench.reopened(sessionId, vault);
    await until(() => again.inbound.length === texts.length);
    expect(again.inbound.map(({ text }) => text)).toEqual(texts);
    await again.end();
  });

  it('gives up the socket when nothing can be recorded, and the message comes at the next login', async () => {
    const { phone, vault, sessionId, stream } = await bench.linked({ onInbound: () => 'INTERNAL' });
    const contact = await bench.simulator.createPhone();
    const id = await bench.simulator.send(contact, phone, 'kept');
    expect(await stream.closed()).toMatchObject({ reason: 'inbound_store_failed' });
    const again = await bench.reopened(sessionId, vault);
    await until(() => again.inbound.length === 1);
    expect(again.inbound[0]).toMatchObject({ waMessageId: id, text: 'kept' });
    await again.end();
  });

  it('gets a message again when the stream ended before it was recorded', async () => {
    const { phone, vault, sessionId, stream } = await bench.linked({ onInbound: () => undefined });
    const contact = await bench.simulator.createPhone();
    const id = await bench.simulator.send(contact, phone, 'kept');
    await stream.event('inbound');
    stream.call.cancel();
    await until(async () => !(await bench.simulator.device(phone))?.connected);
    expect((await bench.simulator.device(phone))?.pending).toBe(1);
    const again = await bench.reopened(sessionId, vault);
    await until(() => again.inbound.length === 1);
    expect(again.inbound[0]).toMatchObject({ waMessageId: id, text: 'kept' });
    await again.end();
  });

  it('carries both directions at once, each message once and in order', async () => {
    const { phone, stream } = await bench.linked();
    const contacts = await Promise.all(Array.from({ length: 5 }, () => bench.simulator.createPhone()));
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    const out = contacts.flatMap((contact, chat) =>
      numbers.map((index) => stream.send(`OUT-${chat}-${index}`, jidOf(contact), `out ${index}`)),
    );
    const incoming = contacts.map(async (contact) => {
      for (const index of numbers) await bench.simulator.send(contact, phone, `in ${index}`);
    });
    const results = await Promise.all(out);
    await Promise.all(incoming);
    expect(results.every(({ outcome }) => outcome === SendOutcome.SEND_OUTCOME_ACKNOWLEDGED)).toBe(true);
    await until(() => stream.inbound.length >= 100);
    for (const contact of contacts) {
      const arrived = await bench.simulator.received(contact, numbers.length);
      expect(arrived.map(({ text }) => text)).toEqual(numbers.map((index) => `out ${index}`));
      const came = stream.inbound.filter(({ sender }) => sender?.pnJid === jidOf(contact));
      expect(came.map(({ text }) => text)).toEqual(numbers.map((index) => `in ${index}`));
    }
    await stream.end();
  });
});
