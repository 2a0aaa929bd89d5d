import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../accounts/account.ts';
import { type Group, nowSeconds } from '../accounts/group.ts';
import type { Simulator } from '../simulator.ts';
import { node } from '../wire/nodes.ts';
import { authorAttributes, groupNode } from './nodes.ts';

/** What a change of a group is told with: id, author, group. */
export interface Change {
  simulator: Simulator;
  group: Group;
  /** Who makes the change. */
  by: Account;
}

/**
 * Tells people's devices of a change; clients get it again at each login until they acknowledge it. WhatsApp
 * tells the author's own devices too, the one that asked for the change included.
 */
export function tell(
  change: Change,
  content: BinaryNode,
  to: Iterable<Account> = change.group.members.keys(),
): void {
  const { group, by, simulator } = change;
  const attrs = {
    id: simulator.nextId(),
    from: group.jid,
    type: 'w:gp2',
    t: String(nowSeconds()),
    notify: by.name,
    ...authorAttributes(group, by),
  };
  deliver(node('notification', attrs, [content]), to);
}

/** Tells new members what they are in now. */
export function tellEntered(change: Change, entered: Account[], attrs: Record<string, string>): void {
  if (entered.length > 0) tell(change, node('create', attrs, [groupNode(change.group)]), entered);
}

export function tellPicture(change: Change): void {
  const { group, by, simulator } = change;
  const about = { jid: group.jid, author: group.address(by) };
  const content = group.picture ? node('set', { id: group.picture.id, ...about }) : node('delete', about);
  const attrs = { id: simulator.nextId(), from: group.jid, type: 'picture', t: String(nowSeconds()) };
  deliver(node('notification', attrs, [content]), group.members.keys());
}

function deliver(stanza: BinaryNode, to: Iterable<Account>): void {
  for (const account of to) {
    for (const device of account.devices.values()) device.deliver(stanza, Date.now());
  }
}
