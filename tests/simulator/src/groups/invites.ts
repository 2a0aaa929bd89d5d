import type { Account } from '../accounts/account.ts';
import { type Group, nowSeconds } from '../accounts/group.ts';
import type { Simulator } from '../simulator.ts';
import { node } from '../wire/nodes.ts';
import { enter, MAX_MEMBERS, type Outcome, requireAdmin } from './members.ts';
import { participantNode } from './nodes.ts';
import { type Change, tell } from './notifications.ts';
import { conflict, gone, notAcceptable } from './refusal.ts';

/** The group behind an invite link's code. @throws Refusal for a code that is none, or none any more */
export function groupBehind(simulator: Simulator, code: string): Group {
  const group = simulator.groups.withCode(code);
  if (group) return group;
  throw simulator.groups.wasRevoked(code) ? gone() : notAcceptable();
}

/** Replaces the invite link. @throws Refusal where the author is no admin */
export function revokeInviteCode(change: Change): void {
  requireAdmin(change.group, change.by);
  change.simulator.groups.replaceCode(change.group);
  tell(change, node('invite', { code: change.group.inviteCode }));
}

/**
 * The author comes in by the group's link, or asks to where admins approve.
 * @returns whether they are in
 * @throws Refusal where they are in already, or the group is full
 */
export function joinByCode(change: Change): boolean {
  const { group, by } = change;
  if (group.has(by)) throw conflict();
  if (!group.joinApproval) {
    enter(change, by, { reason: 'invite' });
    return true;
  }
  group.requests.set(by, { atS: nowSeconds(), method: 'invite_link' });
  const attrs = { request_method: 'invite_link' };
  tell(change, node('created_membership_requests', attrs, [participantNode(group, by)]), group.admins);
  return false;
}

/** The author accepts an invitation of their own. @throws Refusal where there is none with this code */
export function acceptInvitation(change: Change, code: string): void {
  const { group, by } = change;
  if (group.has(by)) throw conflict();
  const invitation = group.invitations.get(by);
  if (invitation?.code !== code) throw notAcceptable();
  if (invitation.expiresAtS < nowSeconds()) throw gone();
  enter(change, by, {});
}

/** @throws Refusal where the author is no admin */
export function revokeInvitations(change: Change, people: Account[]): void {
  requireAdmin(change.group, change.by);
  for (const account of people) change.group.invitations.delete(account);
}

/** Lets in those who asked. @throws Refusal where the author is no admin */
export function approveRequests(change: Change, people: Account[]): Outcome[] {
  return answerRequests(change, people, (account) => {
    if (change.group.members.size >= MAX_MEMBERS) return 419;
    enter(change, account, {});
    return 200;
  });
}

/** Turns away those who asked. @throws Refusal where the author is no admin */
export function rejectRequests(change: Change, people: Account[]): Outcome[] {
  return answerRequests(change, people, (account) => {
    revokeRequest(change, account);
    return 200;
  });
}

/** Somebody who asked thinks better of it. @throws Refusal where they have not asked */
export function withdrawRequest(change: Change): void {
  if (!change.group.requests.has(change.by)) throw conflict();
  revokeRequest(change, change.by);
}

function answerRequests(change: Change, people: Account[], answer: (account: Account) => number): Outcome[] {
  const { group, by } = change;
  requireAdmin(group, by);
  return people.map((account) => ({
    account,
    code: group.requests.has(account) ? answer(account) : 404,
  }));
}

function revokeRequest(change: Change, account: Account): void {
  const { group } = change;
  group.requests.delete(account);
  const content = node('revoked_membership_requests', {}, [participantNode(group, account)]);
  tell(change, content, new Set([...group.admins, account]));
}
