import { Boom } from '@hapi/boom';
import { describe, expect, it, vi } from 'vitest';
import { CloseSignal } from '../src/close-signal.js';
import { actOnChat } from '../src/commands/act-on-chat.js';
import { ChatAction } from '../src/generated/ponte/bridge/v1/chat.js';

const CHAT = '5511911111111@s.whatsapp.net';

function setUp() {
  const sendPresenceUpdate = vi.fn(async () => undefined);
  const updateBlockStatus = vi.fn(async () => undefined);
  const watch = vi.fn(async () => undefined);
  const act = (action: ChatAction) =>
    actOnChat({ sendPresenceUpdate, updateBlockStatus }, watch, new CloseSignal(), {
      requestId: 7,
      chatJid: CHAT,
      action,
    });
  return { act, sendPresenceUpdate, updateBlockStatus, watch };
}

describe('actOnChat', () => {
  it.each([
    [ChatAction.CHAT_ACTION_TYPING, 'composing'],
    [ChatAction.CHAT_ACTION_RECORDING, 'recording'],
    [ChatAction.CHAT_ACTION_PAUSED, 'paused'],
  ])('shows activity %s', async (action, shown) => {
    const { act, sendPresenceUpdate } = setUp();
    expect(await act(action)).toEqual({ requestId: 7, errorCode: '', detail: '' });
    expect(sendPresenceUpdate).toHaveBeenCalledWith(shown, CHAT);
  });

  it.each([
    [ChatAction.CHAT_ACTION_BLOCK, 'block'],
    [ChatAction.CHAT_ACTION_UNBLOCK, 'unblock'],
  ])('sets the block %s', async (action, status) => {
    const { act, updateBlockStatus } = setUp();
    expect(await act(action)).toMatchObject({ errorCode: '' });
    expect(updateBlockStatus).toHaveBeenCalledWith(CHAT, status);
  });

  it('watches what a contact shows', async () => {
    const { act, watch } = setUp();
    expect(await act(ChatAction.CHAT_ACTION_WATCH_PRESENCE)).toMatchObject({ errorCode: '' });
    expect(watch).toHaveBeenCalledWith(CHAT);
  });

  it('says what WhatsApp refused, and what it does not know', async () => {
    const { act, updateBlockStatus } = setUp();
    updateBlockStatus.mockRejectedValue(new Boom('too much', { data: 429 }));
    expect(await act(ChatAction.CHAT_ACTION_BLOCK)).toMatchObject({ errorCode: 'RATE_LIMITED' });
    expect(await act(ChatAction.CHAT_ACTION_UNSPECIFIED)).toMatchObject({ errorCode: 'QUERY_FAILED' });
  });
});
