import { isBoom } from '@hapi/boom';
import { isJidNewsletter, type WASocket } from '@whiskeysockets/baileys';
import type { CloseSignal } from '../close-signal.js';
import {
  type Channel,
  ChannelAction,
  type ChannelManaged,
  type ManageChannel,
} from '../generated/ponte/bridge/v1/channel.js';
import { queryError } from './query-error.js';

export type ChannelSocket = Pick<WASocket, 'newsletterMetadata' | 'newsletterFollow' | 'newsletterUnfollow'>;

/** As WhatsApp answers; Baileys' own type of it is another one. */
interface Answer {
  id?: string;
  thread_metadata?: {
    name?: { text?: string };
    description?: { text?: string };
    subscribers_count?: string;
    invite?: string;
  };
  viewer_metadata?: { role?: string };
}

class NoChannelError extends Error {}

/** Looks a channel up, follows it or does so no more, and says what it is then. */
export async function manageChannel(
  sock: ChannelSocket,
  closeSignal: CloseSignal,
  { requestId, channel, action }: ManageChannel,
): Promise<ChannelManaged> {
  try {
    return {
      requestId,
      errorCode: '',
      detail: '',
      channel: await closeSignal.race(act(sock, channel, action)),
    };
  } catch (error) {
    return { requestId, channel: undefined, ...refusal(error) };
  }
}

async function act(sock: ChannelSocket, channel: string, action: ChannelAction): Promise<Channel> {
  const found = await read(sock, channel);
  switch (action) {
    case ChannelAction.CHANNEL_ACTION_READ:
      return found;
    case ChannelAction.CHANNEL_ACTION_FOLLOW:
      await sock.newsletterFollow(found.jid);
      break;
    case ChannelAction.CHANNEL_ACTION_UNFOLLOW:
      await sock.newsletterUnfollow(found.jid);
      break;
    default:
      throw new Error('an action of a newer contract');
  }
  return read(sock, found.jid);
}

async function read(sock: ChannelSocket, channel: string): Promise<Channel> {
  const by = isJidNewsletter(channel) ? 'jid' : 'invite';
  const answer = (await sock.newsletterMetadata(by, channel)) as unknown as Answer | null;
  if (!answer?.id) throw new NoChannelError('WhatsApp knows no such channel');
  const { thread_metadata: thread, viewer_metadata: viewer } = answer;
  return {
    jid: answer.id,
    name: thread?.name?.text ?? '',
    description: thread?.description?.text ?? '',
    followers: Number(thread?.subscribers_count ?? 0) || 0,
    inviteCode: thread?.invite ?? '',
    role: viewer?.role ?? '',
  };
}

function refusal(error: unknown) {
  const known = queryError(error);
  const isUnknown = error instanceof NoChannelError || (isBoom(error) && error.output.statusCode === 404);
  return isUnknown ? { ...known, errorCode: 'NOT_FOUND' } : known;
}
