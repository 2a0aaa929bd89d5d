import { describe, expect, it } from 'vitest';
import { boundedMap } from '../src/bounded-map.js';

describe('boundedMap', () => {
  it('pushes out what was not used for longest', () => {
    const map = boundedMap<string, string>({ most: 2 });
    map.set('a', '1');
    map.set('b', '2');
    map.get('a');
    map.set('c', '3');
    expect([...map.keys()].sort()).toEqual(['a', 'c']);
  });

  it('weighs entries as their setter says', () => {
    const map = boundedMap<string, string>({ most: 100 });
    map.set('small', '1', { size: 1 });
    map.set('large', '2', { size: 100 });
    expect([...map.keys()]).toEqual(['large']);
  });

  it('forgets what is too old', async () => {
    const map = boundedMap<string, string>({ most: 2, ttlMs: 1 });
    map.set('a', '1', { start: performance.now() - 10 });
    expect(map.get('a')).toBeUndefined();
  });

  it('costs next to nothing while it is empty', () => {
    const before = process.memoryUsage().heapUsed;
    const maps = Array.from({ length: 200 }, () => boundedMap<string, string>({ most: 20_000 }));
    // LRUCache with `max` takes 100 MB here.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
    expect(maps).toHaveLength(200);
  });
});
