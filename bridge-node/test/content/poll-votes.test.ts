import { createHash, randomBytes } from 'node:crypto';
import { aesEncryptGCM, hmacSign, proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { readPollVote } from '../../src/content/poll-votes.js';

const OWN = ['5511900000000:3@s.whatsapp.net', '900:3@lid'];
const VOTERS = ['911@lid', '5511911111111@s.whatsapp.net'];
const SECRET = randomBytes(32);
const POLL = proto.Message.encode({
  pollCreationMessageV3: { name: '?', options: [{ optionName: 'yes' }, { optionName: 'no' }] },
  messageContextInfo: { messageSecret: SECRET },
}).finish();

/** Encrypts a choice as WhatsApp does, for these names of the poll's creator and of who votes. */
function vote(creator: string, voter: string, ...options: string[]): proto.IMessage {
  const words = ['POLL', creator, voter, 'Poll Vote'].map((word) => Buffer.from(word));
  const key = hmacSign(Buffer.concat([...words, Buffer.from([1])]), hmacSign(SECRET, new Uint8Array(32)));
  const selectedOptions = options.map((option) => createHash('sha256').update(option).digest());
  const chosen = proto.Message.PollVoteMessage.encode({ selectedOptions }).finish();
  const encIv = randomBytes(12);
  const encPayload = aesEncryptGCM(chosen, key, encIv, Buffer.from(`POLL\u0000${voter}`));
  return { pollUpdateMessage: { pollCreationMessageKey: { id: 'POLL' }, vote: { encPayload, encIv } } };
}

const stored = async (id: string) => (id === 'POLL' ? POLL : undefined);

describe('readPollVote', () => {
  it.each([
    ['900@lid', '911@lid'],
    ['5511900000000@s.whatsapp.net', '5511911111111@s.whatsapp.net'],
    ['911@lid', '911@lid'],
  ])('opens a vote in a poll of %s by %s', async (creator, voter) => {
    const body = await readPollVote(vote(creator, voter, 'no'), stored, VOTERS, OWN);
    expect(body).toEqual({ $case: 'pollVote', pollVote: { messageId: '', options: ['no'] } });
  });

  it('reads that somebody chose nothing any more', async () => {
    const body = await readPollVote(vote('900@lid', '911@lid'), stored, VOTERS, OWN);
    expect(body).toMatchObject({ pollVote: { options: [] } });
  });

  it.each<[string, proto.IMessage, Uint8Array | undefined]>([
    ['no vote', { conversation: 'x' }, POLL],
    ['a poll that is not known', vote('900@lid', '911@lid', 'no'), undefined],
    ['a poll that cannot be read', vote('900@lid', '911@lid', 'no'), Buffer.from([255, 255])],
    ['a poll without its secret', vote('900@lid', '911@lid', 'no'), Buffer.from([])],
    ['a vote of somebody else', vote('900@lid', '912@lid', 'no'), POLL],
  ])('leaves %s', async (_name, message, poll) => {
    expect(await readPollVote(message, async () => poll, VOTERS, OWN)).toBeUndefined();
  });
});
