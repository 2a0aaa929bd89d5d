import { isBoom } from '@hapi/boom';
import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { CloseSignal } from '../close-signal.js';
import { contactId } from '../contact-id.js';
import type { GroupManaged, ManageGroup } from '../generated/ponte/bridge/v1/group.js';
import { type GroupChange, readNow } from '../groups/group-changes.js';
import { ACTION_TAGS, GroupQueries, type QueryingSocket, UnansweredError } from '../groups/group-queries.js';
import { milliseconds, readGroup, readResults } from '../groups/read-group.js';
import { type QueryError, queryError, TIMED_OUT } from './query-error.js';

type Answer = Partial<GroupManaged>;

/** What managing groups needs of a Baileys socket. */
export type GroupSocket = QueryingSocket & { ev: Pick<WASocket['ev'], 'emit'> };

/**
 * Asks WhatsApp about groups or changes one, and says what it answered; `onRead` gets each group of `read_all`
 * before the answer.
 */
export async function manageGroup(
  sock: GroupSocket,
  closeSignal: CloseSignal,
  command: ManageGroup,
  onRead: (group: GroupChange) => void,
): Promise<GroupManaged> {
  const answered: GroupManaged = {
    requestId: command.requestId,
    errorCode: '',
    detail: '',
    waCode: 0,
    participants: [],
    inviteCode: '',
    joinedJid: '',
    joinRequests: [],
    groupJids: [],
  };
  try {
    return { ...answered, ...(await act(new GroupQueries(sock, closeSignal), command, onRead)) };
  } catch (error) {
    return { ...answered, ...refusal(error) };
  } finally {
    // The socket forgets by this event what it remembers of a group's members: WhatsApp need not tell who changed it,
    // and what it has not answered may be done all the same.
    if (command.groupJid) sock.ev.emit('groups.update', [{ id: command.groupJid }]);
  }
}

async function act(
  queries: GroupQueries,
  { groupJid, action }: ManageGroup,
  onRead: (group: GroupChange) => void,
): Promise<Answer> {
  switch (action?.$case) {
    case 'read':
      return { group: readGroup(await queries.readGroup(groupJid)) };
    case 'readAll':
      return { groupJids: readAll(await queries.readAll(), onRead) };
    case 'create':
      return readCreated(await queries.create(action.create.subject, action.create.participantJids));
    case 'changeParticipants': {
      const { action: what, participantJids } = action.changeParticipants;
      const answer = await queries.changeParticipants(groupJid, what, participantJids);
      return { participants: readResults(getBinaryNodeChild(answer, ACTION_TAGS[what] ?? '')) };
    }
    case 'change':
      await queries.change(groupJid, action.change);
      return {};
    case 'setPicture':
      await queries.setPicture(groupJid, action.setPicture.filePath);
      return {};
    case 'readInviteCode':
      return readCode(await queries.readInviteCode(groupJid));
    case 'revokeInviteCode':
      return readCode(await queries.revokeInviteCode(groupJid));
    case 'readInvite':
      return { group: readGroup(await queries.readInvite(action.readInvite)) };
    case 'join':
      // Where an admin has to approve, the answer holds a <membership_approval_request> instead of a group.
      return { joinedJid: getBinaryNodeChild(await queries.join(action.join), 'group')?.attrs.jid ?? '' };
    case 'readJoinRequests':
      return readJoinRequests(await queries.readJoinRequests(groupJid));
    case 'answerJoinRequests': {
      const { approve, participantJids } = action.answerJoinRequests;
      const tag = approve ? 'approve' : 'reject';
      const answer = await queries.answerJoinRequests(groupJid, tag, participantJids);
      const answers = getBinaryNodeChild(getBinaryNodeChild(answer, 'membership_requests_action'), tag);
      return { participants: readResults(answers) };
    }
    case 'leave':
      await queries.leave(groupJid);
      return {};
    default:
      throw new Error('an action of a newer contract');
  }
}

function readAll(answer: BinaryNode, onRead: (group: GroupChange) => void): string[] {
  const list = getBinaryNodeChild(answer, 'groups');
  // An answer without a list does not say that there are none.
  if (!list) throw new Error('WhatsApp answered without a list of groups');
  return getBinaryNodeChildren(list, 'group').map((node) => {
    const group = readGroup({ tag: 'result', attrs: {}, content: [node] });
    onRead(readNow(group, Date.now()));
    return group.jid;
  });
}

function readCreated(answer: BinaryNode): Answer {
  return { group: readGroup(answer), participants: readResults(getBinaryNodeChild(answer, 'group')) };
}

function readCode(answer: BinaryNode): Answer {
  const inviteCode = getBinaryNodeChild(answer, 'invite')?.attrs.code;
  if (!inviteCode) throw new Error('WhatsApp answered without a code');
  return { inviteCode };
}

function readJoinRequests(answer: BinaryNode): Answer {
  const list = getBinaryNodeChild(answer, 'membership_approval_requests');
  return {
    joinRequests: getBinaryNodeChildren(list, 'membership_approval_request').map(({ attrs }) => ({
      contact: contactId(attrs.jid, attrs.phone_number, attrs.requestor, attrs.requestor_pn),
      requestedAtMs: milliseconds(attrs.request_time),
      method: attrs.request_method ?? '',
    })),
  };
}

/** A number as a Boom's data is WhatsApp's own code: it has answered, and said no. */
function refusal(error: unknown): QueryError & { waCode: number } {
  if (error instanceof UnansweredError) return { ...TIMED_OUT, waCode: 0 };
  const known = queryError(error);
  const code = isBoom(error) && typeof error.data === 'number' ? error.data : 0;
  if (known.errorCode === 'QUERY_FAILED' && code) return { ...known, errorCode: 'REFUSED', waCode: code };
  return { ...known, waCode: code };
}
