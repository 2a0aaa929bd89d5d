import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ReceiptKind } from '../../src/generated/ponte/bridge/v1/bridge.js';
import { Bench, jidOf } from '../support/bench.js';
import type { GatewayStream, Vault } from '../support/gateway.js';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
}, 30_000);
afterAll(() => bench?.stop());

const until = <T>(check: () => T | Promise<T>) => vi.waitUntil(check, { timeout: 10_000, interval: 20 });
const pending = async (phone: string) => (await bench.simulator.device(phone))?.pending;
/** What a first login brings is over: only receipts are pending from now on. */
async function settled(phone: string, vault: Vault): Promise<void> {
  await vault.quiet();
  await until(async () => (await pending(phone)) === 0);
}
const delivered = ({ receipts }: GatewayStream) =>
  receipts
    .filter(({ kind }) => kind === ReceiptKind.RECEIPT_KIND_DELIVERED)
    .flatMap(({ waMessageIds }) => waMessageIds);

describe('a receipt', () => {
  it('is acknowledged to WhatsApp only after it is recorded', async () => {
    let release: () => void = () => undefined;
    const recorded = new Promise<string>((resolve) => {
      release = () => resolve('');
    });
    const { phone, vault, stream } = await bench.linked({ onReceipt: () => recorded });
    const contact = await bench.simulator.createPhone();
    await settled(phone, vault);
    await stream.send('HELD1', jidOf(contact), 'x');
    await stream.event('receipt');
    // What is acknowledged before this query is answered would be off the server's queue.
    stream.command({ $case: 'checkNumbers', checkNumbers: { requestId: 2, phoneNumbers: [contact] } });
    await stream.event('numbersChecked');
    expect(await pending(phone)).toBe(1);
    release();
    await until(async () => (await pending(phone)) === 0);
    await stream.end();
  });

  it.each([
    ['was refused', () => 'INTERNAL'],
    ['was not answered before the stream ended', () => undefined],
  ])('that %s comes again at the next login', async (_, onReceipt) => {
    const { phone, vault, sessionId, stream } = await bench.linked({ onReceipt });
    const contact = await bench.simulator.createPhone();
    await settled(phone, vault);
    const sent = stream.send('AGAIN1', jidOf(contact), 'x');
    await stream.event('receipt');
    if (onReceipt()) expect(await stream.closed()).toMatchObject({ reason: 'inbound_store_failed' });
    else {
      await sent;
      stream.call.cancel();
    }
    await until(async () => !(await bench.simulator.device(phone))?.connected);
    expect(await pending(phone)).toBe(1);
    const again = await bench.reopened(sessionId, vault);
    await until(() => delivered(again).length > 0);
    expect(delivered(again)).toEqual(['AGAIN1']);
    await until(async () => (await pending(phone)) === 0);
    await again.end();
  });

  it('does not wait for the ones before it', async () => {
    const waiting: (() => void)[] = [];
    const { phone, stream } = await bench.linked({
      onReceipt: () => new Promise<string>((resolve) => waiting.push(() => resolve(''))),
    });
    const contact = await bench.simulator.createPhone();
    const ids = Array.from({ length: 30 }, (_, index) => `MANY${index}`);
    await Promise.all(ids.map((id) => stream.send(id, jidOf(contact), id)));
    await until(() => waiting.length === ids.length);
    for (const answer of waiting) answer();
    await until(async () => (await pending(phone)) === 0);
    expect(delivered(stream)).toEqual(ids);
    await stream.end();
  });
});
