import type { BinaryNode } from '@whiskeysockets/baileys';
import {
  acceptInvitation,
  approveRequests,
  groupBehind,
  joinByCode,
  rejectRequests,
  revokeInvitations,
  revokeInviteCode,
} from '../groups/invites.ts';
import { requireAdmin, resolve } from '../groups/members.ts';
import { groupNode, participantNode } from '../groups/nodes.ts';
import type { Change } from '../groups/notifications.ts';
import { child, node } from '../wire/nodes.ts';
import { type GrouplessQuery, type GroupQuery, outcomeNodes, participantsOf } from './group-query.ts';

/** Queries about invite links, invitations and requests to join, by type and tag. */
export const INVITE_QUERIES: [string, GroupQuery][] = [
  ['get/invite', readCode],
  ['set/invite', replaceCode],
  ['set/accept', accept],
  ['set/revoke', revoke],
  ['get/membership_approval_requests', listRequests],
  ['set/membership_requests_action', answerRequests],
];

/** Those for which a code stands in the place of the group's address. */
export const INVITE_QUERIES_WITHOUT_GROUP: [string, GrouplessQuery][] = [
  ['get/invite', readBehindCode],
  ['set/invite', join],
];

function readCode({ group, by }: Change): BinaryNode[] {
  requireAdmin(group, by);
  return [node('invite', { code: group.inviteCode })];
}

function replaceCode(change: Change): BinaryNode[] {
  revokeInviteCode(change);
  return [node('invite', { code: change.group.inviteCode })];
}

/** Who is in the group is for members to know. */
function readBehindCode({ simulator }: Omit<Change, 'group'>, { attrs }: BinaryNode): BinaryNode[] {
  return [groupNode(groupBehind(simulator, attrs.code ?? ''), [])];
}

function join(change: Omit<Change, 'group'>, { attrs }: BinaryNode): BinaryNode[] {
  const group = groupBehind(change.simulator, attrs.code ?? '');
  const isIn = joinByCode({ ...change, group });
  return [node(isIn ? 'group' : 'membership_approval_request', { jid: group.jid })];
}

function accept(change: Change, { attrs }: BinaryNode): undefined {
  acceptInvitation(change, attrs.code ?? '');
}

function revoke(change: Change, request: BinaryNode): undefined {
  revokeInvitations(change, resolve(change.simulator, participantsOf(request)).known);
}

function listRequests({ group, by }: Change): BinaryNode[] {
  requireAdmin(group, by);
  const requests = [...group.requests].map(([account, { atS, method }]) =>
    node('membership_approval_request', {
      ...participantNode(group, account).attrs,
      request_time: String(atS),
      request_method: method,
    }),
  );
  return [node('membership_approval_requests', {}, requests)];
}

function answerRequests(change: Change, request: BinaryNode): BinaryNode[] {
  const approved = child(request, 'approve');
  const [tag, act] = approved
    ? (['approve', approveRequests] as const)
    : (['reject', rejectRequests] as const);
  const jids = participantsOf(child(request, tag));
  return [node('membership_requests_action', {}, [node(tag, {}, outcomeNodes(change, jids, act))])];
}
