import type { BinaryNode, GroupMetadata } from '@whiskeysockets/baileys';
import { getBinaryNodeChildren } from '@whiskeysockets/baileys';
// Not among the package's exports, but what its own group functions read with.
import { extractGroupMetadata } from '@whiskeysockets/baileys/lib/Socket/groups.js';
import { contactId } from '../contact-id.js';
import {
  type Group,
  type GroupParticipant,
  GroupRole,
  type ParticipantResult,
} from '../generated/ponte/bridge/v1/group.js';

const DONE = 200;

/** Reads the <group> in a stanza. Throws where there is none. */
export function readGroup(stanza: BinaryNode): Group {
  const metadata = extractGroupMetadata(stanza);
  const group = getBinaryNodeChildren(stanza, 'group')[0];
  const participants = group ? getBinaryNodeChildren(group, 'participant') : [];
  return {
    jid: metadata.id,
    settings: {
      subject: metadata.subject ?? '',
      description: metadata.desc ?? '',
      onlyAdminsSend: !!metadata.announce,
      onlyAdminsEdit: !!metadata.restrict,
      onlyAdminsAdd: !metadata.memberAddMode,
      joinApproval: !!metadata.joinApprovalMode,
      disappearingS: metadata.ephemeralDuration ?? 0,
    },
    owner: contactId(metadata.owner, metadata.ownerPn),
    createdAtMs: milliseconds(metadata.creation),
    communityJid: metadata.linkedParent ?? '',
    isCommunity: !!metadata.isCommunity,
    participants: participants.filter(({ attrs }) => !attrs.error).map(readParticipant),
    size: metadata.size ?? participants.length,
  };
}

/** The id by which WhatsApp wants the present description named before it takes another. */
export function descriptionId(stanza: BinaryNode): string | undefined {
  const metadata: GroupMetadata = extractGroupMetadata(stanza);
  return metadata.descId;
}

export function readParticipant({ attrs }: BinaryNode): GroupParticipant {
  const role =
    attrs.type === 'superadmin'
      ? GroupRole.GROUP_ROLE_OWNER
      : attrs.type === 'admin'
        ? GroupRole.GROUP_ROLE_ADMIN
        : GroupRole.GROUP_ROLE_MEMBER;
  return { contact: contactId(attrs.jid, attrs.phone_number, attrs.lid), role };
}

/** What became of each <participant> that was asked for. */
export function readResults(stanza: BinaryNode | undefined): ParticipantResult[] {
  return getBinaryNodeChildren(stanza, 'participant').map(({ attrs }) => ({
    contact: contactId(attrs.jid, attrs.phone_number, attrs.lid),
    waCode: attrs.error ? Number(attrs.error) : DONE,
  }));
}

export function milliseconds(seconds: number | string | undefined): number {
  return (Number(seconds) || 0) * 1000;
}
