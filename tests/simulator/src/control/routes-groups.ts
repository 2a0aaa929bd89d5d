import { createHash } from 'node:crypto';
import type { Account } from '../accounts/account.ts';
import type { Group } from '../accounts/group.ts';
import {
  approveRequests,
  joinByCode,
  rejectRequests,
  revokeInviteCode,
  withdrawRequest,
} from '../groups/invites.ts';
import {
  addMembers,
  createGroup,
  demoteMembers,
  leaveGroup,
  MAX_MEMBERS,
  type Outcome,
  promoteMembers,
  removeMembers,
} from '../groups/members.ts';
import type { Change } from '../groups/notifications.ts';
import { Refusal } from '../groups/refusal.ts';
import {
  setDescription,
  setEphemeral,
  setJoinApproval,
  setOnlyAdminsAdd,
  setOnlyAdminsEdit,
  setOnlyAdminsSend,
  setPicture,
  setSubject,
} from '../groups/settings.ts';
import { ApiError } from './errors.ts';
import type { Call, Route } from './http.ts';
import { accountOf, invalid, readBoolean, readInteger, readOptionalText, readText } from './input.ts';

const MAX_PICTURE_BYTES = 500_000;

/** Groups, and what people do to them on their phones. */
export const groupRoutes: Route[] = [
  { method: 'GET', path: /^\/groups$/, run: ({ simulator }) => [...simulator.groups.all()].map(groupView) },
  { method: 'POST', path: /^\/groups$/, run: create },
  { method: 'GET', path: /^\/groups\/([^/:]+)$/, run: (call) => groupView(groupOf(call)) },
  { method: 'PATCH', path: /^\/groups\/([^/:]+)$/, run: change },
  { method: 'POST', path: /^\/groups\/([^/:]+):add$/, run: changePeople(addMembers) },
  { method: 'POST', path: /^\/groups\/([^/:]+):remove$/, run: changePeople(removeMembers) },
  { method: 'POST', path: /^\/groups\/([^/:]+):promote$/, run: changePeople(promoteMembers) },
  { method: 'POST', path: /^\/groups\/([^/:]+):demote$/, run: changePeople(demoteMembers) },
  { method: 'POST', path: /^\/groups\/([^/:]+):approve$/, run: changePeople(approveRequests) },
  { method: 'POST', path: /^\/groups\/([^/:]+):reject$/, run: changePeople(rejectRequests) },
  { method: 'POST', path: /^\/groups\/([^/:]+):leave$/, run: act(leaveGroup) },
  { method: 'POST', path: /^\/groups\/([^/:]+):join$/, run: act(joinByCode) },
  { method: 'POST', path: /^\/groups\/([^/:]+):withdraw$/, run: act(withdrawRequest) },
  { method: 'POST', path: /^\/groups\/([^/:]+):revoke-invite$/, run: act(revokeInviteCode) },
  { method: 'POST', path: /^\/groups\/([^/:]+):set-picture$/, run: changePicture },
];

/** The group whose address is the path's first group. */
export function groupOf({ simulator, params }: Call): Group {
  const group = simulator.groups.at(params[0]);
  if (!group) throw new ApiError(404, 'GROUP_NOT_FOUND', 'There is no group with this address.');
  return group;
}

function groupView(group: Group) {
  return {
    jid: group.jid,
    subject: group.subject.text,
    description: group.description?.body ?? null,
    owner: group.creator.number,
    created_at_s: group.createdAtS,
    addressing: group.addressing,
    members: [...group.members].map(([{ number }, role]) => ({ number, role })),
    only_admins_send: group.onlyAdminsSend,
    only_admins_edit: group.onlyAdminsEdit,
    only_admins_add: group.onlyAdminsAdd,
    join_approval: group.joinApproval,
    ephemeral_s: group.ephemeralS,
    invite_code: group.inviteCode,
    join_requests: [...group.requests.keys()].map(({ number }) => number),
    picture: group.picture ? pictureView(group.picture.bytes) : null,
    is_community: group.isCommunity,
    community: group.parent?.jid ?? null,
  };
}

function pictureView(bytes: Buffer) {
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function create(call: Call) {
  const { body, simulator } = call;
  const by = accountOf(call, body.owner, 'owner');
  const { addressing = 'lid' } = body;
  if (addressing !== 'lid' && addressing !== 'pn') throw invalid('addressing', 'must be "lid" or "pn"');
  const members = body.members === undefined ? [] : peopleOf(call);
  const description = { body: readOptionalText(body, 'description') ?? '' };
  const subject = readText(body, 'subject', 100);
  const isCommunity = body.is_community !== undefined && readBoolean(body.is_community, 'is_community');
  const { group, outcomes } = answering(() =>
    createGroup({ simulator, by }, subject, members, { addressing, description, isCommunity }),
  );
  return { ...groupView(group), results: outcomes.map(outcomeView) };
}

function change(call: Call) {
  const { by: _author, ...fields } = call.body;
  const made = changeOf(call);
  for (const [field, value] of Object.entries(fields)) {
    const apply = SETTERS[field];
    if (!apply) throw invalid(field, 'is not a setting of a group');
    answering(() => apply(made, value, field));
  }
  return groupView(made.group);
}

const SETTERS: Record<string, (change: Change, value: unknown, field: string) => void> = {
  subject: (made, value) => setSubject(made, readText({ subject: value }, 'subject', 100)),
  description: (made, value) => {
    setDescription(made, { body: value === '' ? '' : readText({ description: value }, 'description') });
  },
  only_admins_send: (made, value, field) => setOnlyAdminsSend(made, readBoolean(value, field)),
  only_admins_edit: (made, value, field) => setOnlyAdminsEdit(made, readBoolean(value, field)),
  only_admins_add: (made, value, field) => setOnlyAdminsAdd(made, readBoolean(value, field)),
  join_approval: (made, value, field) => setJoinApproval(made, readBoolean(value, field)),
  ephemeral_s: (made, value, field) => setEphemeral(made, readInteger(value, field, { fallback: 0 })),
};

function changePicture(call: Call) {
  const size = readInteger(call.body.size, 'size', { max: MAX_PICTURE_BYTES, fallback: 0 });
  const made = changeOf(call);
  answering(() => setPicture(made, size > 0 ? Buffer.alloc(size, 'ponte ') : undefined));
  return groupView(made.group);
}

function changePeople(apply: (change: Change, people: Account[]) => Outcome[]) {
  return (call: Call) => {
    const made = changeOf(call);
    const outcomes = answering(() => apply(made, peopleOf(call)));
    return { results: outcomes.map(outcomeView) };
  };
}

function act(apply: (change: Change) => unknown) {
  return (call: Call) => {
    const made = changeOf(call);
    answering(() => apply(made));
    return groupView(made.group);
  };
}

/** What is done to a group is done by the owner, or by an admin where the owner has left, unless said otherwise. */
function changeOf(call: Call): Change {
  const { simulator, body } = call;
  const group = groupOf(call);
  if (body.by !== undefined) return { simulator, group, by: accountOf(call, body.by, 'by') };
  const by = group.isAdmin(group.creator) ? group.creator : group.admins[0];
  if (!by) throw invalid('by', 'must say who does it: the group has no admin');
  return { simulator, group, by };
}

function peopleOf(call: Call): Account[] {
  const { members } = call.body;
  if (!Array.isArray(members) || members.length > MAX_MEMBERS) {
    throw invalid('members', `must be a list of at most ${MAX_MEMBERS} numbers`);
  }
  return members.map((number) => accountOf(call, number, 'members'));
}

function outcomeView({ account, code }: Outcome) {
  return { number: account.number, code };
}

/** The server's refusal as this API tells it. */
function answering<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new ApiError(409, 'GROUP_REFUSED', `The server refuses this: ${error.code} ${error.message}.`);
  }
}
