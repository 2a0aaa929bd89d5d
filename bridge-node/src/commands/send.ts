import {
  type AnyMessageContent,
  type BinaryNode,
  type GroupMetadata,
  isJidGroup,
  isJidNewsletter,
  isPnUser,
  type MessageRelayOptions,
  type MiscMessageGenerationOptions,
  proto,
  type WAMediaUploadFunction,
  type WAMessage,
} from '@whiskeysockets/baileys';
import { boundedMap } from '../bounded-map.js';
import type { CloseSignal } from '../close-signal.js';
import { completePair, contactId, type PairLookup } from '../contact-id.js';
import { pollOf } from '../content/incoming.js';
import { composeMenu, MENU_NODES } from '../content/native-menus.js';
import { audienceOf, compose, quotedMessage } from '../content/outgoing.js';
import { FileUploads } from '../content/outgoing-files.js';
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
import { addressed } from '../groups/addressing.js';
import { type GroupMemory, NoGroupError } from '../groups/group-memory.js';
import { UnansweredError } from '../groups/group-queries.js';
import { KeyedQueue } from '../keyed-queue.js';
import { describeError, log } from '../logger.js';
import { refreshRecipient } from './fresh-recipient.js';
import type { PreparingSocket } from './recipient-sessions.js';
import {
  ACKNOWLEDGED,
  type Answer,
  ambiguous,
  classifySendError,
  NO_ACCOUNT,
  notSent,
  rejected,
} from './send-outcome.js';
import { type PresenceSocket, ShownPresence } from './shown-presence.js';
import { showTyping, type TypingSocket } from './typing.js';

/** What sending needs of a Baileys socket. */
export interface SendingSocket extends PreparingSocket {
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

const MAX_IN_FLIGHT = 2000;
const MAX_UNANSWERED = 5000;
const MAX_RECENT_POLLS = 20;
/** WhatsApp's code for a message to members who are not those of its group. */
const STALE_GROUP = 421;
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
    readonly prepare: (chatJid: string, audience: readonly string[]) => Promise<void>,
    /** The message that a content quotes. */
    readonly stored: StoredProto,
    readonly groups: GroupMemory,
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
        if (command.freshRecipient) this.groups.forget(chatJid);
        await this.#prepare(command);
        begun = true;
        if (command.freshRecipient) await this.#freshen(chatJid);
        const post = await this.#posting(command, await this.#groupOf(chatJid));
        return this.closeSignal.race(this.runAhead(post));
      });
      message = sent.value;
      this.#keepPoll(command.waMessageId, message);
      durable = sent.durable;
    } catch (error) {
      const answer =
        begun || isOfGroup(error)
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
    if (ack.code === STALE_GROUP) this.groups.forget(chatJid);
    if (ack.code) return this.#answer(command, rejected(ack.code), message);
    const sent = await this.#answer(command, ACKNOWLEDGED, message, ack.atMs);
    // A number that has no account has no LID and no devices: rc14 then sends to our own devices alone.
    const isUnknown = !sent.chat?.lidJid && (await this.#hasNoAccount(chatJid));
    return isUnknown ? this.#answer(command, NO_ACCOUNT) : sent;
  }

  /** The call of Baileys that sends the command's content; a TypeError where there is none. */
  async #posting(
    { chatJid, waMessageId, content, files }: SendMessage,
    group: GroupMetadata | undefined,
  ): Promise<() => Promise<WAMessage | undefined>> {
    const always = { messageId: waMessageId, ...SEND_OPTIONS };
    const timer = group?.ephemeralDuration ? { ephemeralExpiration: group.ephemeralDuration } : {};
    if (content?.$case === 'text') {
      // linkPreview null: Baileys would fetch the text's first URL.
      const text = { text: content.text.body, linkPreview: null };
      return () => this.sock.sendMessage(chatJid, text, { ...timer, ...always });
    }
    const me = this.sock.authState.creds.me;
    const said =
      content && group
        ? addressed(content.composed, group, { id: me?.id ?? '', lid: me?.lid ?? '' })
        : content?.composed;
    const composed = said && (await compose(chatJid, said, this.stored));
    if (composed) {
      const options = { ...timer, ...composed.options, ...always };
      return () => this.sock.sendMessage(chatJid, composed.content, options);
    }
    const own = { ...timer, messageId: waMessageId, userJid: me?.id ?? '' };
    const carrier = said && (await this.#composeFile(chatJid, said, files, own));
    if (said && carrier?.message) {
      const { message } = carrier;
      const audience = audienceOf(said);
      const shownTo = audience.length > 0 ? { statusJidList: audience } : {};
      return async () => {
        await this.sock.relayMessage(chatJid, message, { messageId: waMessageId, ...shownTo });
        return carrier;
      };
    }
    const menu = said && composeMenu(chatJid, said, waMessageId, me?.id ?? '');
    if (!menu?.message) throw new TypeError('a kind of content that cannot be sent');
    const { message } = menu;
    return async () => {
      await this.sock.relayMessage(chatJid, message, {
        messageId: waMessageId,
        additionalNodes: MENU_NODES,
      });
      return menu;
    };
  }

  async #composeFile(
    chatJid: string,
    content: Content,
    files: readonly MediaFile[],
    own: MiscMessageGenerationOptions & { messageId: string; userJid: string },
  ): Promise<WAMessage | undefined> {
    if (files.length === 0) return undefined;
    const { expirationS, replyTo, reference } = content;
    const options = {
      ...own,
      ...(expirationS ? { ephemeralExpiration: expirationS } : {}),
      ...(replyTo && reference ? { quoted: await quotedMessage(chatJid, content, this.stored) } : {}),
    };
    return this.closeSignal.race(this.#uploads.compose(chatJid, content, files, options));
  }

  async #freshen(chatJid: string): Promise<void> {
    await this.closeSignal.race(refreshRecipient(this.sock, this.groups, chatJid));
  }

  async #groupOf(chatJid: string): Promise<GroupMetadata | undefined> {
    return isJidGroup(chatJid) ? this.closeSignal.race(this.groups.get(chatJid)) : undefined;
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
  async #prepare({ chatJid, content }: SendMessage): Promise<void> {
    // What is posted there is not encrypted.
    if (isJidNewsletter(chatJid)) return;
    const audience = content?.$case === 'composed' ? audienceOf(content.composed) : [];
    await this.closeSignal.race(this.prepare(chatJid, audience)).catch((error: unknown) => {
      if (this.closeSignal.fired || isOfGroup(error)) throw error;
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

/** Without its members nothing can be sent to a group: Baileys would ask for them again. */
function isOfGroup(error: unknown): boolean {
  return error instanceof NoGroupError || error instanceof UnansweredError;
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
