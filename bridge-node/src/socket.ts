import makeWASocket, {
  DEFAULT_CONNECTION_CONFIG,
  proto,
  type SignalKeyStoreWithTransaction,
  type UserFacingSocketConfig,
  type WASocket,
} from '@whiskeysockets/baileys';
import type WebSocket from 'ws';
import type { AuthState } from './auth-state.js';
import { boundedMap } from './bounded-map.js';
import type { OpenSession } from './generated/ponte/bridge/v1/bridge.js';
import type { GroupMemory } from './groups/group-memory.js';
import type { InboundRecorder } from './inbound.js';
import { LazyCache } from './lazy-cache.js';
import { baileysLogger } from './logger.js';
import { emptyRetryManager } from './retry-manager.js';
import { withSharedStorage } from './shared-storage.js';
import type { StanzaSource } from './stanza-recorder.js';
import { commitLateWrites } from './transactions.js';

const QUERY_TIMEOUT_MS = 30_000;
const CLOSE_HANDSHAKE_MS = 300;
const RETRY_COUNTER_MS = 60 * 60_000;
const MAX_RETRY_COUNTERS = 1000;
const MAX_REMEMBERED_SESSIONS = 2000;
/** For as long as in Baileys' own caches (DEFAULT_CACHE_TTLS), which have no bound. */
const CALL_OFFERS = { most: 1000, ttlMs: 5 * 60_000 };
const USER_DEVICES = { most: 20_000, ttlMs: 5 * 60_000 };
const PLACEHOLDERS = { most: 1000, ttlMs: 60 * 60_000 };

/** Session id -> how often each message was retried; lives longer than a socket. */
const retryCounters = boundedMap<string, LazyCache>({ most: MAX_REMEMBERED_SESSIONS });

export interface SocketParts {
  auth: AuthState;
  recorder: InboundRecorder;
  /** What makes stanzas durable before their ack. */
  recorders: readonly { takeOver(ws: StanzaSource): void }[];
  /** The message as it was sent, for a recipient that could not decrypt it. */
  storedMessage(waMessageId: string): Promise<Uint8Array | undefined>;
  groups: GroupMemory;
}

/** Starts one Baileys socket: it connects at once. Listeners added in the same tick miss nothing. */
export function openSocket(open: OpenSession, parts: SocketParts): WASocket {
  const { auth, recorder, recorders, storedMessage, groups } = parts;
  const config: UserFacingSocketConfig = {
    waWebSocketUrl: open.whatsappUrl,
    auth: { creds: auth.creds, keys: auth.keys },
    logger: baileysLogger({ session_id: open.sessionId, company_id: open.companyId }),
    browser: [open.browserName || 'Ponte', 'Chrome', '1.0'],
    // Later than the session's own watchdog, whose reason is the clearer one.
    connectTimeoutMs: open.connectTimeoutMs + 1000,
    ...(open.keepAliveMs ? { keepAliveIntervalMs: open.keepAliveMs } : {}),
    ...(open.qrLifetimeMs ? { qrTimeout: open.qrLifetimeMs } : {}),
    defaultQueryTimeoutMs: QUERY_TIMEOUT_MS,
    // An online device takes the notifications away from the phone.
    markOnlineOnConnect: false,
    // The sender's own copy of a message only costs time: SendResult carries it.
    emitOwnEvents: false,
    // What a number is linked with says how far back its phone tells.
    syncFullHistory: open.history,
    // The other parts of the history carry the first LID mappings.
    shouldSyncHistoryMessage: (part) =>
      open.history || part.syncType !== proto.HistorySync.HistorySyncType.FULL,
    generateHighQualityLinkPreview: false,
    // A refused write ends the session: Baileys must not try it ten times first.
    transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 0 },
    msgRetryCounterCache: retryCounterOf(open.sessionId),
    callOfferCache: new LazyCache(CALL_OFFERS),
    userDevicesCache: new LazyCache(USER_DEVICES),
    placeholderResendCache: new LazyCache(PLACEHOLDERS),
    cachedGroupMetadata: (jid) => groups.get(jid),
    getMessage: async ({ id }) => {
      const stored = id ? await storedMessage(id) : undefined;
      return stored && proto.Message.decode(stored);
    },
    makeSignalRepository: (state, logger, pnToLid) => {
      const keys = state.keys as SignalKeyStoreWithTransaction;
      commitLateWrites(keys);
      return recorder.wrap(DEFAULT_CONNECTION_CONFIG.makeSignalRepository(state, logger, pnToLid), keys);
    },
  };
  const sock = withSharedStorage(() => makeWASocket(config));
  emptyRetryManager(sock.messageRetryManager);
  recorder.takeOver(sock.ws);
  for (const one of recorders) one.takeOver(sock.ws);
  // What this number itself did to a group; what others did is told by notifications.
  sock.ev.on('groups.update', (updates) => {
    for (const { id } of updates) if (id) groups.forget(id);
  });
  return sock;
}

/**
 * Ends the socket for good: resolves when its connection is gone, by force where the peer does not
 * answer the close.
 */
export async function endSocket(sock: WASocket): Promise<void> {
  const connection = connectionOf(sock);
  void sock.end(undefined).catch(() => undefined);
  if (!connection || connection.readyState === connection.CLOSED) return;
  await new Promise<void>((resolve) => {
    const force = setTimeout(() => connection.terminate(), CLOSE_HANDSHAKE_MS);
    connection.once('close', () => {
      clearTimeout(force);
      resolve();
    });
  });
}

/** Baileys reports a close only after a handshake that a dead peer leaves open for 30 s: cut it short. */
export function cutStalledClose(sock: WASocket): void {
  const connection = connectionOf(sock);
  if (connection?.readyState === connection?.CLOSING) connection?.terminate();
}

function connectionOf(sock: WASocket): WebSocket | null {
  return (sock.ws as unknown as { socket: WebSocket | null }).socket;
}

function retryCounterOf(sessionId: string): LazyCache {
  const known = retryCounters.get(sessionId);
  if (known) return known;
  const counts = new LazyCache({ most: MAX_RETRY_COUNTERS, ttlMs: RETRY_COUNTER_MS });
  retryCounters.set(sessionId, counts);
  return counts;
}
