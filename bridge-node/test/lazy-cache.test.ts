import { describe, expect, it } from 'vitest';
import { LazyCache } from '../src/lazy-cache.js';

describe('LazyCache', () => {
  it('keeps what is set, falsy values too, until it is deleted', () => {
    const cache = new LazyCache({ most: 10 });
    expect(cache.get('a')).toBeUndefined();
    cache.set('a', 0);
    cache.set('b', 'two');
    expect([cache.get('a'), cache.get('b')]).toEqual([0, 'two']);
    cache.del('a');
    expect([cache.get('a'), cache.get('b')]).toEqual([undefined, 'two']);
    cache.flushAll();
    expect(cache.get('b')).toBeUndefined();
  });

  it('is bounded', () => {
    const cache = new LazyCache({ most: 2 });
    for (const key of ['a', 'b', 'c']) cache.set(key, key);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([undefined, 'b', 'c']);
  });

  it('takes deletions and flushes while it is empty', () => {
    const cache = new LazyCache({ most: 2 });
    cache.del('a');
    cache.flushAll();
    expect(cache.get('a')).toBeUndefined();
  });
});
