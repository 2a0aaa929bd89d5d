import { AsyncLocalStorage } from 'node:async_hooks';
import { addTransactionCapability } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { baileysLogger } from '../src/logger.js';
import { SharedStorage, withSharedStorage } from '../src/shared-storage.js';

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('SharedStorage', () => {
  it('holds what it was given for all that the work starts, and nothing outside of it', async () => {
    const storage = new SharedStorage<string>();
    let late: Promise<string | undefined> | undefined;
    await storage.run('a', async () => {
      await tick();
      expect(storage.getStore()).toBe('a');
      late = tick().then(() => storage.getStore());
    });
    expect(storage.getStore()).toBeUndefined();
    expect(await late).toBe('a');
  });

  it('knows nothing of the others, also where they are nested', async () => {
    const [one, two] = [new SharedStorage<number>(), new SharedStorage<number>()];
    await one.run(1, () =>
      two.run(2, async () => {
        await tick();
        expect([one.getStore(), two.getStore()]).toEqual([1, 2]);
        one.run(3, () => expect([one.getStore(), two.getStore()]).toEqual([3, 2]));
        expect(one.getStore()).toBe(1);
      }),
    );
  });

  it('gives back what the work returns and passes on its arguments', () => {
    expect(new SharedStorage<number>().run(1, (left: number, right: number) => left + right, 2, 3)).toBe(5);
  });
});

describe('withSharedStorage', () => {
  it("is what Baileys' transactions stand on", async () => {
    const logger = baileysLogger({});
    const written: string[] = [];
    const store = {
      get: async () => ({}),
      set: async (data: object) => void written.push(...Object.keys(data)),
    };
    const before = AsyncLocalStorage.prototype.run;
    let ofNode = 0;
    AsyncLocalStorage.prototype.run = function (this: AsyncLocalStorage<unknown>, ...args: never[]) {
      ofNode += 1;
      return Reflect.apply(before, this, args);
    } as never;
    try {
      const options = { maxCommitRetries: 1, delayBetweenTriesMs: 0 };
      const keys = withSharedStorage(() => addTransactionCapability(store, logger, options));
      await keys.transaction(async () => {
        await keys.set({ session: { a: new Uint8Array([1]) } });
        expect(keys.isInTransaction()).toBe(true);
        expect(written).toEqual([]);
      }, 'a');
    } finally {
      AsyncLocalStorage.prototype.run = before;
    }
    expect(written).toEqual(['session']);
    expect(ofNode).toBe(1);
  });

  it('leaves everybody else what they had', () => {
    expect(() =>
      withSharedStorage(() => {
        throw new Error('no socket');
      }),
    ).toThrow('no socket');
    expect(new AsyncLocalStorage()).not.toBeInstanceOf(SharedStorage);
  });
});
