import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Bench, jidOf } from '../support/bench.js';
import type { GatewayStream, Vault } from '../support/gateway.js';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
}, 30_000);
afterAll(() => bench?.stop());

/** The Signal sessions that are stored with anybody, by their base keys. */
function storedSessions(vault: Vault): string[] {
  const records = [...vault.keys].filter(([key]) => key.startsWith('session '));
  return records.flatMap(([, json]) => Object.keys(JSON.parse(json)._sessions));
}

describe('Signal sessions with a contact', () => {
  it('outlive the end of a stream while a message to them was being prepared', async () => {
    const { phone, vault, sessionId, stream } = await bench.linked();
    const contact = await bench.simulator.createPhone();
    await stream.send('KNOWN1', jidOf(contact), 'first');
    await bench.simulator.send(contact, phone, 'answer');
    await stream.event('inbound');
    await vault.quiet();
    await stream.end();
    const before = storedSessions(vault);

    let ending: GatewayStream | undefined;
    const endAtRead = (type: string) => {
      if (type !== 'session' || !ending) return true;
      ending.call.end();
      return false;
    };
    const again = await bench.reopened(sessionId, vault, { onGetAuth: endAtRead });
    await vault.quiet();
    ending = again;
    void again.send('CUT1', jidOf(contact), 'second');
    await again.closed();
    expect(storedSessions(vault)).toEqual(expect.arrayContaining(before));

    const last = await bench.reopened(sessionId, vault);
    await bench.simulator.send(contact, phone, 'still understood');
    await vi.waitUntil(() => last.inbound.some(({ text }) => text === 'still understood'));
    await last.end();
  });
});
