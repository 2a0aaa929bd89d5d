import { LRUCache } from 'lru-cache';

export interface Bounds {
  /** How much it holds; what was not used for longest goes first. An entry weighs 1 where its setter says nothing. */
  most: number;
  /** How long an entry counts; without it, until it is pushed out. */
  ttlMs?: number;
}

/**
 * A cache that grows with what it holds. An LRUCache with `max` reserves its arrays for that many entries at
 * once: half a megabyte for 20,000, in each of a thousand sessions.
 */
export function boundedMap<K extends {}, V extends {}>({ most, ttlMs }: Bounds): LRUCache<K, V> {
  return new LRUCache<K, V>({ maxSize: most, sizeCalculation: () => 1, ...(ttlMs ? { ttl: ttlMs } : {}) });
}
