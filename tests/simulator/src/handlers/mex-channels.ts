import { QueryIds, XWAPaths } from '@whiskeysockets/baileys';
import type { Account } from '../accounts/account.ts';
import type { Channel, Channels } from '../accounts/channels.ts';

const NOT_FOUND = { errors: [{ message: 'Not Found', extensions: { error_code: 404 } }] };

interface Variables {
  newsletter_id?: string;
  input?: { key?: string; type?: string };
}

/** Answers a GraphQL query about channels; undefined for one of another subject. */
export function answerChannelQuery(
  channels: Channels,
  account: Account,
  queryId: string | undefined,
  { newsletter_id, input }: Variables,
): object | undefined {
  if (queryId === QueryIds.METADATA) {
    const { key = '', type } = input ?? {};
    const channel = type === 'INVITE' ? channels.withInvite(key) : channels.at(key);
    return channel
      ? { data: { [XWAPaths.xwa2_newsletter_metadata]: metadata(channel, account) } }
      : NOT_FOUND;
  }
  if (queryId !== QueryIds.FOLLOW && queryId !== QueryIds.UNFOLLOW) return undefined;
  const channel = channels.at(newsletter_id);
  if (!channel) return NOT_FOUND;
  if (queryId === QueryIds.FOLLOW) channel.followers.add(account);
  else channel.followers.delete(account);
  const path =
    queryId === QueryIds.FOLLOW ? XWAPaths.xwa2_newsletter_join_v2 : XWAPaths.xwa2_newsletter_leave_v2;
  return { data: { [path]: { id: channel.jid } } };
}

function metadata(channel: Channel, account: Account) {
  return {
    id: channel.jid,
    state: { type: 'ACTIVE' },
    thread_metadata: {
      creation_time: String(channel.createdAtS),
      name: { text: channel.name },
      description: { text: channel.description },
      invite: channel.invite,
      subscribers_count: String(channel.followers.size),
      verification: 'UNVERIFIED',
    },
    viewer_metadata: { mute: 'OFF', role: channel.roleOf(account) },
  };
}
