import { isBoom } from '@hapi/boom';
import {
  type AnyMessageContent,
  type BinaryNode,
  isPnUser,
  type MessageRelayOptions,
  type MiscMessageGenerationOptions,
  proto,
  type WAMediaUploadFunction,
  type WAMessage,
} from '@whiskeysockets/baileys';
import { boundedMap } from '../bounded-map.js';
import { type CloseSignal, SessionClosedError } from '../close-signal.js';
import { completePair, contactId, type PairLookup } from '../contact-id.js';
import { pollOf } from '../content/incoming.js';
import { composeMenu, MENU_NODES } from '../content/native-menus.js';
import { compose, quotedMessage } from '../content/outgoing.js';
import { FileUploads, UploadFailedError } from '../content/outgoing-files.js';
import type { StoredProto } from '../content/poll-votes.js';
import type { ReceiptContent } from '../events/receipts.js';
import {
  type MediaFile,
  ReceiptKind,
  type SendMessage,
  SendOutcome,
  type SendResult,
} from '../generated/ponte/bridge/v1/bridge.js';
import type { Content } from '../generated/ponte/v1/content.js';
import { KeyedQueue } from '../keyed-queue.js';
import { describeError, log } from '../logger.js';
import { type FreshSocket, refreshRecipient } from './fresh-recipient.js';
import { type PresenceSocket, ShownPresence } from './shown-presence.js';
import { showTyping, type TypingSocket } from './typing.js';

/** What sending needs of a Baileys socket. */
export interface SendingSocket extends FreshSocket {
  sendPresenceUpdate: TypingSocket['sendPresenceUpdate'] & PresenceSocket['sendPresenceUpdate'];
  sendMessage(
    jid: string,
    content: AnyMessageContent,
    options: MiscMessageGenerationOptions,
  ): Promise<WAMessage | undefined>;
  relayMessage(jid: string, message: proto.IMessage, options: MessageRelayOptions): Promise<string>;
  onWhatsApp(jid: string): Promise<{ exists: boolean }[] | undefined>;
  signalRepository: { lidMapping: PairLookup };
  waUploadToServer: WAMediaUploadFunction;
}

/** Runs a send; `durable` resolves once the keys that it changed are stored. */
export type RunAhead = <T>(work: () => Promise<T>) => Promise<{ value: T; durable: Promise<void> }>;

interface Ack {
  /** WhatsApp's error code, 0 for a positive ack. */
  code: number;
  atMs: number;
}

type Answer = Pick<SendResult, 'outcome' | 'code' | 'reason' | 'detail'>;

const MAX_IN_FLIGHT = 2000;
const MAX_UNANSWERED = 5000;
const MAX_RECENT_POLLS = 20;
/** Without it an upload never times out. */
const SEND_OPTIONS = { mediaUploadTimeoutMs: 120_000 };

/** Sends messages and answers each with the server's ack. Never sends anything twice by itself. */
export class Sender {
  readonly #chats = new KeyedQueue();
  readonly #waiting = new Map<string, (ack: Ack) => void>();
  readonly #uploads: FileUploads;
  readonly #presence: ShownPresence;
  readonly #polls = new Map<string, Uint8Array>();
  /** Ids answered as ambiguous: their acks may still come. */
  readonly #unanswered = boundedMap<string, string>({ most: MAX_UNANSWERED });

  constructor(
    readonly sock: SendingSocket,
    readonly runAhead: RunAhead,
    readonly isOpen: () => boolean,
    readonly closeSignal: CloseSignal,
    readonly ackTimeoutMs: number,
    readonly onLateAck: (receipt: ReceiptContent) => void,
    /** Makes the Signal sessions of a chat durable. */
    readonly prepare: (chatJid: string) => Promise<void>,
    /** The message that a content quotes. */
    readonly stored: StoredProto,
  ) {
    this.#presence = new ShownPresence(sock);
    this.#uploads = new FileUploads((path, options) => sock.waUploadToServer(path, options));
  }

  /** A poll that was sent just now: votes may come before it is stored. */
  recentPoll(waMessageId: string): Uint8Array | undefined {
    return this.#polls.get(waMessageId);
  }

  /** Handles 'CB:ack,class:message': Baileys emits nothing for a positive ack. */
  handleAck({ attrs }: BinaryNode): void {
    if (!attrs.id) return;
    const ack: Ack = { code: attrs.error ? Number(attrs.error) || 500 : 0, atMs: Date.now() };
    const waiting = this.#waiting.get(attrs.id);
    if (waiting) {
      waiting(ack);
      return;
    }
    const chatJid = this.#unanswered.get(attrs.id);
    if (chatJid === undefined) return;
    this.#unanswered.delete(attrs.id);
    this.onLateAck(lateReceipt(attrs.id, chatJid, ack));
  }

  /** The session has ended: nothing more is shown. */
  end(): void {
    this.#presence.end();
  }

  /** Messages of one chat leave in the order of the calls. Always resolves. */
  async send(command: SendMessage): Promise<SendResult> {
    const { waMessageId, chatJid, content } = command;
    if (!content || (content.$case === 'text' && !content.text.body))
      return result(command, notSent(400, 'bad_request', 'no content'));
    if (!waMessageId || !chatJid) return result(command, notSent(400, 'bad_request', 'no id or chat'));
    if (this.#waiting.has(waMessageId))
      return result(command, notSent(409, 'in_flight', 'being sent already'));
    if (this.#waiting.size >= MAX_IN_FLIGHT) {
      return result(command, notSent(429, 'too_many_in_flight', `${MAX_IN_FLIGHT} messages are in flight`));
    }
    let onAck: (ack: Ack) => void = () => undefined;
    const acked = new Promise<Ack>((resolve) => {
      onAck = resolve;
    });
    this.#waiting.set(waMessageId, onAck);
    try {
      return await this.#sendAndWait(command, acked);
    } finally {
      this.#waiting.delete(waMessageId);
    }
  }

  async #sendAndWait(command: SendMessage, acked: Promise<Ack>): Promise<SendResult> {
    const { chatJid } = command;
    let begun = false;
    let message: WAMessage | undefined;
    let durable: Promise<void>;
    try {
      const sent = await this.#chats.run(chatJid, async () => {
        if (!this.isOpen() || this.closeSignal.fired) throw new NotConnectedError();
        if (command.typingMs > 0) this.#presence.show();
        await showTyping(this.sock, chatJid, command.typingMs, this.closeSignal);
        if (!this.isOpen() || this.closeSignal.fired) throw new NotConnectedError();
        await this.#prepare(chatJid);
        begun = true;
        const post = await this.#posting(command, await this.#freshen(command));
        return this.closeSignal.race(this.runAhead(post));
      });
      message = sent.value;
      this.#keepPoll(command.waMessageId, message);
      durable = sent.durable;
    } catch (error) {
      const answer = begun
        ? classifySendError(error)
        : notSent(428, 'not_connected', 'the session is not open');
      const isUnknown = answer.reason === 'encryption_failed' && (await this.#hasNoAccount(chatJid));
      return this.#answer(command, isUnknown ? NO_ACCOUNT : answer);
    }
    // A group's disappearing timer is set by a query, whose answer has come.
    if (!message) return this.#answer(command, ACKNOWLEDGED, undefined, Date.now());
    const ack = await this.#inTime(acked);
    try {
      // Were it answered before, a crash could leave the recipient ahead of our ratchet for good.
      await durable;
    } catch (error) {
      return this.#answer(command, ambiguous(0, describeError(error)), message);
    }
    if (!ack) return this.#answer(command, ambiguous(0, `no ack in ${this.ackTimeoutMs} ms`), message);
    if (ack.code) return this.#answer(command, rejected(ack.code), message);
    const sent = await this.#answer(command, ACKNOWLEDGED, message, ack.atMs);
    // A number that has no account has no LID and no devices: rc14 then sends to our own devices alone.
    const isUnknown = !sent.chat?.lidJid && (await this.#hasNoAccount(chatJid));
    return isUnknown ? this.#answer(command, NO_ACCOUNT) : sent;
  }

  /** The call of Baileys that sends the command's content; a TypeError where there is none. */
  async #posting(
    { chatJid, waMessageId, content, files }: SendMessage,
    fresh: MiscMessageGenerationOptions,
  ): Promise<() => Promise<WAMessage | undefined>> {
    const always = { messageId: waMessageId, ...SEND_OPTIONS, ...fresh };
    if (content?.$case === 'text') {
      // linkPreview null: Baileys would fetch the text's first URL.
      const text = { text: content.text.body, linkPreview: null };
      return () => this.sock.sendMessage(chatJid, text, always);
    }
    const composed = content && (await compose(chatJid, content.composed, this.stored));
    if (composed) {
      return () => this.sock.sendMessage(chatJid, composed.content, { ...composed.options, ...always });
    }
    const me = this.sock.authState.creds.me?.id ?? '';
    const carrier = content && (await this.#composeFile(chatJid, content.composed, files, waMessageId, me));
    if (carrier?.message) {
      const { message } = carrier;
      return async () => {
        await this.sock.relayMessage(chatJid, message, { messageId: waMessageId, ...fresh });
        return carrier;
      };
    }
    const menu = content && composeMenu(chatJid, content.composed, waMessageId, me);
    if (!menu?.message) throw new TypeError('a kind of content that cannot be sent');
    const { message } = menu;
    return async () => {
      await this.sock.relayMessage(chatJid, message, {
        messageId: waMessageId,
        additionalNodes: MENU_NODES,
        ...fresh,
      });
      return menu;
    };
  }

  async #composeFile(
    chatJid: string,
    content: Content,
    files: readonly MediaFile[],
    messageId: string,
    userJid: string,
  ): Promise<WAMessage | undefined> {
    if (files.length === 0) return undefined;
    const { expirationS, replyTo, reference } = content;
    const options = {
      messageId,
      userJid,
      ...(expirationS ? { ephemeralExpiration: expirationS } : {}),
      ...(replyTo && reference ? { quoted: await quotedMessage(chatJid, content, this.stored) } : {}),
    };
    return this.closeSignal.race(this.#uploads.compose(chatJid, content, files, options));
  }

  async #freshen({ chatJid, freshRecipient }: SendMessage): Promise<MiscMessageGenerationOptions> {
    if (!freshRecipient) return {};
    await this.closeSignal.race(refreshRecipient(this.sock, chatJid));
    return { useCachedGroupMetadata: false };
  }

  /** A time-out of the question, or its failure, leaves the number with its account. */
  async #hasNoAccount(jid: string): Promise<boolean> {
    if (!isPnUser(jid)) return false;
    try {
      const found = await this.closeSignal.race(this.sock.onWhatsApp(jid));
      return found !== undefined && !found.some(({ exists }) => exists);
    } catch {
      return false;
    }
  }

  /** What cannot be prepared is left to Baileys, whose errors say more. */
  async #prepare(chatJid: string): Promise<void> {
    await this.closeSignal.race(this.prepare(chatJid)).catch((error: unknown) => {
      if (this.closeSignal.fired) throw error;
      log('warn', `sessions not prepared: ${describeError(error)}`);
    });
  }

  #inTime(acked: Promise<Ack>): Promise<Ack | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, this.ackTimeoutMs, undefined);
    });
    const first = this.closeSignal.race(Promise.race([acked, late])).catch(() => undefined);
    return first.finally(() => clearTimeout(timer));
  }

  #keepPoll(waMessageId: string, message: WAMessage | undefined): void {
    if (!message?.message || !pollOf(message.message)) return;
    this.#polls.set(waMessageId, proto.Message.encode(message.message).finish());
    const [oldest] = this.#polls.keys();
    if (this.#polls.size > MAX_RECENT_POLLS && oldest) this.#polls.delete(oldest);
  }

  async #answer(
    command: SendMessage,
    answer: Answer,
    message?: WAMessage,
    acknowledgedAtMs = 0,
  ): Promise<SendResult> {
    if (answer.outcome === SendOutcome.SEND_OUTCOME_AMBIGUOUS) {
      this.#unanswered.set(command.waMessageId, command.chatJid);
    }
    const pair = contactId(command.chatJid);
    // Only after a send: by then the mapping is known, before it a lookup would ask the server.
    const chat = message ? await completePair(pair, this.sock.signalRepository.lidMapping) : pair;
    const messageProto = message?.message ? proto.Message.encode(message.message).finish() : new Uint8Array();
    return { ...result(command, answer), chat, acknowledgedAtMs, messageProto: Buffer.from(messageProto) };
  }
}

class NotConnectedError extends Error {}

const ACKNOWLEDGED: Answer = {
  outcome: SendOutcome.SEND_OUTCOME_ACKNOWLEDGED,
  code: 0,
  reason: '',
  detail: '',
};

const NO_ACCOUNT = notSent(404, 'not_on_whatsapp', 'the number has no WhatsApp account');

const REJECTION_REASONS: Record<number, string> = {
  405: 'payload_not_supported',
  421: 'stale_group_addressing',
  429: 'rate_limited',
  463: 'reachout_locked',
  479: 'stale_device_session',
};

/**
 * Says what an error of `sendMessage` means for the message. NOT_SENT only where the stanza cannot
 * have been written: in rc14 all queries and all encryption come before it. The key store's commit
 * comes after it, so everything else is ambiguous.
 */
export function classifySendError(error: unknown): Answer {
  const detail = describeError(error);
  if (error instanceof SessionClosedError) return ambiguous(0, detail);
  if (error instanceof UploadFailedError) return notSent(500, 'upload_failed', detail);
  if (error instanceof TypeError) return notSent(400, 'bad_request', detail);
  if (!isBoom(error)) return ambiguous(typeof error === 'number' ? error : 0, detail);
  // An IQ's error carries its code in `data`; its statusCode is always 500.
  if (typeof error.data === 'number') return notSent(error.data, 'query_failed', detail);
  const code = error.output.statusCode;
  if (error.message === 'All encryptions failed') return notSent(code, 'encryption_failed', detail);
  if (code === 428) return notSent(code, 'connection_closed', detail);
  if (code === 400) return notSent(code, 'bad_request', detail);
  return ambiguous(code, detail);
}

function notSent(code: number, reason: string, detail: string): Answer {
  return { outcome: SendOutcome.SEND_OUTCOME_NOT_SENT, code, reason, detail };
}

function ambiguous(code: number, detail: string): Answer {
  return { outcome: SendOutcome.SEND_OUTCOME_AMBIGUOUS, code, reason: 'outcome_unknown', detail };
}

function rejected(code: number): Answer {
  const reason = REJECTION_REASONS[code] ?? 'rejected';
  return { outcome: SendOutcome.SEND_OUTCOME_REJECTED, code, reason, detail: `ack ${code}` };
}

function result({ requestId, waMessageId, chatJid }: SendMessage, answer: Answer): SendResult {
  return {
    requestId,
    waMessageId,
    ...answer,
    acknowledgedAtMs: 0,
    chat: contactId(chatJid),
    messageProto: Buffer.alloc(0),
  };
}

function lateReceipt(id: string, chatJid: string, ack: Ack): ReceiptContent {
  const kind = ack.code ? ReceiptKind.RECEIPT_KIND_ERROR : ReceiptKind.RECEIPT_KIND_SERVER_ACK;
  return { waMessageIds: [id], chatJid, participantJid: '', kind, atMs: ack.atMs, code: ack.code };
}
