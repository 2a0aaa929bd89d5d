import type { EventEmitter } from 'node:events';
import {
  areJidsSameUser,
  type BinaryNode,
  decodeMessageNode,
  extractAddressingContext,
  getContentType,
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
import { completePair, contactId } from './contact-id.js';
import type { InboundMessage } from './generated/ponte/bridge/v1/bridge.js';
import { KeyedQueue } from './keyed-queue.js';

/** What the bridge reads out of a message; the session adds whose it is. */
export type InboundContent = Omit<InboundMessage, 'requestId' | 'companyId' | 'sessionId'>;

/** A Baileys connection, which emits each stanza by its name. */
export type MessageSource = EventEmitter & { readonly isOpen: boolean };

export interface Me {
  id: string;
  lid: string;
}

/** Fields beside which there is nothing to record. */
const BARE_FIELDS = new Set(['senderKeyDistributionMessage', 'messageContextInfo', 'protocolMessage']);

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
        for (const handle of handlers) await handle({ ...stanza, attrs });
      });
    });
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
      injectE2ESession: (options) => alone(options.jid, () => repository.injectE2ESession(options)),
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
    await this.record(content);
    this.#recorded.add(stanza);
  }
}

/**
 * Reads a decrypted <enc> of `stanza`; undefined where it is WhatsApp's own traffic: keys, history,
 * application state, edits and deletions (protocolMessage), status updates and newsletters.
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
  const bytes = unpadRandomMax16(padded);
  const outer = proto.Message.decode(bytes);
  const message = outer.deviceSentMessage?.message ?? outer;
  const content = normalizeMessageContent(message);
  if (!content || !hasContent(content)) return undefined;

  const { fullMessage, author } = decodeMessageNode(stanza, me.id, me.lid);
  const chatJid = jidNormalizedUser(chatOf(outer, fullMessage.key.remoteJid ?? '', me));
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
    messageProto: Buffer.from(message === outer ? bytes : proto.Message.encode(message).finish()),
    kind: kindOf(content),
    text: textOf(content),
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

function hasContent(message: proto.IMessage): boolean {
  return Object.entries(message).some(([field, value]) => value != null && !BARE_FIELDS.has(field));
}

function kindOf(message: proto.IMessage): string {
  const type = getContentType(message);
  return type === 'conversation' || type === 'extendedTextMessage' ? 'text' : (type ?? 'unknown');
}

function textOf(message: proto.IMessage): string {
  const media = message.imageMessage ?? message.videoMessage ?? message.documentMessage;
  return message.conversation || message.extendedTextMessage?.text || media?.caption || '';
}
