import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../accounts/account.ts';
import { Companion } from '../accounts/companion.ts';
import type { Device } from '../accounts/device.ts';
import { type Group, nowSeconds } from '../accounts/group.ts';
import type { Groups } from '../accounts/groups.ts';
import type { Registry } from '../accounts/registry.ts';
import type { FaultTable } from '../faults.ts';
import { authorAttributes } from '../groups/nodes.ts';
import type { Stats } from '../stats.ts';
import { type Attributes, child, children, node } from '../wire/nodes.ts';
import { asDelivered } from './corruption.ts';

const NOT_A_MEMBER = 403;
const NOT_THERE = 404;
const ONLY_ADMINS_SEND = 420;

/** Carries what is said in groups from one member's device to those of all members. */
export class GroupRouter {
  private readonly groups: Groups;
  private readonly registry: Registry;
  private readonly stats: Stats;
  private readonly faults: FaultTable;

  constructor(groups: Groups, registry: Registry, stats: Stats, faults: FaultTable) {
    this.groups = groups;
    this.registry = registry;
    this.stats = stats;
    this.faults = faults;
  }

  at(jid: string | undefined): Group | undefined {
    return this.groups.at(jid);
  }

  /** The code with which a message is refused; undefined for one that is taken. */
  refusalOf(sender: Account, group: Group | undefined): number | undefined {
    if (!group) return NOT_THERE;
    if (!group.has(sender)) return NOT_A_MEMBER;
    if (group.onlyAdminsSend && !group.isAdmin(sender)) return ONLY_ADMINS_SEND;
    return undefined;
  }

  /** To all devices in the group; to one, for a message that it has asked for anew. */
  message(sender: Device, group: Group, stanza: BinaryNode, arrivedAtMs: number): void {
    const asking = this.registry.deviceAt(stanza.attrs.participant);
    const forAll = children(stanza).filter(({ tag }) => tag === 'enc');
    const forOne = copiesIn(stanza, this.registry);
    const identity = child(stanza, 'device-identity');
    const attrs = {
      id: stanza.attrs.id ?? '',
      from: group.jid,
      type: stanza.attrs.type ?? 'text',
      t: String(nowSeconds()),
      notify: sender.account.name,
      ...authorAttributes(group, sender.account, sender.id),
    };
    for (const target of asking ? [asking] : group.devices()) {
      if (target === sender) continue;
      const copy = forOne.get(target);
      const encs = (copy ? [copy, ...forAll] : forAll).map((enc) =>
        asDelivered(enc, this.faults, target.account.number),
      );
      target.deliver(node('message', attrs, identity ? [...encs, identity] : encs), arrivedAtMs);
      if (target instanceof Companion) this.stats.delivered += 1;
    }
  }

  /** Passes a member's receipt on to the devices of the one whose message it is about. */
  receipt(sender: Device, group: Group, stanza: BinaryNode): void {
    const { participant, type, id = '' } = stanza.attrs;
    const attrs: Attributes = {
      id,
      from: group.jid,
      t: String(nowSeconds()),
      ...authorAttributes(group, sender.account, sender.id),
    };
    if (type === 'retry') {
      const asked = this.registry.deviceAt(participant);
      asked?.deliver(node('receipt', { ...attrs, type }, stanza.content), 0);
      return;
    }
    const author = this.registry.accountAt(participant);
    if (!author || author === sender.account || !(isDelivery(type) || SHOWN.has(type))) return;
    const told = node('receipt', isDelivery(type) ? attrs : { ...attrs, type: type ?? '' }, stanza.content);
    for (const device of author.devices.values()) device.deliver(told, 0);
  }

  /** Typing: to whoever of the group is online, never queued. */
  chatState(sender: Device, group: Group, stanza: BinaryNode): void {
    const attrs = { from: group.jid, participant: group.address(sender.account) };
    for (const device of group.devices()) {
      if (device.account !== sender.account) device.deliverNow(node('chatstate', attrs, stanza.content));
    }
  }
}

/** What a message carries for single devices: the sender's key, or a message anew. */
export function copiesIn(stanza: BinaryNode, registry: Registry): Map<Device, BinaryNode> {
  const copies = new Map<Device, BinaryNode>();
  for (const copy of children(child(stanza, 'participants'))) {
    const device = registry.deviceAt(copy.attrs.jid);
    const enc = child(copy, 'enc');
    if (device && enc) copies.set(device, enc);
  }
  return copies;
}

const SHOWN = new Set<string | undefined>(['read', 'played']);

/** "inactive" is a delivery to a client that is not on screen: for the sender a delivery like any other. */
export function isDelivery(type: string | undefined): boolean {
  return type === undefined || type === 'inactive';
}
