import { deflateSync } from 'node:zlib';
import { proto } from '@whiskeysockets/baileys';
import type { Account } from './account.ts';

const { ProtocolMessage } = proto.Message;
const { HistorySyncType } = proto.HistorySync;

/**
 * The peer messages a phone sends to a companion at its first login: the app-state key, then its history. Without
 * history Baileys holds all events back for 20 seconds. The history is sent inline, since Baileys fetches other
 * blobs from a fixed host.
 */
export function bootstrapMessages(account: Account): proto.IMessage[] {
  return [
    keyShare(account),
    history(HistorySyncType.INITIAL_BOOTSTRAP, account),
    history(HistorySyncType.RECENT, account),
  ];
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

function history(syncType: proto.HistorySync.HistorySyncType, account: Account): proto.IMessage {
  const content = proto.HistorySync.encode({
    syncType,
    progress: 100,
    chunkOrder: 1,
    conversations: [],
    pushnames: [{ id: account.jid(), pushname: account.name }],
    phoneNumberToLidMappings: [{ pnJid: account.jid(), lidJid: account.lidJid() }],
  }).finish();
  return protocolMessage({
    type: ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
    historySyncNotification: {
      syncType,
      progress: 100,
      chunkOrder: 1,
      initialHistBootstrapInlinePayload: deflateSync(content),
    },
  });
}

function protocolMessage(content: proto.Message.IProtocolMessage): proto.IMessage {
  return { protocolMessage: content };
}
