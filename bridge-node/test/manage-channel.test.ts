import { Boom } from '@hapi/boom';
import { describe, expect, it, vi } from 'vitest';
import { CloseSignal } from '../src/close-signal.js';
import { type ChannelSocket, manageChannel } from '../src/commands/manage-channel.js';
import { ChannelAction } from '../src/generated/ponte/bridge/v1/channel.js';

const JID = '120363400000000001@newsletter';
const TOLD = {
  id: JID,
  thread_metadata: {
    name: { text: 'News' },
    description: { text: 'What is new' },
    subscribers_count: '12',
    invite: 'CODE',
  },
  viewer_metadata: { role: 'SUBSCRIBER' },
};
const CHANNEL = {
  jid: JID,
  name: 'News',
  description: 'What is new',
  followers: 12,
  inviteCode: 'CODE',
  role: 'SUBSCRIBER',
};

function setUp(answer: unknown = TOLD) {
  const sock = {
    newsletterMetadata: vi.fn(async () => answer),
    newsletterFollow: vi.fn(async () => undefined),
    newsletterUnfollow: vi.fn(async () => undefined),
  };
  const manage = (channel: string, action: ChannelAction) =>
    manageChannel(sock as unknown as ChannelSocket, new CloseSignal(), { requestId: 7, channel, action });
  return { sock, manage };
}

describe('manageChannel', () => {
  it('reads a channel by its jid or the code of its link', async () => {
    const { sock, manage } = setUp();
    const answered = { requestId: 7, errorCode: '', detail: '', channel: CHANNEL };
    expect(await manage(JID, ChannelAction.CHANNEL_ACTION_READ)).toEqual(answered);
    expect(await manage('CODE', ChannelAction.CHANNEL_ACTION_READ)).toEqual(answered);
    expect(sock.newsletterMetadata.mock.calls).toEqual([
      ['jid', JID],
      ['invite', 'CODE'],
    ]);
    expect(sock.newsletterFollow).not.toHaveBeenCalled();
  });

  it('follows what it has found, and says what it is then', async () => {
    const { sock, manage } = setUp();
    expect(await manage('CODE', ChannelAction.CHANNEL_ACTION_FOLLOW)).toMatchObject({ channel: CHANNEL });
    await manage(JID, ChannelAction.CHANNEL_ACTION_UNFOLLOW);
    expect(sock.newsletterFollow).toHaveBeenCalledWith(JID);
    expect(sock.newsletterUnfollow).toHaveBeenCalledWith(JID);
    expect(sock.newsletterMetadata).toHaveBeenCalledTimes(4);
  });

  it('leaves empty what WhatsApp does not say', async () => {
    const { manage } = setUp({ id: JID });
    const channel = { jid: JID, name: '', description: '', followers: 0, inviteCode: '', role: '' };
    expect(await manage(JID, ChannelAction.CHANNEL_ACTION_READ)).toMatchObject({ channel });
  });

  it('says that there is no such channel, or what else went wrong', async () => {
    const none = setUp(null);
    const asked = ChannelAction.CHANNEL_ACTION_READ;
    expect(await none.manage(JID, asked)).toMatchObject({ errorCode: 'NOT_FOUND', channel: undefined });
    const { sock, manage } = setUp();
    sock.newsletterMetadata.mockRejectedValueOnce(new Boom('Not Found', { statusCode: 404 }));
    expect(await manage(JID, asked)).toMatchObject({ errorCode: 'NOT_FOUND' });
    sock.newsletterFollow.mockRejectedValueOnce(new Boom('too much', { data: 429 }));
    expect(await manage(JID, ChannelAction.CHANNEL_ACTION_FOLLOW)).toMatchObject({
      errorCode: 'RATE_LIMITED',
    });
    expect(await manage(JID, ChannelAction.CHANNEL_ACTION_UNSPECIFIED)).toMatchObject({
      errorCode: 'QUERY_FAILED',
    });
  });
});
