import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Group } from '../accounts/group.ts';
import { node } from '../wire/nodes.ts';
import { requireAdmin, requireMember } from './members.ts';
import { type Change, tell } from './notifications.ts';
import { badRequest, conflict } from './refusal.ts';

/** Links a group to a community. @throws Refusal where the author is no admin of both, or it cannot be linked */
export function linkGroup(change: Change, linked: Group): void {
  const { group: community, by } = change;
  requireAdmin(community, by);
  requireAdmin(linked, by);
  if (!community.isCommunity || linked.isCommunity) throw badRequest();
  if (linked.parent) throw conflict();
  linked.parent = community;
  tell({ ...change, group: linked }, node('link', { link_type: 'parent_group' }, [linkedNode(community)]));
}

/** @throws Refusal where the author is no admin of the community, or the group is not linked to it */
export function unlinkGroup(change: Change, linked: Group): void {
  requireAdmin(change.group, change.by);
  if (linked.parent !== change.group) throw conflict();
  linked.parent = undefined;
  const attrs = { unlink_type: 'parent_group', unlink_reason: 'unlink_group' };
  tell({ ...change, group: linked }, node('unlink', attrs, [linkedNode(change.group)]));
}

/** @throws Refusal where the author is not in the community */
export function linkedGroupNodes({ group, by, simulator }: Change): BinaryNode[] {
  requireMember(group, by);
  return simulator.groups.linkedTo(group).map(linkedNode);
}

function linkedNode(group: Group): BinaryNode {
  return node('group', {
    id: group.id,
    jid: group.jid,
    subject: group.subject.text,
    s_t: String(group.subject.atS),
    creation: String(group.createdAtS),
    creator: group.address(group.creator),
    size: String(group.members.size),
  });
}
