import { randomBytes } from 'node:crypto';
import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../accounts/account.ts';
import { type Addressing, describedNow, type Group, nowSeconds, type Role } from '../accounts/group.ts';
import type { Simulator } from '../simulator.ts';
import { node } from '../wire/nodes.ts';
import { participantNode } from './nodes.ts';
import { type Change, tell, tellEntered } from './notifications.ts';
import { forbidden, notAuthorized, resourceLimit } from './refusal.ts';

export const MAX_MEMBERS = 1_024;
const INVITATION_LASTS_S = 3 * 24 * 3_600;

/** What became of one person; 200 is done. The codes are WhatsApp's. */
export interface Outcome {
  account: Account;
  code: number;
}

/** What a group can have from the beginning. */
export interface NewGroup {
  addressing?: Addressing | undefined;
  /** By which its maker knows the notification that tells of it. */
  key?: string | undefined;
  description?: { id?: string | undefined; body: string } | undefined;
  isCommunity?: boolean;
  parent?: Group | undefined;
}

const DONE = 200;
const LETS_CONTACTS_ADD = 403;
const NOT_THERE = 404;
const NOT_ALLOWED = 405;
const HAS_LEFT = 408;
const IS_MEMBER = 409;
const IS_FULL = 419;

/** Makes a group and tells everybody in it. Those who cannot be added are left out, each with its code. */
export function createGroup(
  { simulator, by }: Omit<Change, 'group'>,
  subject: string,
  people: Account[],
  { addressing, key, description, isCommunity = false, parent }: NewGroup = {},
): { group: Group; outcomes: Outcome[] } {
  if (people.length >= MAX_MEMBERS) throw resourceLimit();
  const group = simulator.groups.create(by, subject, addressing);
  group.isCommunity = isCommunity;
  group.parent = parent;
  if (description?.body) group.description = describedNow(by, description.body, description.id);
  const change = { simulator, group, by };
  const outcomes = people.filter((account) => account !== by).map((account) => admit(change, account));
  const attrs = { type: 'new', ...(key ? { key } : {}) };
  tellEntered(change, [...group.members.keys()], attrs);
  return { group, outcomes };
}

/** @throws Refusal where the author may not add */
export function addMembers(change: Change, people: Account[]): Outcome[] {
  const { group, by } = change;
  requireMember(group, by);
  // With approval only admins add here; WhatsApp turns what others add into requests.
  if ((group.onlyAdminsAdd || group.joinApproval) && !group.isAdmin(by)) throw notAuthorized();
  const before = [...group.members.keys()];
  const outcomes = people.map((account) => admit(change, account));
  tellAdded(change, before, doneOf(outcomes), {});
  return outcomes;
}

/** @throws Refusal where the author is no admin */
export function removeMembers(change: Change, people: Account[]): Outcome[] {
  return changeMembers(change, 'remove', people, (account) => {
    if (!change.group.has(account)) return NOT_THERE;
    if (change.group.members.get(account) === 'superadmin') return NOT_ALLOWED;
    change.group.members.delete(account);
    return DONE;
  });
}

/** @throws Refusal where the author is no admin */
export function promoteMembers(change: Change, people: Account[]): Outcome[] {
  return changeMembers(change, 'promote', people, (account) => {
    if (!change.group.has(account)) return NOT_THERE;
    if (!change.group.isAdmin(account)) change.group.members.set(account, 'admin');
    return DONE;
  });
}

/** @throws Refusal where the author is no admin */
export function demoteMembers(change: Change, people: Account[]): Outcome[] {
  return changeMembers(change, 'demote', people, (account) => {
    if (!change.group.has(account)) return NOT_THERE;
    if (change.group.members.get(account) === 'superadmin') return NOT_ALLOWED;
    change.group.members.set(account, 'member');
    return DONE;
  });
}

/** The author leaves. A group without an admin gets its oldest member as one; the last one takes it along. */
export function leaveGroup(change: Change): void {
  const { group, by, simulator } = change;
  requireMember(group, by);
  const told = [...group.members.keys()];
  const leaving = node('remove', {}, [participantNode(group, by)]);
  group.members.delete(by);
  group.left.add(by);
  tell(change, leaving, told);
  const oldest = group.members.keys().next().value;
  if (!oldest) {
    simulator.groups.delete(group);
    return;
  }
  if (group.admins.length > 0) return;
  group.members.set(oldest, 'admin');
  tell(change, node('promote', {}, [participantNode(group, oldest)]));
}

/** Lets somebody in who came by an invitation or was approved. @throws Refusal where the group is full */
export function enter(change: Change, account: Account, attrs: Record<string, string>): void {
  const { group } = change;
  if (group.members.size >= MAX_MEMBERS) throw resourceLimit();
  const before = [...group.members.keys()];
  setMember(group, account, 'member');
  tellAdded(change, before, [account], attrs);
}

/** @throws Refusal where the account is not in the group */
export function requireMember(group: Group, account: Account): void {
  if (!group.has(account)) throw forbidden();
}

/** @throws Refusal where the account is no admin of the group */
export function requireAdmin(group: Group, account: Account): void {
  requireMember(group, account);
  if (!group.isAdmin(account)) throw notAuthorized();
}

/** An outcome as answers carry it, with an invitation for those who can only be invited. */
export function outcomeNode(group: Group, { account, code }: Outcome): BinaryNode {
  const participant = participantNode(group, account);
  if (code === DONE) return participant;
  participant.attrs.error = String(code);
  const invitation = group.invitations.get(account);
  if (!invitation || (code !== LETS_CONTACTS_ADD && code !== HAS_LEFT)) return participant;
  const attrs = { code: invitation.code, expiration: String(invitation.expiresAtS) };
  return { ...participant, content: [node('add_request', attrs)] };
}

function changeMembers(
  change: Change,
  tag: string,
  people: Account[],
  apply: (account: Account) => number,
): Outcome[] {
  const { group, by } = change;
  requireAdmin(group, by);
  const told = [...group.members.keys()];
  const outcomes = people.map((account) => ({ account, code: apply(account) }));
  const changed = doneOf(outcomes).map((account) => participantNode(group, account));
  if (changed.length > 0) tell(change, node(tag, {}, changed), told);
  return outcomes;
}

function admit({ group, by }: Change, account: Account): Outcome {
  if (!account.registered) return { account, code: NOT_THERE };
  if (group.has(account)) return { account, code: IS_MEMBER };
  if (group.members.size >= MAX_MEMBERS) return { account, code: IS_FULL };
  const code =
    account.groupAdd === 'contacts' ? LETS_CONTACTS_ADD : group.left.has(account) ? HAS_LEFT : DONE;
  if (code === DONE) setMember(group, account, 'member');
  else invite(group, by, account);
  return { account, code };
}

function invite(group: Group, admin: Account, account: Account): void {
  const code = randomBytes(12).toString('base64url');
  group.invitations.set(account, { code, expiresAtS: nowSeconds() + INVITATION_LASTS_S, admin });
}

function setMember(group: Group, account: Account, role: Role): void {
  group.members.set(account, role);
  group.left.delete(account);
  group.requests.delete(account);
  group.invitations.delete(account);
}

function tellAdded(change: Change, before: Account[], added: Account[], attrs: Record<string, string>): void {
  if (added.length === 0) return;
  const participants = added.map((account) => participantNode(change.group, account));
  tell(change, node('add', attrs, participants), before);
  tellEntered(change, added, attrs);
}

function doneOf(outcomes: Outcome[]): Account[] {
  return outcomes.flatMap(({ account, code }) => (code === DONE ? [account] : []));
}

/** Every account that is named and known; the others' addresses as they were written. */
export function resolve(simulator: Simulator, jids: string[]): { known: Account[]; unknown: string[] } {
  const known: Account[] = [];
  const unknown: string[] = [];
  for (const jid of jids) {
    const account = simulator.registry.accountAt(jid);
    if (account) known.push(account);
    else unknown.push(jid);
  }
  return { known, unknown };
}
