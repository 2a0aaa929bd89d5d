import type { BinaryNode } from '@whiskeysockets/baileys';
import { groupIdOf } from '../accounts/group.ts';
import type { Connection } from '../connection.ts';
import { requireMember } from '../groups/members.ts';
import type { Change } from '../groups/notifications.ts';
import { notFound, Refusal } from '../groups/refusal.ts';
import { setPicture } from '../groups/settings.ts';
import { PICTURES_PATH } from '../media/server.ts';
import { bytesOf, child, iqError, iqResult, node } from '../wire/nodes.ts';

/** Pictures of groups: read, set, removed. Numbers have none, and setting one's own changes nothing. */
export function answerPicture(connection: Connection, iq: BinaryNode): BinaryNode | undefined {
  const { device, simulator } = connection;
  if (!device || !groupIdOf(iq.attrs.target)) return iqResult(iq);
  try {
    const group = simulator.groups.at(iq.attrs.target);
    if (!group) throw notFound();
    const change = { simulator, group, by: device.account };
    return iqResult(iq, iq.attrs.type === 'set' ? replace(change, iq) : read(change));
  } catch (error) {
    if (error instanceof Refusal) return iqError(iq, error.code, error.message);
    throw error;
  }
}

function replace(change: Change, iq: BinaryNode): BinaryNode[] | undefined {
  setPicture(change, bytesOf(child(iq, 'picture')));
  const { picture } = change.group;
  return picture && [node('picture', { id: picture.id })];
}

function read({ simulator, group, by }: Change): BinaryNode[] {
  requireMember(group, by);
  const { picture } = group;
  if (!picture) throw notFound();
  const url = `${simulator.mediaUrl}${PICTURES_PATH}${group.id}`;
  return [node('picture', { id: picture.id, type: 'image', url, direct_path: PICTURES_PATH + group.id })];
}
