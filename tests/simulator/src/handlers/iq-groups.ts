import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Connection } from '../connection.ts';
import { linkedGroupNodes, linkGroup, unlinkGroup } from '../groups/communities.ts';
import {
  addMembers,
  createGroup,
  demoteMembers,
  leaveGroup,
  type Outcome,
  outcomeNode,
  promoteMembers,
  removeMembers,
  requireAdmin,
  requireMember,
  resolve,
} from '../groups/members.ts';
import { groupNode } from '../groups/nodes.ts';
import type { Change } from '../groups/notifications.ts';
import { badRequest, notFound, Refusal } from '../groups/refusal.ts';
import {
  setDescription,
  setEphemeral,
  setJoinApproval,
  setOnlyAdminsAdd,
  setOnlyAdminsEdit,
  setOnlyAdminsSend,
  setSubject,
} from '../groups/settings.ts';
import { child, children, iqError, iqResult, node } from '../wire/nodes.ts';
import { type GrouplessQuery, type GroupQuery, outcomeNodes, participantsOf, textOf } from './group-query.ts';
import { INVITE_QUERIES, INVITE_QUERIES_WITHOUT_GROUP } from './iq-group-invites.ts';

const SERVER_OF_GROUPS = '@g.us';

const GROUPLESS = new Map<string, GrouplessQuery>([
  ['get/participating', listGroups],
  ['set/create', create],
  ['set/leave', leave],
  ...INVITE_QUERIES_WITHOUT_GROUP,
]);

const QUERIES = new Map<string, GroupQuery>([
  ['get/query', readGroup],
  ['get/sub_groups', (change) => [node('sub_groups', {}, linkedGroupNodes(change))]],
  ['set/add', changePeople(addMembers)],
  ['set/remove', changePeople(removeMembers)],
  ['set/promote', changePeople(promoteMembers)],
  ['set/demote', changePeople(demoteMembers)],
  ['set/subject', set((change, request) => setSubject(change, textOf(request)))],
  ['set/description', set(describe)],
  ['set/announcement', set((change) => setOnlyAdminsSend(change, true))],
  ['set/not_announcement', set((change) => setOnlyAdminsSend(change, false))],
  ['set/locked', set((change) => setOnlyAdminsEdit(change, true))],
  ['set/unlocked', set((change) => setOnlyAdminsEdit(change, false))],
  ['set/member_add_mode', set(changeAddMode)],
  ['set/membership_approval_mode', set(changeApproval)],
  ['set/ephemeral', set((change, { attrs }) => setEphemeral(change, Number(attrs.expiration)))],
  ['set/not_ephemeral', set((change) => setEphemeral(change, 0))],
  ['set/links', set((change, request) => linkGroup(change, namedGroup(change, child(request, 'link'))))],
  ['set/unlink', set((change, request) => unlinkGroup(change, namedGroup(change, request)))],
  ...INVITE_QUERIES,
]);

/** Groups: what they are, and changes of them. Undefined for a query that is not known. */
export function answerGroups(connection: Connection, iq: BinaryNode): BinaryNode | undefined {
  const { device, simulator } = connection;
  const request = children(iq)[0];
  if (!device || !request) return undefined;
  const key = `${iq.attrs.type}/${request.tag}`;
  const author = { simulator, by: device.account };
  try {
    const groupless = GROUPLESS.get(key);
    if (iq.attrs.to === SERVER_OF_GROUPS && groupless) return result(iq, groupless(author, request));
    const query = QUERIES.get(key);
    if (!query) return undefined;
    const group = simulator.groups.at(iq.attrs.to);
    if (!group) throw notFound();
    return result(iq, query({ ...author, group }, request));
  } catch (error) {
    if (error instanceof Refusal) return iqError(iq, error.code, error.message);
    throw error;
  }
}

/** The answer comes from the group: a client that joins by an invitation reads its address there. */
function result(iq: BinaryNode, content: BinaryNode[] | undefined): BinaryNode {
  const answer = iqResult(iq, content);
  return { ...answer, attrs: { ...answer.attrs, from: iq.attrs.to ?? '' } };
}

function set(act: (change: Change, request: BinaryNode) => void): GroupQuery {
  return (change, request) => {
    act(change, request);
    return undefined;
  };
}

function changePeople(act: (change: Change, people: Change['by'][]) => Outcome[]): GroupQuery {
  return (change, request) => [node(request.tag, {}, outcomeNodes(change, participantsOf(request), act))];
}

function listGroups({ simulator, by }: Omit<Change, 'group'>): BinaryNode[] {
  const groups = simulator.groups.of(by).map((group) => groupNode(group));
  return [node('groups', {}, groups)];
}

function create(change: Omit<Change, 'group'>, request: BinaryNode): BinaryNode[] {
  const { subject, key } = request.attrs;
  if (!subject) throw badRequest();
  const { known, unknown } = resolve(change.simulator, participantsOf(request));
  const parent = change.simulator.groups.at(child(request, 'linked_parent')?.attrs.jid);
  if (parent) requireAdmin(parent, change.by);
  const description = child(request, 'description');
  const { group, outcomes } = createGroup(change, subject, known, {
    key,
    parent,
    isCommunity: child(request, 'parent') !== undefined,
    description: { id: description?.attrs.id, body: textOf(child(description, 'body')) },
  });
  const failed = outcomes.filter(({ code }) => code !== 200).map((outcome) => outcomeNode(group, outcome));
  const answer = groupNode(group);
  const missing = unknown.map((jid) => node('participant', { jid, error: '404' }));
  return [{ ...answer, content: [...children(answer), ...failed, ...missing] }];
}

function leave(change: Omit<Change, 'group'>, request: BinaryNode): BinaryNode[] {
  const left = children(request).map(({ tag, attrs }) => {
    const group = change.simulator.groups.at(attrs.id);
    if (!group) throw notFound();
    leaveGroup({ ...change, group });
    return node(tag, { id: attrs.id ?? '' });
  });
  return [node('leave', {}, left)];
}

function readGroup({ group, by }: Change): BinaryNode[] {
  requireMember(group, by);
  return [groupNode(group)];
}

function describe(change: Change, request: BinaryNode): void {
  const { id, prev } = request.attrs;
  setDescription(change, { body: textOf(child(request, 'body')), id, previous: prev });
}

function changeAddMode(change: Change, request: BinaryNode): void {
  const mode = textOf(request);
  if (mode !== 'admin_add' && mode !== 'all_member_add') throw badRequest();
  setOnlyAdminsAdd(change, mode === 'admin_add');
}

function changeApproval(change: Change, request: BinaryNode): void {
  const state = children(request)[0]?.attrs.state;
  if (state !== 'on' && state !== 'off') throw badRequest();
  setJoinApproval(change, state === 'on');
}

function namedGroup({ simulator }: Change, request: BinaryNode | undefined) {
  const group = simulator.groups.at(child(request, 'group')?.attrs.jid);
  if (!group) throw notFound();
  return group;
}
