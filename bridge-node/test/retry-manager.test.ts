import { MessageRetryManager } from '@whiskeysockets/baileys';
import { LRUCache } from 'lru-cache';
import { describe, expect, it } from 'vitest';
import { baileysLogger } from '../src/logger.js';
import { emptyRetryManager } from '../src/retry-manager.js';

const KEY = new Uint8Array([1, 2, 3]);

function manager(): MessageRetryManager {
  const made = new MessageRetryManager(baileysLogger({}), 5);
  emptyRetryManager(made);
  return made;
}

describe('emptyRetryManager', () => {
  it('leaves the manager as able as it was', () => {
    const retries = manager();
    retries.addRecentMessage('a@s', 'ID', { conversation: 'hi' });
    expect(retries.getRecentMessage('a@s', 'ID')?.message).toEqual({ conversation: 'hi' });
    retries.saveBaseKey('a.0', 'ID', KEY);
    expect(retries.hasSameBaseKey('a.0', 'ID', KEY)).toBe(true);
    retries.markRetrySuccess('ID');
    expect(retries.getRecentMessage('a@s', 'ID')).toBeUndefined();
    retries.clear();
    expect(retries.hasSameBaseKey('a.0', 'ID', KEY)).toBe(false);
  });

  it('keeps its bound, and its index of ids with it', () => {
    const retries = manager();
    for (let count = 0; count < 600; count++) retries.addRecentMessage('a@s', `ID${count}`, {});
    expect(retries.getRecentMessage('a@s', 'ID87')).toBeUndefined();
    expect(retries.getRecentMessage('a@s', 'ID88')).toBeDefined();
    const { messageKeyIndex } = retries as unknown as { messageKeyIndex: Map<string, string> };
    expect(messageKeyIndex.size).toBe(512);
    retries.clear();
    expect(messageKeyIndex.size).toBe(0);
  });

  it('reserves nothing for entries to come', () => {
    const caches = Object.values(manager()).filter((field) => field instanceof LRUCache);
    expect(caches).toHaveLength(4);
    expect(caches.map(({ max }) => max)).toEqual([0, 0, 0, 0]);
  });

  it('does nothing where there is no manager', () => {
    expect(() => emptyRetryManager(null)).not.toThrow();
  });
});
