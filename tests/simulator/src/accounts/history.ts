import { deflateSync } from 'node:zlib';
import { proto } from '@whiskeysockets/baileys';
import type { Account } from './account.ts';
import type { Past } from './past.ts';

const { ProtocolMessage } = proto.Message;
const { HistorySyncType } = proto.HistorySync;

/** Shares of each conversation, the newest first: what a client shows at once, what it gets then, and the rest. */
const BOOTSTRAP_SHARE = 0.1;
const RECENT_SHARE = 0.5;
const MOST_ON_DEMAND = 50;

type OnDemandRequest = proto.Message.PeerDataOperationRequestMessage.IHistorySyncOnDemandRequest;

/** Messages `from` (inclusive) to `until` (exclusive) of a conversation. */
interface Piece {
  chat: number;
  from: number;
  until: number;
}

/**
 * The peer messages a phone sends to a companion at its first login: the app-state key, then its history. Without
 * history Baileys holds all events back for 20 seconds. The history is sent inline, since Baileys fetches other
 * blobs from a fixed host. The oldest part goes only to a companion that has asked for all.
 */
export function* bootstrapMessages(account: Account, wantsAll: boolean): Generator<proto.IMessage> {
  yield keyShare(account);
  const { past } = account;
  const { INITIAL_BOOTSTRAP, RECENT, FULL, PUSH_NAME } = HistorySyncType;
  yield* part(account, INITIAL_BOOTSTRAP, 1 - BOOTSTRAP_SHARE, 1);
  if (past) yield notification({ syncType: PUSH_NAME, chunkOrder: 1, progress: 100, pushnames: names(past) });
  yield* part(account, RECENT, 1 - RECENT_SHARE, 1 - BOOTSTRAP_SHARE);
  if (past && wantsAll) yield* part(account, FULL, 0, 1 - RECENT_SHARE);
}

/** Answers a companion that asks for what came before a message: at most 50, the newest of them first. */
export function olderMessages(account: Account, request: OnDemandRequest, requestId: string): proto.IMessage {
  const { past } = account;
  const chat = past?.find(request.chatJid ?? '');
  const conversations =
    past === undefined || chat === undefined ? [] : [conversation(past, before(past, chat, request))];
  return notification(
    { syncType: HistorySyncType.ON_DEMAND, chunkOrder: 1, progress: 100, conversations },
    requestId,
  );
}

/** What came before a message; the newest there is where nobody knows that message. */
function before(past: Past, chat: number, { oldestMsgId, onDemandMsgCount }: OnDemandRequest): Piece {
  let until = past.options.messages;
  for (let index = 0; index < until; index++) {
    if (past.messageId(chat, index) === oldestMsgId) until = index;
  }
  const count = Math.min(onDemandMsgCount ?? MOST_ON_DEMAND, MOST_ON_DEMAND);
  return { chat, from: Math.max(0, until - count), until };
}

function* part(
  account: Account,
  syncType: proto.HistorySync.HistorySyncType,
  from: number,
  until: number,
): Generator<proto.IMessage> {
  const { past } = account;
  const chunks = past ? chunksOf(past, from, until) : [];
  // A part without messages is sent too: Baileys waits for it.
  for (const [index, pieces] of (chunks.length > 0 ? chunks : [[]]).entries()) {
    const isLast = index >= chunks.length - 1;
    yield notification({
      syncType,
      chunkOrder: index + 1,
      progress: isLast ? 100 : Math.floor((100 * (index + 1)) / chunks.length),
      conversations: past ? pieces.map((piece) => conversation(past, piece)) : [],
      pushnames: [{ id: account.jid(), pushname: account.name }],
      phoneNumberToLidMappings: mappings(account, pieces),
    });
  }
}

/** The share from `from` to `until` of each conversation, in pieces that fit the size of a chunk. */
function chunksOf(past: Past, from: number, until: number): Piece[][] {
  const { chats, messages, chunk: most } = past.options;
  const first = Math.floor(messages * from);
  const end = Math.floor(messages * until);
  const chunks: Piece[][] = [];
  let room = 0;
  for (let chat = 0; chat < chats; chat++) {
    for (let last = end; last > first; ) {
      if (room === 0) {
        chunks.push([]);
        room = most;
      }
      const start = Math.max(first, last - room);
      chunks.at(-1)?.push({ chat, from: start, until: last });
      room -= last - start;
      last = start;
    }
  }
  return chunks;
}

function conversation(past: Past, { chat, from, until }: Piece): proto.IConversation {
  const messages: proto.IHistorySyncMsg[] = [];
  for (let index = until - 1; index >= from; index--) {
    messages.push({ message: past.message(chat, index), msgOrderId: index + 1 });
  }
  return { ...past.conversation(chat), messages };
}

function mappings(account: Account, pieces: Piece[]): proto.IPhoneNumberToLIDMapping[] {
  const own = { pnJid: account.jid(), lidJid: account.lidJid() };
  const people = pieces.flatMap(({ chat }) => account.past?.people(chat) ?? []);
  return [own, ...people.map(({ jid, lid }) => ({ pnJid: jid, lidJid: lid }))];
}

function names(past: Past): proto.IPushname[] {
  const found = new Map<string, string>();
  for (let chat = 0; chat < past.options.chats; chat++) {
    for (const { jid, name } of past.people(chat)) found.set(jid, name);
  }
  return [...found].map(([id, pushname]) => ({ id, pushname }));
}

function keyShare(account: Account): proto.IMessage {
  const { id, data } = account.appState.key;
  const fingerprint = { rawId: 1, currentIndex: 1, deviceIndexes: [0] };
  const keyData = { keyData: data, fingerprint, timestamp: Date.now() };
  return protocolMessage({
    type: ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE,
    appStateSyncKeyShare: { keys: [{ keyId: { keyId: id }, keyData }] },
  });
}

function notification(history: proto.IHistorySync, requestId?: string): proto.IMessage {
  const { syncType, progress, chunkOrder } = history;
  return protocolMessage({
    type: ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
    historySyncNotification: {
      syncType: syncType as unknown as proto.Message.HistorySyncType,
      progress: progress ?? 0,
      chunkOrder: chunkOrder ?? 1,
      initialHistBootstrapInlinePayload: deflateSync(proto.HistorySync.encode(history).finish()),
      ...(requestId ? { peerDataRequestSessionId: requestId } : {}),
    },
  });
}

function protocolMessage(content: proto.Message.IProtocolMessage): proto.IMessage {
  return { protocolMessage: content };
}
