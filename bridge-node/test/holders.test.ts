import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Holders } from '../src/holders.js';

describe('Holders', () => {
  const over: string[] = [];
  let holders: Holders;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    over.length = 0;
    holders = new Holders((holder) => over.push(holder));
  });

  afterEach(() => {
    holders.stop();
    vi.useRealTimers();
  });

  it('lets a holder that keeps saying so hold on', () => {
    for (let round = 0; round < 5; round++) {
      holders.extend('gateway-1', 1000);
      vi.advanceTimersByTime(900);
    }
    expect(over).toEqual([]);
    expect(holders.isOver('gateway-1')).toBe(false);
  });

  it('tells once when a holder went silent, and only of that one', () => {
    holders.extend('gateway-1', 1000);
    holders.extend('gateway-2', 5000);
    vi.advanceTimersByTime(3000);
    expect(over).toEqual(['gateway-1']);
    expect(holders.isOver('gateway-1')).toBe(true);
    expect(holders.isOver('gateway-2')).toBe(false);
  });

  it('lets a holder that speaks again hold again', () => {
    holders.extend('gateway-1', 1000);
    vi.advanceTimersByTime(1500);
    holders.extend('gateway-1', 1000);
    expect(holders.isOver('gateway-1')).toBe(false);
  });

  it('has no limit for a holder that never said one', () => {
    expect(holders.isOver('')).toBe(false);
  });
});
