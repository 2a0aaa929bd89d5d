import { EventEmitter } from 'node:events';
import { type BinaryNode, generateMessageIDV2, type proto } from '@whiskeysockets/baileys';
import { BoundedLog, BoundedMap, BoundedSet } from '../bounded.ts';
import type { Router } from '../handlers/router.ts';
import { STATUS_JID } from '../handlers/status-messages.ts';
import { child, children, node, uintBytes } from '../wire/nodes.ts';
import type { Account } from './account.ts';
import { AlreadyDecryptedError, PhoneCipher } from './cipher.ts';
import type { Companion } from './companion.ts';
import type { Device, KeyBundle } from './device.ts';
import { Group } from './group.ts';
import { awaitedReceipts, noteReceipt, RANK } from './group-receipts.ts';
import { bootstrapMessages, olderMessages } from './history.ts';
import { bundleNodes } from './key-bundle.ts';
import { describe, type MessageStatus, type PhoneMessage, references } from './messages.ts';
import { type FileToSend, receiveFile, uploadFile } from './phone-files.ts';
import { PhoneGroups } from './phone-groups.ts';
import { SignalStore } from './signal-store.ts';

/** What a phone does by itself. */
export interface Behaviour {
  auto_reply: { text: string | null; delay_ms: number };
  auto_delivery_receipt: boolean;
  auto_read: boolean;
  /** Wait before a delivery receipt leaves. Baileys folds one within about 100 ms into its own message event. */
  receipt_delay_ms: number;
  /** How messages from this phone address themselves and their recipients. */
  addressing: 'pn' | 'lid';
}

const MAX_RETRY_REQUESTS = 5;
const MAX_REMEMBERED_SENDS = 10_000;

/** Where one writes to. */
export type Chat = Account | Group;

/** Limits of a phone's memory. */
export interface PhoneLimits {
  maxMessages: number;
}

/**
 * A virtual phone: the primary device of an account, with real Signal sessions. Emits `message` for each message
 * that it records and `status` when one that it sent was delivered or read.
 */
export class Phone
  extends EventEmitter<{ message: [PhoneMessage]; status: [PhoneMessage] }>
  implements Device
{
  readonly id = 0;
  readonly account: Account;
  readonly behaviour: Behaviour;
  readonly log: BoundedLog<PhoneMessage>;
  private readonly router: Router;
  private readonly store = new SignalStore();
  private readonly cipher = new PhoneCipher(this.store);
  private readonly groups = new PhoneGroups(this, this.cipher);
  private readonly seen: BoundedSet;
  /** What was sent from here, to encrypt it again on request. */
  private readonly sent = new BoundedMap<{ message: proto.IMessage; to: Chat }>(MAX_REMEMBERED_SENDS);
  /** This account's messages, whichever device sent them, whose receipts are still to come. */
  private readonly unread = new BoundedMap<PhoneMessage>(MAX_REMEMBERED_SENDS);
  private readonly retryRequests = new BoundedMap<number>(MAX_REMEMBERED_SENDS);
  private work: Promise<void> = Promise.resolve();

  constructor(account: Account, router: Router, behaviour: Behaviour, limits: PhoneLimits) {
    super();
    this.setMaxListeners(0);
    this.account = account;
    this.router = router;
    this.behaviour = behaviour;
    this.log = new BoundedLog(limits.maxMessages);
    this.seen = new BoundedSet(limits.maxMessages);
  }

  get identity() {
    return this.store.identity;
  }

  takeBundle(): KeyBundle {
    return this.store.takeBundle();
  }

  /** Stanzas are handled one after the other, in the order in which the server got them. */
  deliver(stanza: BinaryNode, arrivedAtMs: number): void {
    this.enqueue(() => this.handle(stanza, arrivedAtMs));
  }

  deliverNow(): void {
    // A virtual phone shows no typing and no presence.
  }

  /** Sends an encrypted text to a chat's devices and, as a copy, to this account's own companions. */
  async sendText(to: Chat, text: string, id = generateMessageIDV2(this.account.jid())): Promise<string> {
    return this.send(to, { conversation: text }, { kind: 'text', text }, id);
  }

  /** Uploads a file and sends it as `sendText` does. */
  async sendFile(to: Chat, file: FileToSend, id = generateMessageIDV2(this.account.jid())): Promise<string> {
    const { message, path, sealed } = await uploadFile(this.router.files, file);
    this.router.files.store.remember(id, path, sealed);
    return this.send(to, message, { kind: file.kind, text: file.caption ?? null }, id);
  }

  /** Sends any content as `sendText` does. */
  async send(
    to: Chat,
    message: proto.IMessage,
    content: Pick<PhoneMessage, 'kind' | 'text'>,
    id = generateMessageIDV2(this.account.jid()),
  ): Promise<string> {
    const entry: PhoneMessage = {
      id,
      from: this.account.number,
      to: to instanceof Group ? to.jid : to.number,
      ...this.inGroup(to),
      ...references(message),
      ...content,
      at_ms: performance.timeOrigin + performance.now(),
      duplicate: false,
      from_me: true,
      sent_here: true,
      status: 'sent',
    };
    this.sent.set(id, { message, to });
    this.unread.set(id, entry);
    await this.enqueue(() => this.transmit(to, message, id));
    this.record(entry);
    return id;
  }

  /** Sends read receipts for messages of a chat, to each author; without ids, for all that it has not read yet. */
  markRead(chat: Chat, ids?: string[]): string[] {
    const wanted = ids && new Set(ids);
    const isInChat = (entry: PhoneMessage) =>
      chat instanceof Group ? entry.group === chat.jid : !entry.group && entry.from === chat.number;
    const entries = this.log
      .after(0)
      .filter((entry) => !entry.from_me && isInChat(entry))
      .filter((entry) => (wanted ? wanted.has(entry.id) : entry.status === 'received'));
    for (const entry of entries) entry.status = 'read';
    for (const from of new Set(entries.map((entry) => entry.from))) {
      const author = this.router.accountOf(from);
      const theirs = new Set(entries.filter((entry) => entry.from === from).map(({ id }) => id));
      if (author) this.sendReceipt(this.receiptTo(chat, author), [...theirs], 'read');
    }
    return [...new Set(entries.map((entry) => entry.id))];
  }

  /** Shows a contact's devices that this phone is typing, or has stopped. */
  sendTyping(contact: Account, typing: boolean): void {
    const attrs = { to: this.address(contact) };
    this.router.chatState(this, node('chatstate', attrs, [node(typing ? 'composing' : 'paused')]));
  }

  /** What a phone does when a companion logs in for the first time: shares its app-state key and its history. */
  bootstrap(companion: Companion): void {
    this.enqueue(async () => {
      for (const message of bootstrapMessages(this.account, companion.wishes.wholeHistory)) {
        await this.sendToOwn(companion, message);
      }
    });
  }

  /** A companion asks its phone for something; a phone answers what it knows. */
  private async answerPeer(device: Device, id: string, message: proto.IMessage): Promise<void> {
    const asked = (message.deviceSentMessage?.message ?? message).protocolMessage;
    const request = asked?.peerDataOperationRequestMessage?.historySyncOnDemandRequest;
    if (request && device.account === this.account) {
      await this.sendToOwn(device, olderMessages(this.account, request, id));
    }
  }

  private async sendToOwn(device: Device, message: proto.IMessage): Promise<void> {
    const enc = await this.cipher.encrypt(device, message);
    const to = this.account.jid(device.id);
    const attrs = { id: generateMessageIDV2(), to, type: 'text', category: 'peer' };
    this.router.message(this, node('message', attrs, [enc]), performance.timeOrigin + performance.now());
  }

  private async transmit(to: Chat, message: proto.IMessage, id: string): Promise<void> {
    if (to instanceof Group) return this.pass(await this.groups.seal(to, message, id));
    const copy = { deviceSentMessage: { destinationJid: this.address(to), message } };
    const recipients: BinaryNode[] = [];
    for (const device of to.devices.values()) {
      if (device !== this) recipients.push(await this.encryptFor(device, message));
    }
    for (const device of this.account.devices.values()) {
      if (device !== this && to !== this.account) recipients.push(await this.encryptFor(device, copy));
    }
    const attrs = { id, to: this.address(to), type: 'text' };
    this.pass(node('message', attrs, [node('participants', {}, recipients)]));
  }

  private async encryptFor(device: Device, message: proto.IMessage): Promise<BinaryNode> {
    return node('to', { jid: this.address(device.account, device.id) }, [
      await this.cipher.encrypt(device, message),
    ]);
  }

  private async handle(stanza: BinaryNode, arrivedAtMs: number): Promise<void> {
    if (stanza.tag === 'message') return this.receiveMessage(stanza, arrivedAtMs);
    if (stanza.tag === 'receipt') return this.receiveReceipt(stanza);
  }

  private async receiveMessage(stanza: BinaryNode, arrivedAtMs: number): Promise<void> {
    const group = this.router.groups.at(stanza.attrs.from);
    const shared = stanza.attrs.from === STATUS_JID ? STATUS_JID : group?.jid;
    const sender = this.router.deviceAt(shared ? stanza.attrs.participant : stanza.attrs.from);
    const enc = child(stanza, 'enc');
    if (!sender || !enc) return;
    let message: proto.IMessage;
    try {
      message = shared
        ? await this.groups.open(shared, sender, stanza)
        : await this.cipher.decrypt(sender, enc);
    } catch (error) {
      if (!(error instanceof AlreadyDecryptedError)) this.requestRetry(stanza);
      return;
    }
    if (stanza.attrs.category === 'peer') return this.answerPeer(sender, stanza.attrs.id ?? '', message);
    const whole = message.deviceSentMessage?.message ?? message;
    const content = describe(whole);
    if (!content) return;
    const fromMe = sender.account === this.account;
    const recipient = fromMe
      ? this.router.accountAt(stanza.attrs.recipient ?? stanza.attrs.from)
      : this.account;
    const id = stanza.attrs.id ?? '';
    this.retryRequests.delete(id);
    const file = await receiveFile(this.router.files, whole);
    const entry: PhoneMessage = {
      id,
      from: sender.account.number,
      to: shared ?? recipient?.number ?? '',
      ...(group ? { group: group.jid } : {}),
      ...(group && fromMe ? this.inGroup(group) : {}),
      ...references(whole),
      ...content,
      ...(file ? { file } : {}),
      at_ms: arrivedAtMs,
      duplicate: !this.seen.add(`${sender.account.user}|${id}`),
      from_me: fromMe,
      sent_here: false,
      status: fromMe ? 'sent' : 'received',
    };
    if (fromMe) this.unread.set(id, entry);
    this.record(entry);
    if (!fromMe) this.react(entry, sender.account, stanza);
  }

  /** Answers nothing in groups, where several phones that do so would not end, and no status. */
  private react(
    entry: PhoneMessage,
    contact: Account,
    { attrs: { from = '', participant } }: BinaryNode,
  ): void {
    const { auto_delivery_receipt, auto_read, auto_reply, receipt_delay_ms } = this.behaviour;
    after(receipt_delay_ms, () => {
      if (auto_delivery_receipt) this.sendReceipt({ to: from, participant }, [entry.id]);
      if (!auto_read) return;
      entry.status = 'read';
      const chat = this.router.groups.at(entry.group) ?? contact;
      const address = from === STATUS_JID ? { to: from, participant } : this.receiptTo(chat, contact);
      this.sendReceipt(address, [entry.id], 'read');
    });
    const reply = auto_reply.text;
    if (reply === null || entry.group || from === STATUS_JID) return;
    after(auto_reply.delay_ms, () => {
      void this.sendText(contact, reply.replaceAll('{text}', entry.text ?? '')).catch(() => undefined);
    });
  }

  private receiptTo(chat: Chat, author: Account): ReceiptAddress {
    if (chat instanceof Group) return { to: chat.jid, participant: chat.address(author) };
    return { to: this.address(author), participant: undefined };
  }

  private sendReceipt({ to, participant }: ReceiptAddress, ids: string[], type?: string): void {
    const [first = '', ...others] = ids;
    const attrs = { id: first, to, ...(participant ? { participant } : {}), ...(type ? { type } : {}) };
    const list =
      others.length > 0
        ? [
            node(
              'list',
              {},
              others.map((id) => node('item', { id })),
            ),
          ]
        : undefined;
    this.router.receipt(this, node('receipt', attrs, list));
  }

  private async receiveReceipt(stanza: BinaryNode): Promise<void> {
    const ids = [stanza.attrs.id, ...children(child(stanza, 'list')).map((item) => item.attrs.id)];
    if (stanza.attrs.type === 'retry') return this.encryptAgain(stanza);
    const status = stanza.attrs.type === 'read' ? 'read' : stanza.attrs.type ? undefined : 'delivered';
    if (!status) return;
    for (const id of ids) {
      const entry = id ? this.unread.get(id) : undefined;
      if (!id || !entry || !this.advance(entry, stanza, status)) continue;
      if (entry.status === 'read') this.unread.delete(id);
      this.emit('status', entry);
    }
  }

  private advance(entry: PhoneMessage, receipt: BinaryNode, status: MessageStatus): boolean {
    if (entry.group) {
      const member = this.router.accountAt(receipt.attrs.participant);
      return member !== undefined && noteReceipt(entry, member.number, status);
    }
    if (RANK[entry.status] >= RANK[status]) return false;
    entry.status = status;
    return true;
  }

  private async encryptAgain(receipt: BinaryNode): Promise<void> {
    const device = this.router.deviceAt(receipt.attrs.participant ?? receipt.attrs.from);
    const original = this.sent.get(receipt.attrs.id ?? '');
    if (!device || !original) return;
    if (original.to instanceof Group) {
      this.pass(await this.groups.sealAgain(original.to, device, original.message, receipt));
      return;
    }
    await this.cipher.restartSession(device, receipt);
    const own = device.account === this.account;
    const message = own
      ? { deviceSentMessage: { destinationJid: this.address(original.to), message: original.message } }
      : original.message;
    const enc = await this.cipher.encrypt(device, message);
    enc.attrs.count = child(receipt, 'retry')?.attrs.count ?? '1';
    const attrs = {
      id: receipt.attrs.id ?? '',
      to: receipt.attrs.from ?? '',
      type: 'text',
      ...(own ? { recipient: this.address(original.to) } : {}),
    };
    this.pass(node('message', attrs, [enc]));
  }

  private requestRetry(stanza: BinaryNode): void {
    const id = stanza.attrs.id ?? '';
    const count = (this.retryRequests.get(id) ?? 0) + 1;
    if (count > MAX_RETRY_REQUESTS) return;
    this.retryRequests.set(id, count);
    const bundle = this.takeBundle();
    const retry = { count: String(count), id, t: stanza.attrs.t ?? '', v: '1', error: '0' };
    const { from = '', participant } = stanza.attrs;
    const attrs = { id, to: from, ...(participant ? { participant } : {}), type: 'retry' };
    const content = [
      node('retry', retry),
      node('registration', {}, uintBytes(bundle.registrationId, 4)),
      node('keys', {}, bundleNodes(bundle)),
    ];
    this.router.receipt(this, node('receipt', attrs, content));
  }

  private pass(stanza: BinaryNode): void {
    this.router.message(this, stanza, performance.timeOrigin + performance.now());
  }

  private inGroup(chat: Chat): Pick<PhoneMessage, 'group' | 'receipts'> {
    if (!(chat instanceof Group)) return {};
    return { group: chat.jid, receipts: awaitedReceipts(chat, this.account.number) };
  }

  private record(message: PhoneMessage): void {
    this.emit('message', this.log.add(message));
  }

  private address(account: Account, device = 0): string {
    return this.behaviour.addressing === 'lid' ? account.lidJid(device) : account.jid(device);
  }

  private enqueue(task: () => Promise<void>): Promise<void> {
    const done = this.work.then(task);
    this.work = done.catch(() => undefined);
    return done;
  }
}

interface ReceiptAddress {
  to: string;
  /** In groups: whose message it is. */
  participant: string | undefined;
}

function after(delayMs: number, action: () => void): void {
  if (delayMs <= 0) action();
  else setTimeout(action, delayMs).unref();
}
