import type { EventEmitter } from 'node:events';
import {
  areJidsSameUser,
  type BinaryNode,
  decodeMessageNode,
  extractAddressingContext,
  isJidGroup,
  isJidNewsletter,
  isJidStatusBroadcast,
  jidNormalizedUser,
  normalizeMessageContent,
  proto,
  type SignalKeyStoreWithTransaction,
  type SignalRepositoryWithLIDStore,
  unpadRandomMax16,
} from '@whiskeysockets/baileys';
import { readPost } from './channel-posts.js';
import { completePair, contactId } from './contact-id.js';
import { type Body, isPlainText, kindOf, readContent, unknownContent } from './content/incoming.js';
import { readPollVote, type StoredProto } from './content/poll-votes.js';
import type { InboundMessage } from './generated/ponte/bridge/v1/bridge.js';
import type { Content } from './generated/ponte/v1/content.js';
import { KeyedQueue } from './keyed-queue.js';
import { describeError, log } from './logger.js';

/** What the bridge reads out of a message; the session adds whose it is. */
export type InboundContent = Omit<InboundMessage, 'requestId' | 'companyId' | 'sessionId'>;

/** A Baileys connection, which emits each stanza by its name. */
export type MessageSource = EventEmitter & { readonly isOpen: boolean };

export interface Me {
  id: string;
  lid: string;
}

/** Fields beside which there is nothing to record. */
const BARE_FIELDS = new Set(['senderKeyDistributionMessage', 'messageContextInfo']);

const { Type: ProtocolType } = proto.Message.ProtocolMessage;
/** The rest of the protocol messages is WhatsApp's own traffic. */
const RECORDED_PROTOCOL = new Set<number>([
  ProtocolType.REVOKE,
  ProtocolType.MESSAGE_EDIT,
  ProtocolType.EPHEMERAL_SETTING,
]);

/**
 * libsignal queues its work by address for the whole process, and runs it in the async context of
 * whoever came first: two sessions that talk to one contact would lose each other's transactions.
 */
const addresses = new KeyedQueue();

/**
 * Makes each decrypted message durable before WhatsApp gets its delivery receipt.
 *
 * Baileys sends the receipt once decryption has returned, so recording happens inside it; and inside
 * its transaction, so that the plaintext is durable before the ratchet moves: after a crash in
 * between the message comes again and can still be decrypted.
 */
export class InboundRecorder {
  /** Ciphertext -> its stanza: Baileys hands the node's own buffer to the repository. */
  readonly #stanzas = new WeakMap<Uint8Array, BinaryNode>();
  readonly #recorded = new WeakSet<BinaryNode>();
  readonly #arrivals = new KeyedQueue();

  constructor(
    readonly me: () => Me,
    /** Resolves when the message is durable; a rejection makes Baileys ask the sender again. */
    readonly record: (content: InboundContent) => Promise<void>,
    /** Polls that were sent or received before. */
    readonly stored: StoredProto,
    /** Takes what the account's own phone sent to this device alone: gives what Baileys is to read instead. */
    readonly fromPhone: (padded: Uint8Array) => Promise<Uint8Array>,
  ) {}

  /**
   * Stands between the connection and Baileys' own listeners: it remembers each stanza, and hands them
   * over one at a time, live ones behind those that waited at the server. Baileys would start them all
   * at once and let one pass another while it looks up the sender.
   */
  takeOver(ws: MessageSource): void {
    const handlers = ws.listeners('CB:message') as ((stanza: BinaryNode) => Promise<void>)[];
    ws.removeAllListeners('CB:message');
    ws.on('CB:message', (stanza: BinaryNode) => {
      this.#remember(stanza);
      // Baileys queues what is marked as offline apart from the rest.
      const { offline: _, ...attrs } = stanza.attrs;
      void this.#arrivals.run('message', async () => {
        if (!ws.isOpen) return;
        const post = readPost(stanza);
        if (post && !(await this.#recordPost(post))) return;
        for (const handle of handlers) await handle({ ...stanza, attrs });
      });
    });
  }

  /** What is posted in a channel is not encrypted. False where it could not be recorded: WhatsApp gets no ack then. */
  #recordPost(post: InboundContent): Promise<boolean> {
    return this.record(post).then(
      () => true,
      () => false,
    );
  }

  #remember(stanza: BinaryNode): void {
    if (!Array.isArray(stanza.content)) return;
    for (const child of stanza.content) {
      if (child.tag === 'enc' && child.content instanceof Uint8Array)
        this.#stanzas.set(child.content, stanza);
    }
  }

  wrap(
    repository: SignalRepositoryWithLIDStore,
    keys: SignalKeyStoreWithTransaction,
  ): SignalRepositoryWithLIDStore {
    const alone = <T>(jid: string, work: () => Promise<T>) =>
      addresses.run(repository.jidToSignalProtocolAddress(jid), work);
    // The same key as a send's transaction: a send and a decryption that both start from one stored
    // session would overwrite each other's ratchet.
    const recording = (ciphertext: Uint8Array, jid: string, decrypt: () => Promise<Uint8Array>) =>
      keys.transaction(async () => {
        const padded = await decrypt();
        const stanza = this.#stanzas.get(ciphertext);
        if (stanza?.attrs.category === 'peer') return this.fromPhone(padded);
        if (stanza) await this.#recordOnce(stanza, padded, jid, repository);
        return padded;
      }, this.me().id);
    return {
      ...repository,
      decryptMessage: (options) =>
        recording(options.ciphertext, options.jid, () =>
          alone(options.jid, () => repository.decryptMessage(options)),
        ),
      decryptGroupMessage: (options) =>
        recording(options.msg, options.authorJid, () => repository.decryptGroupMessage(options)),
      encryptMessage: (options) => alone(options.jid, () => repository.encryptMessage(options)),
      // Baileys begins the session that a retry receipt asks for in no such transaction.
      injectE2ESession: (options) =>
        keys.transaction(() => alone(options.jid, () => repository.injectE2ESession(options)), this.me().id),
    };
  }

  async #recordOnce(
    stanza: BinaryNode,
    padded: Uint8Array,
    decryptionJid: string,
    repository: SignalRepositoryWithLIDStore,
  ): Promise<void> {
    if (this.#recorded.has(stanza)) return;
    const content = readInbound(stanza, padded, this.me(), decryptionJid);
    if (!content) return;
    if (content.sender) content.sender = await completePair(content.sender, repository.lidMapping);
    if (content.chat) content.chat = await completePair(content.chat, repository.lidMapping);
    await this.#openVote(content);
    await this.record(content);
    this.#recorded.add(stanza);
  }

  /** A vote is encrypted once more, with a secret that stands in its poll. */
  async #openVote(inbound: InboundContent): Promise<void> {
    const body = inbound.content?.body;
    if (body?.$case !== 'unknown' || body.unknown.name !== 'pollUpdateMessage') return;
    const { id, lid } = this.me();
    const own = [id, lid];
    const voters = inbound.fromMe ? own : [inbound.sender?.lidJid ?? '', inbound.sender?.pnJid ?? ''];
    const vote = await readPollVote(proto.Message.decode(inbound.messageProto), this.stored, voters, own);
    if (!vote || !inbound.content) return;
    inbound.content.body = vote;
    inbound.kind = kindOf(vote);
  }
}

/**
 * Reads a decrypted <enc> of `stanza`; undefined where it is WhatsApp's own traffic: keys, history,
 * application state, status updates and newsletters. Edits and deletions are messages of their own.
 *
 * @param padded the decrypted bytes with Signal's padding
 * @param decryptionJid the author as Baileys addressed the session, a lid where it knows one
 */
export function readInbound(
  stanza: BinaryNode,
  padded: Uint8Array,
  me: Me,
  decryptionJid: string,
): InboundContent | undefined {
  const { attrs } = stanza;
  if (
    attrs.category === 'peer' ||
    isJidStatusBroadcast(attrs.from ?? '') ||
    isJidNewsletter(attrs.from ?? '')
  ) {
    return undefined;
  }
  const bytes = unpadOrNothing(padded);
  if (bytes.length === 0) return undefined;
  const outer = decodeMessage(bytes);
  const message = outer?.deviceSentMessage?.message ?? outer;
  if (message && !hasContent(message)) return undefined;
  const content = message ? readOrKeep(message) : unknownContent(bytes, 'unreadable');

  const { fullMessage, author } = decodeMessageNode(stanza, me.id, me.lid);
  const chatJid = jidNormalizedUser(chatOf(outer ?? {}, fullMessage.key.remoteJid ?? '', me));
  const isGroup = isJidGroup(chatJid) === true;
  const sender = contactId(author, extractAddressingContext(stanza).senderAlt, decryptionJid);
  const fromMe = fullMessage.key.fromMe === true;
  return {
    waMessageId: fullMessage.key.id ?? '',
    chatJid,
    sender,
    chat: isGroup ? contactId() : fromMe ? recipientPair(stanza, chatJid) : sender,
    fromMe,
    isGroup,
    pushName: attrs.notify ?? '',
    sentAtMs: Number(attrs.t ?? 0) * 1000,
    offline: attrs.offline !== undefined,
    messageProto: Buffer.from(message && message !== outer ? proto.Message.encode(message).finish() : bytes),
    ...told(content),
  };
}

/** A copy of what another own device sent names its chat itself where the stanza does not. */
function chatOf(outer: proto.IMessage, remoteJid: string, me: Me): string {
  const destination = outer.deviceSentMessage?.destinationJid;
  const isSelf = areJidsSameUser(remoteJid, me.id) || areJidsSameUser(remoteJid, me.lid);
  return destination && isSelf ? destination : remoteJid;
}

function recipientPair({ attrs }: BinaryNode, chatJid: string) {
  return contactId(
    chatJid,
    attrs.recipient_pn,
    attrs.recipient_lid,
    attrs.peer_recipient_pn,
    attrs.peer_recipient_lid,
  );
}

/** Baileys throws for what has no padding, and asks the sender for it again. */
export function unpadOrNothing(padded: Uint8Array): Uint8Array {
  try {
    return unpadRandomMax16(padded);
  } catch {
    return new Uint8Array();
  }
}

/** Bytes that are no message are kept as well: nobody can say what a newer WhatsApp sends. */
export function decodeMessage(bytes: Uint8Array): proto.Message | undefined {
  try {
    return proto.Message.decode(bytes);
  } catch {
    return undefined;
  }
}

/** What a stranger nests or leaves out must not stop what comes behind it. */
export function readOrKeep(message: proto.IMessage): Content {
  try {
    return readContent(message);
  } catch (error) {
    log('warn', `content not read: ${describeError(error)}`);
    return unknownContent(message, 'unreadable');
  }
}

export function hasContent(message: proto.IMessage): boolean {
  const content = normalizeMessageContent(message) ?? {};
  if (content.protocolMessage) return RECORDED_PROTOCOL.has(content.protocolMessage.type ?? -1);
  const fields = Object.entries(content).filter(([, value]) => value != null);
  // None: a kind that this protobuf does not have.
  return fields.length === 0 || fields.some(([field]) => !BARE_FIELDS.has(field));
}

export function told(content: Content): Pick<InboundMessage, 'kind' | 'text' | 'content'> {
  const body = content.body as Body;
  const text = body.$case === 'text' ? body.text.body : '';
  return isPlainText(content) ? { kind: 'text', text } : { kind: kindOf(body), text, content };
}
