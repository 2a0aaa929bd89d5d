import { addTransactionCapability, type SignalDataSet, type SignalKeyStore } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { baileysLogger } from '../src/logger.js';
import { commitLateWrites } from '../src/transactions.js';

function setUp() {
  const written: SignalDataSet[] = [];
  const store: SignalKeyStore = {
    get: async () => ({}),
    set: async (data) => {
      written.push(structuredClone(data));
    },
  };
  const keys = addTransactionCapability(store, baileysLogger({}), {
    maxCommitRetries: 1,
    delayBetweenTriesMs: 0,
  });
  return { keys, written };
}

/** As a send does: work that goes on after the transaction it was started in. */
async function sendWithFollowUp({ keys }: ReturnType<typeof setUp>): Promise<void> {
  let followUp: Promise<unknown> = Promise.resolve();
  let release: () => void = () => undefined;
  await keys.transaction(async () => {
    await keys.set({ 'lid-mapping': { 1: 'in time' } });
    const wait = new Promise<void>((resolve) => {
      release = resolve;
    });
    followUp = wait
      .then(() =>
        keys.transaction(async () => keys.set({ 'lid-mapping': { 2: 'late, in a transaction' } }), 'other'),
      )
      .then(() => keys.set({ 'lid-mapping': { 3: 'late' } }));
  }, 'me');
  release();
  await followUp;
}

describe('commitLateWrites', () => {
  it('is still needed: rc14 loses them', async () => {
    const setup = setUp();
    await sendWithFollowUp(setup);
    expect(setup.written).toEqual([{ 'lid-mapping': { 1: 'in time' } }]);
  });

  it('commits what comes after the transaction', async () => {
    const setup = setUp();
    commitLateWrites(setup.keys);
    await sendWithFollowUp(setup);
    expect(setup.written).toEqual([
      { 'lid-mapping': { 1: 'in time' } },
      { 'lid-mapping': { 2: 'late, in a transaction' } },
      { 'lid-mapping': { 3: 'late' } },
    ]);
  });

  it('keeps nested transactions one write, and rolls back as before', async () => {
    const { keys, written } = setUp();
    commitLateWrites(keys);
    await keys.transaction(async () => {
      await keys.set({ 'lid-mapping': { 1: 'a' } });
      await keys.transaction(async () => keys.set({ 'lid-mapping': { 2: 'b' } }), 'inner');
    }, 'outer');
    expect(written).toEqual([{ 'lid-mapping': { 1: 'a', 2: 'b' } }]);
    const failing = keys.transaction(async () => {
      await keys.set({ 'lid-mapping': { 3: 'c' } });
      throw new Error('no');
    }, 'outer');
    await expect(failing).rejects.toThrow('no');
    expect(written).toHaveLength(1);
  });
});
