import type { CacheStore } from '@whiskeysockets/baileys';
import type { LRUCache } from 'lru-cache';
import { type Bounds, boundedMap } from './bounded-map.js';

/**
 * A cache for Baileys that weighs nothing until it holds something. The one that Baileys makes itself where none is
 * given takes 8 kB empty, and a socket has five of them.
 */
export class LazyCache implements CacheStore {
  #entries: LRUCache<string, { value: unknown }> | undefined;

  constructor(readonly bounds: Bounds) {}

  get<T>(key: string): T | undefined {
    return this.#entries?.get(key)?.value as T | undefined;
  }

  set<T>(key: string, value: T): void {
    this.#entries ??= boundedMap(this.bounds);
    this.#entries.set(key, { value });
  }

  del(key: string): void {
    this.#entries?.delete(key);
  }

  flushAll(): void {
    this.#entries = undefined;
  }
}
