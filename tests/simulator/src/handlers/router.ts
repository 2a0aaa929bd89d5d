import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../accounts/account.ts';
import { isChannelJid } from '../accounts/channels.ts';
import { Companion } from '../accounts/companion.ts';
import type { Device } from '../accounts/device.ts';
import type { FileHost } from '../accounts/phone-files.ts';
import type { Registry } from '../accounts/registry.ts';
import type { BoundedLog } from '../bounded.ts';
import type { FaultTable } from '../faults.ts';
import type { Stats } from '../stats.ts';
import { type Jid, parseJid } from '../wire/jid.ts';
import { child, children, node } from '../wire/nodes.ts';
import { asDelivered } from './corruption.ts';
import type { GroupRouter } from './group-messages.ts';
import { STATUS_JID, StatusRouter } from './status-messages.ts';

/** A message stanza that arrived at the server. Numbers are E.164; a group is named by its address. */
export interface Arrival {
  id: string;
  from: string;
  from_device: number;
  to: string;
  /** Milliseconds since the epoch, with fractions. */
  at_ms: number;
}

/**
 * Carries stanzas from any device, on a socket or in this process, to the devices that they are for, and
 * rewrites them as the server of WhatsApp does.
 */
export class Router {
  private readonly registry: Registry;
  private readonly arrivals: BoundedLog<Arrival>;
  private readonly stats: Stats;
  private readonly faults: FaultTable;
  readonly files: FileHost;
  readonly groups: GroupRouter;
  private readonly statuses: StatusRouter;

  constructor(
    registry: Registry,
    arrivals: BoundedLog<Arrival>,
    stats: Stats,
    faults: FaultTable,
    files: FileHost,
    groups: GroupRouter,
  ) {
    this.registry = registry;
    this.arrivals = arrivals;
    this.stats = stats;
    this.faults = faults;
    this.files = files;
    this.groups = groups;
    this.statuses = new StatusRouter(registry, stats, faults);
  }

  accountAt(jid: string | undefined): Account | undefined {
    return this.registry.accountAt(jid);
  }

  /** Registered account of a number in E.164. */
  accountOf(number: string): Account | undefined {
    return this.registry.registered(number.slice(1));
  }

  deviceAt(jid: string | undefined): Device | undefined {
    return this.registry.deviceAt(jid);
  }

  /** Notes a message's arrival and hands each encrypted copy to its device. */
  message(sender: Device, stanza: BinaryNode, arrivedAtMs: number): void {
    const group = this.groups.at(stanza.attrs.to);
    const isStatus = stanza.attrs.to === STATUS_JID;
    const to = parseJid(stanza.attrs.to);
    const recipient = to && this.registry.account(to);
    this.stats.messages += 1;
    this.arrivals.add({
      id: stanza.attrs.id ?? '',
      from: sender.account.number,
      from_device: sender.id,
      to:
        (isStatus || isChannelJid(stanza.attrs.to) ? stanza.attrs.to : group?.jid) ??
        recipient?.number ??
        (to && !to.lid ? `+${to.user}` : ''),
      at_ms: arrivedAtMs,
    });
    if (group) this.groups.message(sender, group, stanza, arrivedAtMs);
    if (isStatus) this.statuses.message(sender, stanza, arrivedAtMs);
    if (!to) return;
    const identity = child(stanza, 'device-identity');
    const participants = child(stanza, 'participants');
    if (!participants) {
      const target = recipient?.devices.get(to.device);
      if (target) this.hand(sender, target, stanza, to, child(stanza, 'enc'), identity, arrivedAtMs);
      return;
    }
    for (const copy of children(participants)) {
      const target = this.registry.deviceAt(copy.attrs.jid);
      if (target) this.hand(sender, target, stanza, to, child(copy, 'enc'), identity, arrivedAtMs);
    }
  }

  /** Passes a receipt on to the devices of the one whose message it is about. */
  receipt(sender: Device, stanza: BinaryNode): void {
    this.stats.receipts += 1;
    const group = this.groups.at(stanza.attrs.to);
    if (group) {
      this.groups.receipt(sender, group, stanza);
      return;
    }
    if (stanza.attrs.to === STATUS_JID) {
      this.statuses.receipt(sender, stanza);
      return;
    }
    const to = parseJid(stanza.attrs.to);
    const account = to && this.registry.account(to);
    if (!account || !to) return;
    const type = stanza.attrs.type;
    const from = to.lid ? sender.account.lidJid(sender.id) : sender.account.jid(sender.id);
    const attrs = { id: stanza.attrs.id ?? '', from, t: nowSeconds() };
    if (type === 'retry') {
      const recipient = stanza.attrs.recipient;
      const retryAttrs = { ...attrs, type, ...(recipient ? { recipient } : {}) };
      account.devices.get(to.device)?.deliver(node('receipt', retryAttrs, stanza.content), 0);
      return;
    }
    if (account === sender.account || (type && !FORWARDED_RECEIPTS.has(type))) return;
    // "inactive" is a delivery to a client that is not on screen: for the sender a delivery like any other.
    const forwarded = node(
      'receipt',
      type && type !== 'inactive' ? { ...attrs, type } : attrs,
      stanza.content,
    );
    for (const device of account.devices.values()) device.deliver(forwarded, 0);
  }

  /** Typing: to whoever is online, never queued. */
  chatState(sender: Device, stanza: BinaryNode): void {
    const group = this.groups.at(stanza.attrs.to);
    if (group) {
      this.groups.chatState(sender, group, stanza);
      return;
    }
    const to = parseJid(stanza.attrs.to);
    const account = to && this.registry.account(to);
    if (!account || !to) return;
    const from = to.lid ? sender.account.lidJid() : sender.account.jid();
    for (const device of account.devices.values()) {
      device.deliverNow(node('chatstate', { from }, stanza.content));
    }
  }

  private hand(
    sender: Device,
    target: Device,
    stanza: BinaryNode,
    to: Jid,
    enc: BinaryNode | undefined,
    identity: BinaryNode | undefined,
    arrivedAtMs: number,
  ): void {
    if (!enc || target === sender) return;
    const content = [asDelivered(enc, this.faults, target.account.number)];
    if (identity) content.push(identity);
    const attrs = this.messageAttributes(sender, target, stanza, to);
    target.deliver(node('message', attrs, content), arrivedAtMs);
    if (target instanceof Companion) this.stats.delivered += 1;
  }

  private messageAttributes(sender: Device, target: Device, stanza: BinaryNode, to: Jid) {
    const { account } = sender;
    const attrs: Record<string, string> = {
      id: stanza.attrs.id ?? '',
      from: to.lid ? account.lidJid(sender.id) : account.jid(sender.id),
      type: stanza.attrs.type ?? 'text',
      t: nowSeconds(),
    };
    if (stanza.attrs.category) return { ...attrs, category: stanza.attrs.category };
    attrs.notify = account.name;
    if (to.lid) attrs.addressing_mode = 'lid';
    if (target.account !== account) {
      if (to.lid) attrs.sender_pn = account.jid();
      else attrs.sender_lid = account.lidJid();
      return attrs;
    }
    // A copy for one's own device names the chat, and that chat's other address.
    const chat = stanza.attrs.recipient ?? stanza.attrs.to ?? '';
    attrs.recipient = chat;
    const other = this.registry.accountAt(chat);
    if (other && to.lid) attrs.peer_recipient_pn = other.jid();
    else if (other) attrs.peer_recipient_lid = other.lidJid();
    return attrs;
  }
}

const FORWARDED_RECEIPTS = new Set(['inactive', 'read', 'played']);

function nowSeconds(): string {
  return Math.floor(Date.now() / 1000).toString();
}
