import { AsyncResource } from 'node:async_hooks';
import type { SignalKeyStoreWithTransaction } from '@whiskeysockets/baileys';
import { SharedStorage } from './shared-storage.js';

/**
 * Lets follow-up work of a transaction write after its commit.
 *
 * rc14 finds its transaction through AsyncLocalStorage, so what a send leaves running (the privacy
 * token that it issues afterwards) still sees the transaction that is over: its writes are kept in a
 * dead context and lost, and each message to the contact issues a token again.
 * Changes `keys` in place, because Baileys' socket and its repository share that object.
 */
export function commitLateWrites(keys: SignalKeyStoreWithTransaction): void {
  const { get, set, transaction } = keys;
  const current = new SharedStorage<{ open: boolean }>();
  const outside = new AsyncResource('auth-state');
  const isOver = () => current.getStore()?.open === false;

  keys.get = (type, ids) => (isOver() ? outside.runInAsyncScope(() => get(type, ids)) : get(type, ids));
  keys.set = (data) => (isOver() ? outside.runInAsyncScope(() => set(data)) : set(data));
  keys.transaction = <T>(work: () => Promise<T>, key: string): Promise<T> => {
    if (current.getStore()?.open) return transaction(work, key);
    const state = { open: true };
    const untilCommit = async () => {
      try {
        return await work();
      } finally {
        state.open = false;
      }
    };
    const begin = () => current.run(state, () => transaction(untilCommit, key));
    return isOver() ? outside.runInAsyncScope(begin) : begin();
  };
}
