import { Boom } from '@hapi/boom';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it, vi } from 'vitest';
import { CloseSignal } from '../src/close-signal.js';
import { manageGroup } from '../src/commands/manage-group.js';
import { type ManageGroup, ParticipantAction } from '../src/generated/ponte/bridge/v1/group.js';
import type { GroupChange } from '../src/groups/group-changes.js';

const GROUP = '120363000000000001@g.us';
const ANA = '5511911111111@s.whatsapp.net';
const BOB = '5511922222222@s.whatsapp.net';

const node = (tag: string, attrs: Record<string, string> = {}, content?: BinaryNode[]): BinaryNode =>
  content ? { tag, attrs, content } : { tag, attrs };
const result = (...content: BinaryNode[]) => node('iq', { type: 'result' }, content);
const group = (id: string, ...content: BinaryNode[]) =>
  node('group', { id, subject: `Group ${id}` }, content);

function setUp(...answers: (BinaryNode | undefined | Error)[]) {
  const query = vi.fn(async (_: BinaryNode): Promise<BinaryNode> => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer as BinaryNode;
  });
  const emit = vi.fn(() => true);
  const read: GroupChange[] = [];
  const manage = (action: ManageGroup['action'], groupJid = GROUP) =>
    manageGroup({ query, ev: { emit } }, new CloseSignal(), { requestId: 7, groupJid, action }, (change) =>
      read.push(change),
    );
  const asked = () => query.mock.calls.map(([{ attrs, content }]) => ({ ...attrs, content }));
  return { manage, asked, emit, read };
}

describe('manageGroup', () => {
  it('answers for each participant, by the code of WhatsApp', async () => {
    const { manage, asked, emit } = setUp(
      result(
        node('add', {}, [
          node('participant', { jid: '911@lid', phone_number: ANA }),
          node('participant', { jid: BOB, error: '403' }),
        ]),
      ),
    );
    const answer = await manage({
      $case: 'changeParticipants',
      changeParticipants: {
        action: ParticipantAction.PARTICIPANT_ACTION_ADD,
        participantJids: [ANA, BOB],
      },
    });
    expect(answer).toMatchObject({
      requestId: 7,
      errorCode: '',
      participants: [
        { contact: { pnJid: ANA, lidJid: '911@lid' }, waCode: 200 },
        { contact: { pnJid: BOB, lidJid: '' }, waCode: 403 },
      ],
    });
    expect(asked()).toMatchObject([
      {
        to: GROUP,
        type: 'set',
        xmlns: 'w:g2',
        content: [{ tag: 'add', content: [{ attrs: { jid: ANA } }, { attrs: { jid: BOB } }] }],
      },
    ]);
    expect(emit).toHaveBeenCalledWith('groups.update', [{ id: GROUP }]);
  });

  it('leaves who could not be added out of a new group, and says why', async () => {
    const { manage } = setUp(
      result(group('1', node('participant', { jid: ANA }), node('participant', { jid: BOB, error: '403' }))),
    );
    const answer = await manage(
      { $case: 'create', create: { subject: 'Ponte', participantJids: [ANA, BOB] } },
      '',
    );
    expect(answer.group?.participants.map(({ contact }) => contact?.pnJid)).toEqual([ANA]);
    expect(answer.participants.map(({ waCode }) => waCode)).toEqual([200, 403]);
  });

  it('changes one setting at a time, and names the description before', async () => {
    const { manage, asked } = setUp(
      result(),
      result(group('1', node('description', { id: 'OLD' }))),
      result(),
      result(),
      result(),
      result(),
    );
    const change = {
      subject: 'New',
      description: 'About',
      onlyAdminsSend: true,
      onlyAdminsAdd: true,
      disappearingS: 0,
    };
    expect(await manage({ $case: 'change', change })).toMatchObject({ errorCode: '' });
    const requests = asked().map(({ content }) => (content as BinaryNode[])[0]);
    expect(requests.map((request) => request?.tag)).toEqual([
      'subject',
      'query',
      'description',
      'announcement',
      'member_add_mode',
      'not_ephemeral',
    ]);
    expect(requests[2]?.attrs.prev).toBe('OLD');
  });

  it('gives all groups before their names', async () => {
    const { manage, read } = setUp(result(node('groups', {}, [group('1'), group('2')])));
    const answer = await manage({ $case: 'readAll', readAll: {} }, '');
    expect(answer.groupJids).toEqual(['1@g.us', '2@g.us']);
    expect(read.map(({ groupJid, change }) => [groupJid, change?.$case])).toEqual([
      ['1@g.us', 'read'],
      ['2@g.us', 'read'],
    ]);
  });

  it.each<[ManageGroup['action']]>([
    [{ $case: 'readAll', readAll: {} }],
    [{ $case: 'leave', leave: {} }],
    [{ $case: 'join', join: 'CODE' }],
    [
      {
        $case: 'changeParticipants',
        changeParticipants: { action: ParticipantAction.PARTICIPANT_ACTION_ADD, participantJids: [ANA] },
      },
    ],
  ])('takes no silence for an answer, nor for a no: %j', async (action) => {
    const { manage, emit } = setUp(undefined);
    expect(await manage(action)).toMatchObject({ errorCode: 'TIMED_OUT', waCode: 0 });
    expect(emit).toHaveBeenCalledWith('groups.update', [{ id: GROUP }]);
  });

  it('takes an answer without a list for no answer about all groups', async () => {
    const { manage } = setUp(result());
    expect(await manage({ $case: 'readAll', readAll: {} }, '')).toMatchObject({ errorCode: 'QUERY_FAILED' });
  });

  it.each([
    [new Boom('forbidden', { data: 403 }), { errorCode: 'REFUSED', waCode: 403 }],
    [new Boom('too much', { data: 429 }), { errorCode: 'RATE_LIMITED', waCode: 429 }],
    [new Boom('closed', { statusCode: 428 }), { errorCode: 'NOT_CONNECTED', waCode: 0 }],
    [new Error('broken'), { errorCode: 'QUERY_FAILED', waCode: 0 }],
  ])('tells WhatsApp’s no from a lost connection: %s', async (error, expected) => {
    const { manage } = setUp(error);
    expect(await manage({ $case: 'leave', leave: {} })).toMatchObject(expected);
  });

  it('tells joining from waiting for an admin', async () => {
    const joined = setUp(result(node('group', { jid: GROUP })));
    expect(await joined.manage({ $case: 'join', join: 'CODE' }, '')).toMatchObject({ joinedJid: GROUP });
    const waits = setUp(result(node('membership_approval_request')));
    expect(await waits.manage({ $case: 'join', join: 'CODE' }, '')).toMatchObject({
      joinedJid: '',
      errorCode: '',
    });
  });

  it('reads codes and join requests', async () => {
    const code = setUp(result(node('invite', { code: 'CODE' })));
    expect(await code.manage({ $case: 'readInviteCode', readInviteCode: {} })).toMatchObject({
      inviteCode: 'CODE',
    });
    const requests = setUp(
      result(
        node('membership_approval_requests', {}, [
          node('membership_approval_request', {
            jid: '911@lid',
            phone_number: ANA,
            request_time: '1700000000',
            request_method: 'invite_link',
          }),
        ]),
      ),
    );
    expect((await requests.manage({ $case: 'readJoinRequests', readJoinRequests: {} })).joinRequests).toEqual(
      [
        {
          contact: { pnJid: ANA, lidJid: '911@lid' },
          requestedAtMs: 1700000000000,
          method: 'invite_link',
        },
      ],
    );
  });

  it('answers join requests one by one', async () => {
    const { manage, asked } = setUp(
      result(
        node('membership_requests_action', {}, [
          node('approve', {}, [node('participant', { jid: ANA, error: '409' })]),
        ]),
      ),
    );
    const answer = await manage({
      $case: 'answerJoinRequests',
      answerJoinRequests: { approve: true, participantJids: [ANA] },
    });
    expect(answer.participants).toEqual([{ contact: { pnJid: ANA, lidJid: '' }, waCode: 409 }]);
    expect(asked()[0]).toMatchObject({ content: [{ content: [{ tag: 'approve' }] }] });
  });
});
