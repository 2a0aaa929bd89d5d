import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SendOutcome } from '../../src/generated/ponte/bridge/v1/bridge.js';
import { Bench, jidOf } from '../support/bench.js';
import { Vault } from '../support/gateway.js';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
}, 30_000);
afterAll(() => bench?.stop());

const until = <T>(check: () => T | Promise<T>, timeout = 10_000) =>
  vi.waitUntil(check, { timeout, interval: 20 });

describe('the process', () => {
  it('killed between the record and the receipt gets the message again', async () => {
    const { phone, vault, sessionId, stream } = await bench.linked({ onInbound: () => undefined });
    const contact = await bench.simulator.createPhone();
    const id = await bench.simulator.send(contact, phone, 'kept');
    await stream.event('inbound');
    bench.gateway.close();
    await bench.bridge.kill('SIGKILL');
    await bench.startBridge();
    const again = await bench.reopened(sessionId, vault);
    await until(() => again.inbound.length === 1);
    expect(again.inbound[0]).toMatchObject({ waMessageId: id, text: 'kept', offline: true });
    await until(async () => (await bench.simulator.device(phone))?.pending === 0);
    await again.end();
  });

  it('killed amid sends loses and repeats nothing, once what was not answered is sent again in order', async () => {
    const slowStore = { onStoreAuth: () => new Promise<string>((resolve) => setTimeout(resolve, 5, '')) };
    const { phone, vault, sessionId, stream } = await bench.linked(slowStore);
    const contacts = await Promise.all(Array.from({ length: 4 }, () => bench.simulator.createPhone()));
    const plan = Array.from({ length: 400 }, (_, index) => ({
      id: `KILL-${index}`,
      contact: contacts[index % contacts.length] ?? '',
    }));
    const answered = new Set<string>();
    let killed: Promise<unknown> | undefined;
    for (const { id, contact } of plan) {
      void stream.send(id, jidOf(contact), id).then(({ outcome }) => {
        if (outcome === SendOutcome.SEND_OUTCOME_ACKNOWLEDGED) answered.add(id);
        if (answered.size === 30) killed = bench.bridge.kill('SIGKILL');
      });
    }
    await until(() => killed !== undefined);
    await killed;
    bench.gateway.close();
    expect(answered.size).toBeLessThan(plan.length);

    await bench.startBridge();
    const again = await bench.reopened(sessionId, vault, slowStore);
    const rest = plan.filter(({ id }) => !answered.has(id));
    const fresh = contacts.map((contact, index) => ({ id: `KILL-NEW-${index}`, contact }));
    const results = await Promise.all(
      [...rest, ...fresh].map(({ id, contact }) => again.send(id, jidOf(contact), id)),
    );
    expect(results.every(({ outcome }) => outcome === SendOutcome.SEND_OUTCOME_ACKNOWLEDGED)).toBe(true);
    for (const contact of contacts) {
      const wanted = [...plan, ...fresh].filter((message) => message.contact === contact).map(({ id }) => id);
      const arrived = await until(async () => {
        const messages = await bench.simulator.received(contact, wanted.length);
        return messages.some(({ id }) => id === wanted.at(-1)) && messages;
      });
      expect(arrived.filter(({ duplicate }) => !duplicate).map(({ id }) => id)).toEqual(wanted);
      expect(arrived.every(({ from }) => from === phone)).toBe(true);
    }
    await again.end();
  });

  it('ends on SIGTERM within a second, its streams closed and its socket file gone', async () => {
    const { stream } = await bench.linked();
    const waiting = bench.gateway.open(bench.newSessionId(), new Vault());
    await waiting.event('qr');
    const begun = Date.now();
    expect(await bench.bridge.kill('SIGTERM')).toBe(0);
    expect(Date.now() - begun).toBeLessThan(1000);
    expect(await stream.closed()).toMatchObject({ reason: 'ended', intentional: true });
    expect(await waiting.closed()).toMatchObject({ reason: 'ended', intentional: true });
    expect(existsSync(bench.socketPath)).toBe(false);
    expect(await bench.simulator.sockets()).toBe(0);
    bench.gateway.close();
    await bench.startBridge();
  });
});
