import { createHash } from 'node:crypto';
import type { BaileysEventMap, BinaryNode, GroupMetadata, ParticipantAction } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { waitUntil } from './wait.ts';
import { type Json, World } from './world.ts';

const ANA = '+5511999990001';
const BIA = '+5511999990002';
const CAU = '+5511999990003';
const DAN = '+5511999990004';
const NOBODY = '+5511999990099';
const world = new World();
const phones: Record<string, Json> = {};
let ana: Client;
let bia: Client;
let biaHears: Heard;

/** What a client was told of groups. */
interface Heard {
  upserts: BaileysEventMap['groups.upsert'];
  updates: Partial<GroupMetadata>[];
  people: BaileysEventMap['group-participants.update'][];
  requests: BaileysEventMap['group.join-request'][];
  stanzas: BinaryNode[];
}

beforeAll(async () => {
  await world.start();
  for (const number of [ANA, BIA, CAU, DAN]) {
    phones[number] = await world.post('/phones', { phone_number: number });
  }
  ana = await world.linked(ANA);
  bia = await world.linked(BIA);
  biaHears = hear(bia);
});
afterAll(() => world.stop());

const jid = (number: string) => `${number.slice(1)}@s.whatsapp.net`;
const lid = (number: string): string => phones[number].lid;

function hear({ socket }: Client): Heard {
  const heard: Heard = { upserts: [], updates: [], people: [], requests: [], stanzas: [] };
  socket.ev.on('groups.upsert', (groups) => heard.upserts.push(...groups));
  socket.ev.on('groups.update', (groups) => heard.updates.push(...groups));
  socket.ev.on('group-participants.update', (update) => heard.people.push(update));
  socket.ev.on('group.join-request', (request) => heard.requests.push(request));
  socket.ws.on('CB:notification', (stanza: BinaryNode) => heard.stanzas.push(stanza));
  return heard;
}

/** A group of Ana's with these members, that Bia's client knows of. */
async function group(members: string[] = [BIA, CAU]): Promise<string> {
  const made = await ana.socket.groupCreate('Order 7', members.map(jid));
  if (members.includes(BIA))
    await waitUntil(() => biaHears.upserts.some(({ id }) => id === made.id), 'group');
  return made.id;
}

const updateOf = (id: string, fields: Partial<GroupMetadata>) =>
  waitUntil(
    () => biaHears.updates.find((update) => update.id === id && matches(update, fields)),
    `update of ${JSON.stringify(fields)}`,
  );

function matches(update: Partial<GroupMetadata>, fields: Partial<GroupMetadata>): boolean {
  return Object.entries(fields).every(([name, value]) => update[name as keyof GroupMetadata] === value);
}

const changeOf = (id: string, action: ParticipantAction, number: string) =>
  waitUntil(
    () =>
      biaHears.people.find(
        (update) =>
          update.id === id &&
          update.action === action &&
          update.participants.some((p) => p.id === lid(number)),
      ),
    `${action} of ${number}`,
  );

const refused = async (action: Promise<unknown>): Promise<number> => {
  try {
    await action;
  } catch (error) {
    return (error as { data: number }).data;
  }
  throw new Error('it was not refused');
};

const invitationIn = (answer: { content: BinaryNode } | undefined) =>
  (answer?.content.content as BinaryNode[] | undefined)?.[0];

const statuses = async (action: Promise<{ status: string }[]>) => (await action).map(({ status }) => status);

test('a new group is known to its maker, its members and by its metadata', async () => {
  const made = await ana.socket.groupCreate('Order 7', [jid(BIA), lid(CAU)]);
  expect(made).toMatchObject({
    subject: 'Order 7',
    addressingMode: 'lid',
    owner: lid(ANA),
    ownerPn: jid(ANA),
    size: 3,
  });
  expect(made.participants).toEqual([
    expect.objectContaining({ id: lid(ANA), phoneNumber: jid(ANA), admin: 'superadmin' }),
    expect.objectContaining({ id: lid(BIA), phoneNumber: jid(BIA), admin: null }),
    expect.objectContaining({ id: lid(CAU), phoneNumber: jid(CAU), admin: null }),
  ]);
  const told = await waitUntil(() => biaHears.upserts.find(({ id }) => id === made.id), 'groups.upsert');
  expect(told).toMatchObject({ subject: 'Order 7', author: lid(ANA), authorPn: jid(ANA) });
  expect(await bia.socket.groupMetadata(made.id)).toMatchObject({
    id: made.id,
    participants: made.participants,
  });
  expect(Object.keys(await bia.socket.groupFetchAllParticipating())).toContain(made.id);
});

test('who is not on WhatsApp, or lets only contacts add them, is left out with a code', async () => {
  await world.patch(`/phones/${DAN}`, { group_add: 'contacts' });
  const id = await group([BIA]);
  const answer = await ana.socket.groupParticipantsUpdate(
    id,
    [jid(DAN), jid(NOBODY), jid(BIA), jid(CAU)],
    'add',
  );
  const byJid = Object.fromEntries(answer.map(({ jid: address, status }) => [address, status]));
  expect(byJid).toEqual({ [lid(DAN)]: '403', [jid(NOBODY)]: '404', [lid(BIA)]: '409', [lid(CAU)]: '200' });
  expect(invitationIn(answer[0])?.tag).toBe('add_request');
  await changeOf(id, 'add', CAU);
  await world.patch(`/phones/${DAN}`, { group_add: 'all' });
});

test('admins are made and unmade, and members told; the owner stays what they are', async () => {
  const id = await group();
  expect(await statuses(ana.socket.groupParticipantsUpdate(id, [jid(CAU)], 'promote'))).toEqual(['200']);
  await changeOf(id, 'promote', CAU);
  expect((await bia.socket.groupMetadata(id)).participants[2]?.admin).toBe('admin');
  expect(await statuses(ana.socket.groupParticipantsUpdate(id, [jid(CAU)], 'demote'))).toEqual(['200']);
  await changeOf(id, 'demote', CAU);
  expect(await statuses(ana.socket.groupParticipantsUpdate(id, [jid(ANA), jid(DAN)], 'demote'))).toEqual([
    '405',
    '404',
  ]);
});

test('a removed member is told and sees nothing more of the group', async () => {
  const id = await group();
  expect(await statuses(ana.socket.groupParticipantsUpdate(id, [jid(BIA)], 'remove'))).toEqual(['200']);
  await changeOf(id, 'remove', BIA);
  expect(await refused(bia.socket.groupMetadata(id))).toBe(403);
  expect(Object.keys(await bia.socket.groupFetchAllParticipating())).not.toContain(id);
});

test('who left cannot be added again', async () => {
  const id = await group();
  await bia.socket.groupLeave(id);
  await changeOf(id, 'remove', BIA);
  expect(await statuses(ana.socket.groupParticipantsUpdate(id, [jid(BIA)], 'add'))).toEqual(['408']);
});

test('a group whose last admin leaves gets its oldest member as one', async () => {
  const id = await group();
  await ana.socket.groupLeave(id);
  await changeOf(id, 'promote', BIA);
  await bia.socket.groupLeave(id);
  await world.post(`/groups/${id}:leave`, { by: CAU });
  expect((await world.raw('GET', `/groups/${id}`)).status).toBe(404);
  expect(await refused(ana.socket.groupMetadata(id))).toBe(404);
});

test('subject, description and settings are changed, told, and in the metadata', async () => {
  const id = await group();
  await ana.socket.groupUpdateSubject(id, 'Order 8');
  await ana.socket.groupUpdateDescription(id, 'Two boxes');
  await ana.socket.groupUpdateDescription(id, 'Three boxes');
  await ana.socket.groupSettingUpdate(id, 'announcement');
  await ana.socket.groupSettingUpdate(id, 'locked');
  await ana.socket.groupMemberAddMode(id, 'admin_add');
  await ana.socket.groupJoinApprovalMode(id, 'on');
  await ana.socket.groupToggleEphemeral(id, 86_400);
  await updateOf(id, { subject: 'Order 8' });
  await updateOf(id, { desc: 'Three boxes' });
  await updateOf(id, { announce: true });
  await updateOf(id, { restrict: true });
  await updateOf(id, { memberAddMode: false });
  await updateOf(id, { joinApprovalMode: true });
  const set = { announce: true, restrict: true, memberAddMode: false, joinApprovalMode: true };
  expect(await bia.socket.groupMetadata(id)).toMatchObject({
    subject: 'Order 8',
    subjectOwner: lid(ANA),
    desc: 'Three boxes',
    descOwnerPn: jid(ANA),
    ephemeralDuration: 86_400,
    ...set,
  });
  await ana.socket.groupUpdateDescription(id);
  await ana.socket.groupSettingUpdate(id, 'not_announcement');
  await ana.socket.groupSettingUpdate(id, 'unlocked');
  await ana.socket.groupMemberAddMode(id, 'all_member_add');
  await ana.socket.groupJoinApprovalMode(id, 'off');
  await ana.socket.groupToggleEphemeral(id, 0);
  const unset = { announce: false, restrict: false, memberAddMode: true, joinApprovalMode: false };
  const metadata = await bia.socket.groupMetadata(id);
  expect(metadata).toMatchObject(unset);
  expect([metadata.desc, metadata.ephemeralDuration]).toEqual([undefined, undefined]);
});

test('members who are no admins, and strangers, are refused', async () => {
  const id = await group();
  await ana.socket.groupSettingUpdate(id, 'locked');
  expect(await refused(bia.socket.groupUpdateSubject(id, 'Mine'))).toBe(401);
  expect(await refused(bia.socket.groupSettingUpdate(id, 'unlocked'))).toBe(401);
  expect(await refused(bia.socket.groupParticipantsUpdate(id, [jid(CAU)], 'remove'))).toBe(401);
  expect(await refused(bia.socket.groupInviteCode(id))).toBe(401);
  const foreign = await world.post('/groups', { owner: CAU, subject: 'Not yours', members: [DAN] });
  expect(await refused(bia.socket.groupUpdateSubject(foreign.jid, 'Mine'))).toBe(403);
});

test('a description that somebody changed meanwhile is not overwritten', async () => {
  const id = await group();
  await ana.socket.groupUpdateDescription(id, 'first');
  const iq = {
    tag: 'iq',
    attrs: { type: 'set', xmlns: 'w:g2', to: id },
    content: [
      {
        tag: 'description',
        attrs: { id: 'B', prev: 'A' },
        content: [{ tag: 'body', attrs: {}, content: 'x' }],
      },
    ],
  };
  expect(await refused(ana.socket.query(iq))).toBe(409);
});

test('an invite link lets people in until it is replaced', async () => {
  const id = await group([CAU]);
  const code = await ana.socket.groupInviteCode(id);
  expect(await bia.socket.groupGetInviteInfo(code ?? '')).toMatchObject({ id, subject: 'Order 7', size: 2 });
  expect(await bia.socket.groupAcceptInvite(code ?? '')).toBe(id);
  await waitUntil(() => biaHears.upserts.some((told) => told.id === id), 'groups.upsert');
  expect(await refused(bia.socket.groupAcceptInvite(code ?? ''))).toBe(409);
  const next = await ana.socket.groupRevokeInvite(id);
  expect(next).not.toBe(code);
  expect(await refused(bia.socket.groupGetInviteInfo(code ?? ''))).toBe(410);
  expect(await refused(bia.socket.groupGetInviteInfo('neverwasone'))).toBe(406);
  await updateOf(id, { inviteCode: next });
});

test('admins let in or turn away those who ask', async () => {
  const id = await group();
  await ana.socket.groupParticipantsUpdate(id, [jid(BIA)], 'promote');
  await ana.socket.groupJoinApprovalMode(id, 'on');
  await world.post(`/groups/${id}:join`, { by: DAN });
  await waitUntil(() => biaHears.requests.some((r) => r.id === id && r.action === 'created'), 'request');
  expect(await bia.socket.groupRequestParticipantsList(id)).toEqual([
    expect.objectContaining({ jid: lid(DAN), phone_number: jid(DAN), request_method: 'invite_link' }),
  ]);
  const answer = (action: 'approve' | 'reject', number: string) =>
    statuses(ana.socket.groupRequestParticipantsUpdate(id, [jid(number)], action));
  expect(await answer('reject', DAN)).toEqual(['200']);
  await waitUntil(() => biaHears.requests.some((r) => r.id === id && r.action === 'rejected'), 'rejection');
  await world.post(`/groups/${id}:join`, { by: DAN });
  expect(await answer('approve', DAN)).toEqual(['200']);
  await changeOf(id, 'add', DAN);
  expect(await answer('approve', DAN)).toEqual(['404']);
});

test('an invitation lets in the one that it is for, until it is taken back', async () => {
  await world.patch(`/phones/${BIA}`, { group_add: 'contacts' });
  const id = await group([CAU]);
  const invite = async () => {
    const [answer] = await ana.socket.groupParticipantsUpdate(id, [jid(BIA)], 'add');
    const { code = '', expiration = '' } = invitationIn(answer)?.attrs ?? {};
    return { groupJid: id, inviteCode: code, inviteExpiration: Number(expiration) };
  };
  const revoked = await invite();
  await ana.socket.groupRevokeInviteV4(id, jid(BIA));
  expect(await refused(bia.socket.groupAcceptInviteV4(jid(ANA), revoked))).toBe(406);
  expect(await bia.socket.groupAcceptInviteV4(jid(ANA), await invite())).toBe(id);
  expect((await bia.socket.groupMetadata(id)).size).toBe(3);
  await world.patch(`/phones/${BIA}`, { group_add: 'all' });
});

test('a picture is set, told, fetched and removed', async () => {
  const id = await group();
  const image = Buffer.from('not really a picture');
  const picture = (content?: BinaryNode[]) =>
    ana.socket.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:profile:picture', target: id },
      ...(content ? { content } : {}),
    });
  await picture([{ tag: 'picture', attrs: { type: 'image' }, content: image }]);
  const sha256 = createHash('sha256').update(image).digest('hex');
  expect((await world.get(`/groups/${id}`)).picture).toEqual({ size: image.length, sha256 });
  const told = () => biaHears.stanzas.filter(({ attrs }) => attrs.from === id && attrs.type === 'picture');
  await waitUntil(() => told().length === 1, 'picture');
  const url = await bia.socket.profilePictureUrl(id, 'image');
  expect(Buffer.from(await (await fetch(url ?? '')).arrayBuffer())).toEqual(image);
  await ana.socket.removeProfilePicture(id);
  await waitUntil(() => told().length === 2, 'removal');
  expect(await refused(bia.socket.profilePictureUrl(id))).toBe(404);
});

test('what happens while a client is away is told when it is back, once', async () => {
  const id = await group([BIA]);
  await bia.close();
  await world.patch(`/groups/${id}`, { subject: 'While you were out' });
  bia.updatesOfConnection.length = 0;
  const socket = bia.connect();
  biaHears = hear(bia);
  await waitUntil(() => bia.updatesOfConnection.some((u) => u.receivedPendingNotifications), 'login');
  await updateOf(id, { subject: 'While you were out' });
  await expect.poll(async () => (await pendingOf(BIA)) === 0).toBe(true);
  expect(socket).toBe(bia.socket);
});

const pendingOf = async (number: string) =>
  (await world.get('/devices')).find((device: Json) => device.phone_number === number).pending;

test('groups that name people by number do so in all stanzas', async () => {
  const made = await world.post('/groups', {
    owner: CAU,
    subject: 'Old group',
    members: [BIA],
    addressing: 'pn',
  });
  const told = await waitUntil(() => biaHears.upserts.find(({ id }) => id === made.jid), 'groups.upsert');
  expect(told).toMatchObject({ addressingMode: 'pn', owner: jid(CAU), author: jid(CAU) });
  expect(told.participants[1]).toMatchObject({ id: jid(BIA), lid: lid(BIA) });
});

test('communities are made, linked and listed', async () => {
  const community = await ana.socket.communityCreate('Shop', 'All of it');
  expect(community).toMatchObject({ subject: 'Shop', desc: 'All of it', isCommunity: true });
  const id = await group();
  await ana.socket.communityLinkGroup(id, community?.id ?? '');
  expect((await ana.socket.groupMetadata(id)).linkedParent).toBe(community?.id);
  const linked = await ana.socket.communityFetchLinkedGroups(community?.id ?? '');
  expect(linked.linkedGroups.map(({ subject }) => subject)).toEqual(['Order 7']);
  await ana.socket.communityUnlinkGroup(id, community?.id ?? '');
  expect((await ana.socket.groupMetadata(id)).linkedParent).toBeUndefined();
});

test('Baileys asks nothing of groups that the simulator does not know', async () => {
  expect((await world.get('/stats')).iqs_unknown).toEqual({});
});
