import { randomBytes } from 'node:crypto';
import { describedNow, nowSeconds } from '../accounts/group.ts';
import { node } from '../wire/nodes.ts';
import { requireAdmin, requireMember } from './members.ts';
import { addModeNode, approvalNode, descriptionNode } from './nodes.ts';
import { type Change, tell, tellPicture } from './notifications.ts';
import { badRequest, conflict } from './refusal.ts';

const MAX_SUBJECT_CHARACTERS = 100;
const MAX_DESCRIPTION_CHARACTERS = 2_048;
/** Off, a day, a week, 90 days. */
export const EPHEMERAL_TIMERS_S = [0, 86_400, 604_800, 7_776_000];

/** @throws Refusal where the author may not edit, or the text is empty or too long */
export function setSubject(change: Change, text: string): void {
  const { group, by } = change;
  requireEditor(change);
  if (!text || text.length > MAX_SUBJECT_CHARACTERS) throw badRequest();
  group.subject = { text, by, atS: nowSeconds() };
  const attrs = { subject: text, s_t: String(group.subject.atS), s_o: group.address(by), s_o_pn: by.jid() };
  tell(change, node('subject', attrs));
}

/**
 * An empty body removes the description; `previous` is the id of the one that it replaces.
 * @throws Refusal where the author may not edit, or somebody else has changed it meanwhile
 */
export function setDescription(
  change: Change,
  { body, id, previous }: { body: string; id?: string | undefined; previous?: string | undefined },
): void {
  const { group, by } = change;
  requireEditor(change);
  if (body.length > MAX_DESCRIPTION_CHARACTERS) throw badRequest();
  if (group.description && previous !== undefined && previous !== group.description.id) throw conflict();
  group.description = body ? describedNow(by, body, id) : undefined;
  tell(change, descriptionNode(group));
}

/** @throws Refusal where the author is no admin */
export function setOnlyAdminsSend(change: Change, on: boolean): void {
  requireAdmin(change.group, change.by);
  change.group.onlyAdminsSend = on;
  tell(change, node(on ? 'announcement' : 'not_announcement'));
}

/** @throws Refusal where the author is no admin */
export function setOnlyAdminsEdit(change: Change, on: boolean): void {
  requireAdmin(change.group, change.by);
  change.group.onlyAdminsEdit = on;
  tell(change, node(on ? 'locked' : 'unlocked'));
}

/** @throws Refusal where the author is no admin */
export function setOnlyAdminsAdd(change: Change, on: boolean): void {
  requireAdmin(change.group, change.by);
  change.group.onlyAdminsAdd = on;
  tell(change, addModeNode(change.group));
}

/** @throws Refusal where the author is no admin */
export function setJoinApproval(change: Change, on: boolean): void {
  requireAdmin(change.group, change.by);
  change.group.joinApproval = on;
  tell(change, approvalNode(change.group));
}

/** @throws Refusal where the author may not edit, or the time is none that WhatsApp offers */
export function setEphemeral(change: Change, seconds: number): void {
  requireEditor(change);
  if (!EPHEMERAL_TIMERS_S.includes(seconds)) throw badRequest();
  change.group.ephemeralS = seconds;
  tell(change, seconds ? node('ephemeral', { expiration: String(seconds) }) : node('not_ephemeral'));
}

/** Nothing removes the picture. @throws Refusal where the author may not edit */
export function setPicture(change: Change, bytes: Buffer | undefined): void {
  const { group, by } = change;
  requireEditor(change);
  const atS = nowSeconds();
  group.picture = bytes && { id: String(atS) + randomBytes(2).readUInt16BE(0), bytes, by, atS };
  tellPicture(change);
}

function requireEditor({ group, by }: Change): void {
  if (group.onlyAdminsEdit) requireAdmin(group, by);
  else requireMember(group, by);
}
