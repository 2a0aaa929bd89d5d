import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Liveness } from '../src/liveness.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function setUp(timeoutMs: number) {
  const frames = new EventEmitter();
  const onSilence = vi.fn();
  return { frames, onSilence, liveness: new Liveness(frames, timeoutMs, onSilence) };
}

describe('Liveness', () => {
  it('tells silence within a second of its limit', () => {
    const { onSilence } = setUp(35_000);
    vi.advanceTimersByTime(34_000);
    expect(onSilence).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2_000);
    expect(onSilence).toHaveBeenCalled();
  });

  it('believes in a peer that is heard', () => {
    const { frames, onSilence } = setUp(5_000);
    for (let seconds = 0; seconds < 60; seconds += 3) {
      frames.emit('message');
      vi.advanceTimersByTime(3_000);
    }
    expect(onSilence).not.toHaveBeenCalled();
  });

  it('counts anew after this process itself was held up', () => {
    const { onSilence } = setUp(5_000);
    vi.advanceTimersByTime(1_000);
    vi.setSystemTime(Date.now() + 60_000);
    vi.advanceTimersByTime(4_000);
    expect(onSilence).not.toHaveBeenCalled();
    vi.advanceTimersByTime(3_000);
    expect(onSilence).toHaveBeenCalled();
  });

  it('says nothing once it is stopped', () => {
    const { liveness, onSilence } = setUp(5_000);
    liveness.stop();
    vi.advanceTimersByTime(60_000);
    expect(onSilence).not.toHaveBeenCalled();
  });
});
