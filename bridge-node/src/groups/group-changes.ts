import {
  type BinaryNode,
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  isJidGroup,
  jidNormalizedUser,
} from '@whiskeysockets/baileys';
import { contactId } from '../contact-id.js';
import {
  type Group,
  type GroupChanged,
  type GroupSettings,
  JoinRequestState,
  ParticipantAction,
} from '../generated/ponte/bridge/v1/group.js';
import { milliseconds, readGroup, readParticipant } from './read-group.js';

/** What the bridge reads out of a notification; the session adds whose it is. */
export type GroupChange = Omit<GroupChanged, 'companyId' | 'sessionId' | 'requestId'>;

type Change = NonNullable<GroupChanged['change']>;

const ACTIONS: Record<string, ParticipantAction> = {
  add: ParticipantAction.PARTICIPANT_ACTION_ADD,
  remove: ParticipantAction.PARTICIPANT_ACTION_REMOVE,
  leave: ParticipantAction.PARTICIPANT_ACTION_REMOVE,
  promote: ParticipantAction.PARTICIPANT_ACTION_PROMOTE,
  demote: ParticipantAction.PARTICIPANT_ACTION_DEMOTE,
};

/**
 * Reads a notification about a group; undefined for one about anything else. Read from the stanza
 * because Baileys buffers its events and acknowledges the stanza whatever becomes of them.
 */
export function readGroupChange(stanza: BinaryNode): GroupChange | undefined {
  const { type, from, id, participant, participant_pn: participantPn, t } = stanza.attrs;
  const isPicture = type === 'picture';
  if (!from || !isJidGroup(from) || !(type === 'w:gp2' || isPicture)) return undefined;
  const child = getAllBinaryNodeChildren(stanza)[0];
  if (!child) return undefined;
  return {
    groupJid: jidNormalizedUser(from),
    notificationId: id ?? '',
    author: contactId(isPicture ? child.attrs.author : participant, participantPn),
    atMs: milliseconds(t),
    change: isPicture ? readPicture(child) : readChange(child, stanza),
  };
}

/** What WhatsApp answered of a group, as a change. */
export function readNow(group: Group, nowMs: number): GroupChange {
  return {
    groupJid: group.jid,
    notificationId: '',
    atMs: nowMs,
    change: { $case: 'read', read: group },
  };
}

function readPicture(child: BinaryNode): Change {
  return { $case: 'picture', picture: { removed: child.tag === 'delete' } };
}

function readChange(child: BinaryNode, stanza: BinaryNode): Change {
  switch (child.tag) {
    case 'create':
      return readEntered(child);
    case 'add':
    case 'remove':
    case 'leave':
    case 'promote':
    case 'demote':
      return {
        $case: 'participants',
        participants: {
          action: ACTIONS[child.tag] ?? ParticipantAction.PARTICIPANT_ACTION_UNSPECIFIED,
          participants: getBinaryNodeChildren(child, 'participant').map(readParticipant),
        },
      };
    case 'created_membership_requests':
    case 'revoked_membership_requests':
      return readJoinRequests(child, stanza);
    case 'invite':
      return { $case: 'inviteRevoked', inviteRevoked: {} };
    case 'delete':
      return { $case: 'deleted', deleted: {} };
    default: {
      const settings = readSettings(child);
      return settings ? { $case: 'settings', settings } : unknownChange(child);
    }
  }
}

/** A group that cannot be read out of the stanza can be read from WhatsApp. */
function readEntered(child: BinaryNode): Change {
  try {
    return { $case: 'entered', entered: readGroup(child) };
  } catch {
    return unknownChange(child);
  }
}

function readSettings(child: BinaryNode): GroupSettings | undefined {
  switch (child.tag) {
    case 'subject':
      return { subject: child.attrs.subject ?? '' };
    case 'description':
      return { description: text(getBinaryNodeChild(child, 'body')) };
    case 'announcement':
      return { onlyAdminsSend: true };
    case 'not_announcement':
      return { onlyAdminsSend: false };
    case 'locked':
      return { onlyAdminsEdit: true };
    case 'unlocked':
      return { onlyAdminsEdit: false };
    case 'member_add_mode':
      return { onlyAdminsAdd: text(child) !== 'all_member_add' };
    case 'membership_approval_mode':
      return { joinApproval: getBinaryNodeChild(child, 'group_join')?.attrs.state === 'on' };
    case 'ephemeral':
      return { disappearingS: Number(child.attrs.expiration) || 0 };
    case 'not_ephemeral':
      return { disappearingS: 0 };
    default:
      return undefined;
  }
}

function readJoinRequests(child: BinaryNode, { attrs }: BinaryNode): Change {
  const actor = contactId(attrs.participant, attrs.participant_pn);
  const named = getBinaryNodeChildren(child, 'participant').map((node) => readParticipant(node).contact);
  // Who asks for himself is named as the actor alone.
  const contacts = named.length > 0 ? named.flatMap((contact) => contact ?? []) : [actor];
  const isOwn = contacts.some(({ pnJid, lidJid }) => (lidJid || pnJid) === (actor.lidJid || actor.pnJid));
  const state =
    child.tag === 'created_membership_requests'
      ? JoinRequestState.JOIN_REQUEST_STATE_CREATED
      : isOwn
        ? JoinRequestState.JOIN_REQUEST_STATE_REVOKED
        : JoinRequestState.JOIN_REQUEST_STATE_REJECTED;
  return {
    $case: 'joinRequests',
    joinRequests: { state, contacts, method: child.attrs.request_method ?? '' },
  };
}

function unknownChange(child: BinaryNode): Change {
  return { $case: 'unknown', unknown: { name: child.tag } };
}

function text(node: BinaryNode | undefined): string {
  const content = node?.content;
  return content instanceof Uint8Array || typeof content === 'string' ? content.toString() : '';
}
