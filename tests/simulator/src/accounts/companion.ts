import type { BinaryNode } from '@whiskeysockets/baileys';
import { BoundedSet } from '../bounded.ts';
import type { Connection } from '../connection.ts';
import { parseJid, SERVER_JID } from '../wire/jid.ts';
import { node } from '../wire/nodes.ts';
import type { Account } from './account.ts';
import type { Device, KeyBundle } from './device.ts';

/** Below this many one-time keys the server asks for more (Baileys uploads when told of fewer than five). */
const LOW_PRE_KEYS = 5;
const MAX_RETRIED_KEYS = 1_000;

/** Keys that a client registers with; also what login checks against. */
export interface CompanionKeys {
  noiseKey: Buffer;
  registrationId: number;
  identityKey: Buffer;
  signedPreKey: { id: number; publicKey: Buffer; signature: Buffer };
}

/** What a client says of itself when it registers. */
export interface CompanionWishes {
  /** The whole history, not only its recent part. */
  wholeHistory: boolean;
}

/** A linked client: its keys, its queue of unacknowledged stanzas and its socket, if any. */
export class Companion implements Device {
  readonly account: Account;
  readonly id: number;
  readonly noiseKey: Buffer;
  readonly wishes: CompanionWishes;
  /** Set while a socket is logged in as this device. */
  connection: Connection | undefined;
  connectedAtMs: number | undefined;
  /** True once the phone has shared its keys and history. */
  bootstrapped = false;
  private keys: Omit<CompanionKeys, 'noiseKey'>;
  private preKeys: { id: number; publicKey: Buffer }[] = [];
  private askedForPreKeys = false;
  private readonly pending = new Map<string, BinaryNode>();
  private readonly retried = new BoundedSet(MAX_RETRIED_KEYS);
  private readonly maxPending: number;
  private live = false;

  constructor(
    account: Account,
    id: number,
    keys: CompanionKeys,
    wishes: CompanionWishes,
    maxPending: number,
  ) {
    this.account = account;
    this.id = id;
    this.noiseKey = keys.noiseKey;
    this.wishes = wishes;
    this.keys = keys;
    this.maxPending = maxPending;
  }

  get jid(): string {
    return this.account.jid(this.id);
  }

  get lidJid(): string {
    return this.account.lidJid(this.id);
  }

  get pendingCount(): number {
    return this.pending.size;
  }

  get preKeyCount(): number {
    return this.preKeys.length;
  }

  addPreKeys(preKeys: { id: number; publicKey: Buffer }[]): void {
    this.preKeys.push(...preKeys);
    this.askedForPreKeys = false;
  }

  replaceSignedPreKey(signedPreKey: CompanionKeys['signedPreKey']): void {
    this.keys = { ...this.keys, signedPreKey };
  }

  takeBundle(): KeyBundle {
    const preKey = this.preKeys.shift();
    if (this.preKeys.length < LOW_PRE_KEYS) this.askForPreKeys();
    const { registrationId, identityKey, signedPreKey } = this.keys;
    return { registrationId, identityKey, signedPreKey, ...(preKey ? { preKey } : {}) };
  }

  deliver(stanza: BinaryNode): void {
    this.pending.set(pendingKey(stanza), stanza);
    if (this.pending.size > this.maxPending) this.dropOldest();
    if (this.live) this.connection?.send(stanza);
  }

  deliverNow(stanza: BinaryNode): void {
    if (this.live) this.connection?.send(stanza);
  }

  /** Takes an acknowledged stanza off the queue. */
  acknowledge(ack: BinaryNode): void {
    const key = ackKey(ack, this.account.user);
    if (ack.attrs.error && this.retried.delete(key)) return;
    this.pending.delete(key);
  }

  /** A retry request: the stanza was seen; its new encryption, not yet made, will be pending under the same key. */
  acknowledgeForRetry(receipt: BinaryNode): void {
    const key = ackKey({ ...receipt, attrs: { ...receipt.attrs, class: 'message' } }, this.account.user);
    this.pending.delete(key);
    this.retried.add(key);
  }

  /** Sends everything unacknowledged as offline stanzas, then the count that ends the client's buffering. */
  goLive(): void {
    for (const stanza of this.pending.values()) {
      this.connection?.send({ ...stanza, attrs: { ...stanza.attrs, offline: '1' } });
    }
    this.connection?.send(
      node('ib', { from: SERVER_JID }, [node('offline', { count: String(this.pending.size) })]),
    );
    this.live = true;
  }

  /** Binds a logged-in socket; stanzas wait until `goLive`. */
  attach(connection: Connection, nowMs: number): void {
    this.connection = connection;
    this.connectedAtMs = nowMs;
    this.live = false;
  }

  /** Forgets the socket unless another one has taken its place. */
  detach(connection: Connection): void {
    if (this.connection !== connection) return;
    this.connection = undefined;
    this.connectedAtMs = undefined;
    this.live = false;
  }

  private dropOldest(): void {
    const oldest = this.pending.keys().next();
    if (!oldest.done) this.pending.delete(oldest.value);
  }

  private askForPreKeys(): void {
    if (this.askedForPreKeys) return;
    this.askedForPreKeys = true;
    const attrs = { id: `prekeys-${Date.now()}`, from: SERVER_JID, type: 'encrypt', t: nowSeconds() };
    this.deliver(node('notification', attrs, [node('count', { value: String(this.preKeys.length) })]));
  }
}

function nowSeconds(): string {
  return Math.floor(Date.now() / 1000).toString();
}

/**
 * Identity of a queued stanza. A message is known by its id and its sender's user, since clients acknowledge it
 * by a receipt to the chat; others by id, type and exact sender. In groups the sender is the participant.
 */
function pendingKey({ tag, attrs }: BinaryNode): string {
  const { id, type = '', from = '', participant } = attrs;
  if (tag === 'message') return `message|${id}|${parseJid(participant ?? from)?.user ?? ''}`;
  return `${tag}|${id}|${type}|${from}|${participant ?? ''}`;
}

/**
 * The queued stanza that an ack (or a receipt to a message, given as class `message`) speaks of. A receipt for a
 * copy of one's own message names the chat as `recipient` and may have no `to`.
 */
function ackKey({ attrs }: BinaryNode, ownUser: string): string {
  const { id, type = '', to = '', participant } = attrs;
  if (attrs.class !== 'message') return `${attrs.class}|${id}|${type}|${to}|${participant ?? ''}`;
  const sender = participant ?? to;
  return `message|${id}|${(sender ? parseJid(sender)?.user : ownUser) ?? ''}`;
}
