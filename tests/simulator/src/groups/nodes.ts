import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../accounts/account.ts';
import type { Group, Role } from '../accounts/group.ts';
import { type Attributes, node } from '../wire/nodes.ts';

/** A group as answers and notifications carry it; its members can be left out. */
export function groupNode(group: Group, members: BinaryNode[] = memberNodes(group)): BinaryNode {
  const { subject, creator } = group;
  const attrs: Attributes = {
    id: group.id,
    addressing_mode: group.addressing,
    subject: subject.text,
    s_t: String(subject.atS),
    s_o: group.address(subject.by),
    creation: String(group.createdAtS),
    creator: group.address(creator),
    size: String(group.members.size),
  };
  if (group.addressing === 'lid')
    Object.assign(attrs, { s_o_pn: subject.by.jid(), creator_pn: creator.jid() });
  return node('group', attrs, [...settingNodes(group), ...members]);
}

export function memberNodes(group: Group): BinaryNode[] {
  return [...group.members.keys()].map((account) => participantNode(group, account));
}

/** One person with both addresses, and the role in the group if they have one. */
export function participantNode(
  group: Group,
  account: Account,
  role: Role = group.members.get(account) ?? 'member',
): BinaryNode {
  const attrs: Attributes = { jid: group.address(account) };
  if (group.addressing === 'lid') attrs.phone_number = account.jid();
  else attrs.lid = account.lidJid();
  if (role !== 'member') attrs.type = role;
  return node('participant', attrs);
}

/** Attributes by which a stanza of a group names who did something; the first address alone says on which device. */
export function authorAttributes(group: Group, author: Account, device = 0): Attributes {
  const attrs: Attributes = {
    participant: group.address(author, device),
    addressing_mode: group.addressing,
  };
  if (group.addressing === 'lid') attrs.participant_pn = author.jid();
  else attrs.participant_lid = author.lidJid();
  return attrs;
}

export function descriptionNode(group: Group): BinaryNode {
  const { description } = group;
  if (!description) return node('description', { delete: 'true' });
  const attrs: Attributes = {
    id: description.id,
    participant: group.address(description.by),
    t: String(description.atS),
  };
  if (group.addressing === 'lid') attrs.participant_pn = description.by.jid();
  return node('description', attrs, [node('body', {}, Buffer.from(description.body))]);
}

export function addModeNode(group: Group): BinaryNode {
  return node('member_add_mode', {}, Buffer.from(group.onlyAdminsAdd ? 'admin_add' : 'all_member_add'));
}

export function approvalNode(group: Group): BinaryNode {
  const state = group.joinApproval ? 'on' : 'off';
  return node('membership_approval_mode', {}, [node('group_join', { state })]);
}

function settingNodes(group: Group): BinaryNode[] {
  const nodes = [addModeNode(group)];
  if (group.description) nodes.push(descriptionNode(group));
  if (group.onlyAdminsSend) nodes.push(node('announcement'));
  if (group.onlyAdminsEdit) nodes.push(node('locked'));
  if (group.joinApproval) nodes.push(approvalNode(group));
  if (group.ephemeralS > 0) nodes.push(node('ephemeral', { expiration: String(group.ephemeralS) }));
  if (group.isCommunity) nodes.push(node('parent', { default_membership_approval_mode: 'request_required' }));
  if (group.parent) nodes.push(node('linked_parent', { jid: group.parent.jid }));
  return nodes;
}
