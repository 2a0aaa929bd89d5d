import type { MessageRetryManager } from '@whiskeysockets/baileys';
import { LRUCache } from 'lru-cache';

const MAX_RECENT_MESSAGES = 512;
const RECENT_MESSAGE_MS = 5 * 60_000;
const MAX_BASE_KEYS = 1024;
const BASE_KEY_MS = 15 * 60_000;

/** Fields that Baileys declares private. */
interface Internals {
  recentMessagesMap: LRUCache<string, object>;
  messageKeyIndex: Map<string, string>;
  baseKeys: LRUCache<string, Uint8Array>;
}

/**
 * Gives a socket's retry manager caches of the same bounds that grow with what they hold. rc14's reserve the arrays
 * for all their entries at once, 80 kB a socket.
 */
export function emptyRetryManager(manager: MessageRetryManager | null): void {
  if (!manager) return;
  const internals = manager as unknown as Internals;
  const { messageKeyIndex } = internals;
  internals.recentMessagesMap = new LRUCache({
    maxSize: MAX_RECENT_MESSAGES,
    sizeCalculation: () => 1,
    ttl: RECENT_MESSAGE_MS,
    ttlAutopurge: true,
    dispose: (_message, key) => void messageKeyIndex.delete(key.slice(key.lastIndexOf('\0') + 1)),
  });
  internals.baseKeys = new LRUCache({
    maxSize: MAX_BASE_KEYS,
    sizeCalculation: () => 1,
    ttl: BASE_KEY_MS,
    ttlAutopurge: true,
  });
}
