import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../accounts/account.ts';
import { type Outcome, outcomeNode, resolve } from '../groups/members.ts';
import type { Change } from '../groups/notifications.ts';
import { bytesOf, children, node } from '../wire/nodes.ts';

/** Answers one query about a group with what its result holds. Throws a Refusal where it may not be. */
export type GroupQuery = (change: Change, request: BinaryNode) => BinaryNode[] | undefined;

/** One that names no group in its address. */
export type GrouplessQuery = (change: Omit<Change, 'group'>, request: BinaryNode) => BinaryNode[] | undefined;

/** Addresses of the `<participant>` of a stanza. */
export function participantsOf(parent: BinaryNode | undefined): string[] {
  return children(parent).flatMap(({ tag, attrs }) =>
    tag === 'participant' && attrs.jid ? [attrs.jid] : [],
  );
}

/** What became of each person that a query names, those included who are not on WhatsApp. */
export function outcomeNodes(
  change: Change,
  jids: string[],
  act: (change: Change, people: Account[]) => Outcome[],
): BinaryNode[] {
  const { known, unknown } = resolve(change.simulator, jids);
  const outcomes = act(change, known).map((outcome) => outcomeNode(change.group, outcome));
  return [...outcomes, ...unknown.map((jid) => node('participant', { jid, error: '404' }))];
}

export function textOf(parent: BinaryNode | undefined): string {
  return bytesOf(parent)?.toString() ?? '';
}
