import { createHash } from 'node:crypto';
import { decryptPollVote, jidNormalizedUser, normalizeMessageContent, proto } from '@whiskeysockets/baileys';
import { type Body, pollOf } from './incoming.js';

/** Gives the protobuf `Message` of a message that was sent or received before. */
export type StoredProto = (waMessageId: string) => Promise<Uint8Array | undefined>;

/**
 * Reads a vote in a poll, which is encrypted with the poll's own secret; undefined where the message is no
 * vote, or the poll is not known here.
 *
 * @param voters all names of who votes
 * @param own all names of this number
 */
export async function readPollVote(
  message: proto.IMessage,
  stored: StoredProto,
  voters: string[],
  own: string[],
): Promise<Body | undefined> {
  const update = normalizeMessageContent(message)?.pollUpdateMessage;
  const pollId = update?.pollCreationMessageKey?.id;
  if (!pollId || !update.vote?.encPayload || !update.vote.encIv) return undefined;
  const bytes = await stored(pollId);
  const poll = bytes && decodeOrNothing(bytes);
  const secret = poll && secretOf(poll);
  if (!secret) return undefined;
  const creators = [...own, ...voters, update.pollCreationMessageKey?.participant ?? ''];
  const chosen = decrypt(update.vote, pollId, secret, users(creators), users([...voters, ...own]));
  if (!chosen) return undefined;
  const hashes = new Set(chosen.map((hash) => Buffer.from(hash).toString('hex')));
  const options = (pollOf(poll)?.options ?? []).map(({ optionName }) => optionName ?? '');
  return {
    $case: 'pollVote',
    pollVote: { messageId: '', options: options.filter((option) => hashes.has(hashOf(option))) },
  };
}

/** The names that a vote is encrypted for depend on how each side addresses the other: one of them fits. */
function decrypt(
  vote: proto.Message.IPollEncValue,
  pollMsgId: string,
  pollEncKey: Uint8Array,
  creators: string[],
  voters: string[],
): Uint8Array[] | undefined {
  for (const pollCreatorJid of creators) {
    for (const voterJid of voters) {
      try {
        const context = { pollCreatorJid, pollMsgId, pollEncKey, voterJid };
        return decryptPollVote(vote, context).selectedOptions ?? [];
      } catch {
        // not these names
      }
    }
  }
  return undefined;
}

function secretOf(poll: proto.IMessage): Uint8Array | undefined {
  const inner = normalizeMessageContent(poll);
  return poll.messageContextInfo?.messageSecret ?? inner?.messageContextInfo?.messageSecret ?? undefined;
}

function users(jids: string[]): string[] {
  return [...new Set(jids.filter((jid) => jid !== '').map((jid) => jidNormalizedUser(jid)))];
}

function hashOf(option: string): string {
  return createHash('sha256').update(option).digest('hex');
}

function decodeOrNothing(bytes: Uint8Array): proto.IMessage | undefined {
  try {
    return proto.Message.decode(bytes);
  } catch {
    return undefined;
  }
}
