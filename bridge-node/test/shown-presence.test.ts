import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ShownPresence } from '../src/commands/shown-presence.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function world(send: () => Promise<void> = async () => {}) {
  const shown: string[] = [];
  const sock = {
    sendPresenceUpdate: (type: 'available' | 'unavailable') => {
      shown.push(type);
      return send();
    },
  };
  return { shown, presence: new ShownPresence(sock, 15_000) };
}

test('a number is online from its first sign of life until it was idle for a while', () => {
  const { shown, presence } = world();
  presence.show();
  vi.advanceTimersByTime(10_000);
  presence.show();
  vi.advanceTimersByTime(14_999);
  expect(shown).toEqual(['available']);
  vi.advanceTimersByTime(1);
  expect(shown).toEqual(['available', 'unavailable']);
  presence.show();
  expect(shown).toEqual(['available', 'unavailable', 'available']);
});

test('a session that ended shows nothing more', () => {
  const { shown, presence } = world();
  presence.show();
  presence.end();
  vi.advanceTimersByTime(60_000);
  expect(shown).toEqual(['available']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a presence that cannot be shown is left out', async () => {
  const { presence } = world(() => Promise.reject(new Error('closed')));
  presence.show();
  await vi.advanceTimersByTimeAsync(15_000);
});
