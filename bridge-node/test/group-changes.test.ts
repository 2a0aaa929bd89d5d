import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { GroupRole, JoinRequestState, ParticipantAction } from '../src/generated/ponte/bridge/v1/group.js';
import { readGroupChange } from '../src/groups/group-changes.js';

const GROUP = '120363000000000001@g.us';
const ACTOR = { participant: '901@lid', participant_pn: '5511900000001@s.whatsapp.net' };

const node = (
  tag: string,
  attrs: Record<string, string> = {},
  content?: BinaryNode['content'],
): BinaryNode => (content === undefined ? { tag, attrs } : { tag, attrs, content });
const notification = (child: BinaryNode, attrs: Record<string, string> = {}) =>
  readGroupChange(
    node('notification', { type: 'w:gp2', from: GROUP, id: 'N1', t: '1700000000', ...ACTOR, ...attrs }, [
      child,
    ]),
  );
const bytes = (text: string) => Buffer.from(text);
const ana = node('participant', { jid: '911@lid', phone_number: '5511911111111@s.whatsapp.net' });
const ANA = { pnJid: '5511911111111@s.whatsapp.net', lidJid: '911@lid' };

describe('readGroupChange', () => {
  it('says which group, who did it and when', () => {
    expect(notification(node('subject', { subject: 'Ponte' }))).toEqual({
      groupJid: GROUP,
      notificationId: 'N1',
      author: { pnJid: '5511900000001@s.whatsapp.net', lidJid: '901@lid' },
      atMs: 1700000000000,
      change: { $case: 'settings', settings: { subject: 'Ponte' } },
    });
  });

  it.each<[BinaryNode, object]>([
    [node('description', { id: 'D' }, [node('body', {}, bytes('About'))]), { description: 'About' }],
    [node('description', { delete: 'true' }), { description: '' }],
    [node('announcement'), { onlyAdminsSend: true }],
    [node('not_announcement'), { onlyAdminsSend: false }],
    [node('locked'), { onlyAdminsEdit: true }],
    [node('unlocked'), { onlyAdminsEdit: false }],
    [node('member_add_mode', {}, bytes('admin_add')), { onlyAdminsAdd: true }],
    [node('member_add_mode', {}, bytes('all_member_add')), { onlyAdminsAdd: false }],
    [node('membership_approval_mode', {}, [node('group_join', { state: 'on' })]), { joinApproval: true }],
    [node('ephemeral', { expiration: '86400' }), { disappearingS: 86400 }],
    [node('not_ephemeral'), { disappearingS: 0 }],
  ])('reads the setting of %j', (child, settings) => {
    expect(notification(child)?.change).toEqual({ $case: 'settings', settings });
  });

  it.each([
    ['add', ParticipantAction.PARTICIPANT_ACTION_ADD],
    ['remove', ParticipantAction.PARTICIPANT_ACTION_REMOVE],
    ['leave', ParticipantAction.PARTICIPANT_ACTION_REMOVE],
    ['promote', ParticipantAction.PARTICIPANT_ACTION_PROMOTE],
    ['demote', ParticipantAction.PARTICIPANT_ACTION_DEMOTE],
  ])('reads participants of %s', (tag, action) => {
    expect(notification(node(tag, {}, [ana]))?.change).toEqual({
      $case: 'participants',
      participants: { action, participants: [{ contact: ANA, role: GroupRole.GROUP_ROLE_MEMBER }] },
    });
  });

  it('reads the group that this number came into, with both names and roles', () => {
    const owner = node('participant', {
      jid: '901@lid',
      phone_number: '5511900000001@s.whatsapp.net',
      type: 'superadmin',
    });
    const group = node('group', { id: '120363000000000001', subject: 'Ponte', creation: '1600000000' }, [
      owner,
      ana,
      node('announcement'),
    ]);
    expect(notification(node('create', {}, [group]))?.change).toMatchObject({
      $case: 'entered',
      entered: {
        jid: GROUP,
        settings: { subject: 'Ponte', onlyAdminsSend: true, onlyAdminsEdit: false, disappearingS: 0 },
        createdAtMs: 1600000000000,
        participants: [
          { role: GroupRole.GROUP_ROLE_OWNER, contact: { lidJid: '901@lid' } },
          { role: GroupRole.GROUP_ROLE_MEMBER, contact: ANA },
        ],
      },
    });
  });

  it.each([
    ['created_membership_requests', ana, JoinRequestState.JOIN_REQUEST_STATE_CREATED, ANA],
    ['revoked_membership_requests', ana, JoinRequestState.JOIN_REQUEST_STATE_REJECTED, ANA],
    [
      'revoked_membership_requests',
      node('participant', { jid: '901@lid' }),
      JoinRequestState.JOIN_REQUEST_STATE_REVOKED,
      { pnJid: '', lidJid: '901@lid' },
    ],
  ])('reads join requests of %s', (tag, participant, state, contact) => {
    const change = notification(node(tag, { request_method: 'invite_link' }, [participant]))?.change;
    expect(change).toEqual({
      $case: 'joinRequests',
      joinRequests: { state, contacts: [contact], method: 'invite_link' },
    });
  });

  it('takes who asks for himself from the stanza', () => {
    expect(notification(node('created_membership_requests'))?.change).toMatchObject({
      joinRequests: { contacts: [{ lidJid: '901@lid' }] },
    });
  });

  it.each([
    ['set', false],
    ['delete', true],
  ])('reads a picture that was %s', (tag, removed) => {
    const change = notification(node(tag, { author: '911@lid' }), { type: 'picture' });
    expect(change).toMatchObject({
      author: { lidJid: '911@lid' },
      change: { $case: 'picture', picture: { removed } },
    });
  });

  it.each([
    [node('invite', { code: 'SECRET' }), { $case: 'inviteRevoked', inviteRevoked: {} }],
    [node('delete'), { $case: 'deleted', deleted: {} }],
    [node('link', { link_type: 'sub_group' }), { $case: 'unknown', unknown: { name: 'link' } }],
    [node('create'), { $case: 'unknown', unknown: { name: 'create' } }],
  ])('reads %j', (child, change) => {
    expect(notification(child)?.change).toEqual(change);
  });

  it.each([
    [{ type: 'devices' }],
    [{ from: '5511911111111@s.whatsapp.net' }],
    [{ type: 'picture', from: '5511911111111@s.whatsapp.net' }],
  ])('leaves %j to Baileys', (attrs) => {
    expect(notification(node('set'), attrs)).toBeUndefined();
  });
});
