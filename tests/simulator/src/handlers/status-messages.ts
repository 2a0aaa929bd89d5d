import type { BinaryNode } from '@whiskeysockets/baileys';
import { Companion } from '../accounts/companion.ts';
import type { Device } from '../accounts/device.ts';
import { nowSeconds } from '../accounts/group.ts';
import type { Registry } from '../accounts/registry.ts';
import type { FaultTable } from '../faults.ts';
import type { Stats } from '../stats.ts';
import { type Attributes, child, children, node } from '../wire/nodes.ts';
import { asDelivered } from './corruption.ts';
import { copiesIn, isDelivery } from './group-messages.ts';

export const STATUS_JID = 'status@broadcast';

/** Carries statuses from one device to those that it names, and their receipts back. */
export class StatusRouter {
  private readonly registry: Registry;
  private readonly stats: Stats;
  private readonly faults: FaultTable;

  constructor(registry: Registry, stats: Stats, faults: FaultTable) {
    this.registry = registry;
    this.stats = stats;
    this.faults = faults;
  }

  /** To each device that gets the sender's key with it: a status has no members that the server knows. */
  message(sender: Device, stanza: BinaryNode, arrivedAtMs: number): void {
    const forAll = children(stanza).filter(({ tag }) => tag === 'enc');
    const identity = child(stanza, 'device-identity');
    const attrs = {
      ...this.authorAttributes(sender),
      id: stanza.attrs.id ?? '',
      type: stanza.attrs.type ?? 'text',
      notify: sender.account.name,
    };
    for (const [target, copy] of copiesIn(stanza, this.registry)) {
      if (target === sender) continue;
      const encs = [copy, ...forAll].map((enc) => asDelivered(enc, this.faults, target.account.number));
      target.deliver(node('message', attrs, identity ? [...encs, identity] : encs), arrivedAtMs);
      if (target instanceof Companion) this.stats.delivered += 1;
    }
  }

  /** Passes what somebody did with a status on to the devices of the one who posted it. */
  receipt(sender: Device, stanza: BinaryNode): void {
    const { participant, type, id = '' } = stanza.attrs;
    const attrs: Attributes = { ...this.authorAttributes(sender), id };
    if (type === 'retry') {
      this.registry.deviceAt(participant)?.deliver(node('receipt', { ...attrs, type }, stanza.content), 0);
      return;
    }
    const author = this.registry.accountAt(participant);
    if (!author || author === sender.account || !(isDelivery(type) || type === 'read')) return;
    const told = node('receipt', isDelivery(type) ? attrs : { ...attrs, type: 'read' }, stanza.content);
    for (const device of author.devices.values()) device.deliver(told, 0);
  }

  private authorAttributes({ account, id }: Device) {
    const participant = account.jid(id);
    return { from: STATUS_JID, participant, participant_lid: account.lidJid(), t: String(nowSeconds()) };
  }
}
