import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { proto } from '@whiskeysockets/baileys';
import { unpadOrNothing } from '../inbound.js';
import { describeError, log } from '../logger.js';
import type { HistoryPart } from '../recordings.js';
import { loadHistory } from './history-blob.js';
import { HistoryReader } from './history-messages.js';

const { HistorySyncType } = proto.HistorySync;
/** The parts of what a phone tells by itself that carry conversations. */
const UNASKED = new Set<number>([
  HistorySyncType.INITIAL_BOOTSTRAP,
  HistorySyncType.RECENT,
  HistorySyncType.FULL,
]);
/** Of a frame, so that neither side holds more than one of them at a time. */
const MOST_MESSAGES = 200;
const MOST_BYTES = 1 << 20;
const ALL_OF_IT = 100;

/**
 * Makes the history that a phone sends durable, chunk by chunk, before WhatsApp hears that it came. It happens inside
 * the decryption, as with every message: what was not recorded comes again and can still be decrypted.
 */
export class History {
  constructor(
    /** Resolves when the chunk is durable. */
    readonly record: (part: HistoryPart) => Promise<void>,
    /** What the phone tells by itself is wanted, and not only what it was asked for. */
    readonly wantsAll: boolean,
  ) {}

  /**
   * Takes a decrypted message of the phone. Gives what Baileys is to read instead: the same without the messages, so
   * that nothing is downloaded or inflated a second time.
   */
  async take(padded: Uint8Array): Promise<Uint8Array> {
    const message = decoded(padded);
    const inner = message?.deviceSentMessage?.message ?? message;
    const notification = inner?.protocolMessage?.historySyncNotification;
    if (!message || !notification || !this.#isWanted(notification.syncType ?? -1)) return padded;
    const history = await loaded(notification);
    await this.#recordAll(history);
    notification.initialHistBootstrapInlinePayload = await withoutMessages(history);
    return Buffer.concat([proto.Message.encode(message).finish(), Buffer.from([1])]);
  }

  #isWanted(syncType: number): boolean {
    return syncType === HistorySyncType.ON_DEMAND || (this.wantsAll && UNASKED.has(syncType));
  }

  /** One chunk is on its way at a time: the next is read when it is durable. */
  async #recordAll(history: proto.IHistorySync): Promise<void> {
    const onDemand = history.syncType === HistorySyncType.ON_DEMAND;
    const isEnd =
      onDemand || (history.syncType === HistorySyncType.FULL && (history.progress ?? 0) >= ALL_OF_IT);
    let messages: HistoryPart['messages'] = [];
    let bytes = 0;
    for (const message of new HistoryReader(history).messages()) {
      const size = message.messageProto.length;
      if (messages.length >= MOST_MESSAGES || (messages.length > 0 && bytes + size > MOST_BYTES)) {
        await this.record({ messages, isLast: false, onDemand });
        messages = [];
        bytes = 0;
      }
      messages.push(message);
      bytes += size;
    }
    if (messages.length > 0 || isEnd) await this.record({ messages, isLast: isEnd, onDemand });
  }
}

function decoded(padded: Uint8Array): proto.Message | undefined {
  try {
    return proto.Message.decode(unpadOrNothing(padded));
  } catch {
    return undefined;
  }
}

/** A part that cannot be had is left out: a number must not stay away for what is only its past. */
async function loaded(notification: proto.Message.IHistorySyncNotification): Promise<proto.IHistorySync> {
  try {
    return await loadHistory(notification);
  } catch (error) {
    log('warn', `a part of the history is left out: ${describeError(error)}`);
    return { syncType: HistorySyncType.PUSH_NAME };
  }
}

/** Names and addresses are of use to Baileys. */
function withoutMessages(history: proto.IHistorySync): Promise<Buffer> {
  const conversations = (history.conversations ?? []).map((chat) => ({ ...chat, messages: [] }));
  return promisify(deflate)(proto.HistorySync.encode({ ...history, conversations }).finish());
}
