import asyncHooks, { AsyncLocalStorage } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';

interface Scope {
  storage: SharedStorage<unknown>;
  store: unknown;
  outer: Scope | undefined;
}

const AsyncLocalStorageOfNode = AsyncLocalStorage;
const scopes = new AsyncLocalStorageOfNode<Scope | undefined>();

/**
 * An AsyncLocalStorage of which a process may have thousands: all share one of Node's.
 *
 * Node 20 keeps each that was ever used, and gives every promise and timer a slot for every one of them. With a
 * few per session, memory and time grow with the square of the sessions, and nothing is freed when they end.
 */
export class SharedStorage<T> {
  run<R, A extends unknown[]>(store: T, work: (...args: A) => R, ...args: A): R {
    return scopes.run({ storage: this, store, outer: without(this, scopes.getStore()) }, work, ...args);
  }

  getStore(): T | undefined {
    for (let scope = scopes.getStore(); scope; scope = scope.outer) {
      if (scope.storage === this) return scope.store as T;
    }
    return undefined;
  }
}

/** What one storage holds hides what it held outside: kept, it would grow with each task that starts the next. */
function without(storage: SharedStorage<unknown>, scope: Scope | undefined): Scope | undefined {
  if (!scope) return undefined;
  if (scope.storage === storage) return scope.outer;
  const outer = without(storage, scope.outer);
  return outer === scope.outer ? scope : { ...scope, outer };
}

/** Runs `make`, in which `new AsyncLocalStorage()` gives a shared one: Baileys makes one for each socket. */
export function withSharedStorage<T>(make: () => T): T {
  replaceStorage(SharedStorage);
  try {
    return make();
  } finally {
    replaceStorage(AsyncLocalStorageOfNode);
  }
}

function replaceStorage(storage: unknown): void {
  Object.assign(asyncHooks, { AsyncLocalStorage: storage });
  // What modules have imported by name follows.
  syncBuiltinESMExports();
}
