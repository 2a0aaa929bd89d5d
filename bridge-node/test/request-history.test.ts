import { Boom } from '@hapi/boom';
import { describe, expect, it, vi } from 'vitest';
import { CloseSignal } from '../src/close-signal.js';
import { type HistorySocket, requestHistory } from '../src/commands/request-history.js';

const CHAT = '5511911111111@s.whatsapp.net';
const ASKED = { requestId: 7, chatJid: CHAT, waMessageId: 'A', fromMe: true, sentAtMs: 1000, count: 50 };

describe('requestHistory', () => {
  it('asks the phone for what came before a message', async () => {
    const fetchMessageHistory = vi.fn(async () => 'ID');
    const sock = { fetchMessageHistory } as unknown as HistorySocket;
    expect(await requestHistory(sock, new CloseSignal(), ASKED)).toEqual({
      requestId: 7,
      errorCode: '',
      detail: '',
    });
    expect(fetchMessageHistory).toHaveBeenCalledWith(50, { remoteJid: CHAT, id: 'A', fromMe: true }, 1000);
  });

  it('says why it could not', async () => {
    const fetchMessageHistory = vi.fn(async () => {
      throw new Boom('gone', { statusCode: 428 });
    });
    const sock = { fetchMessageHistory } as unknown as HistorySocket;
    expect(await requestHistory(sock, new CloseSignal(), ASKED)).toMatchObject({
      errorCode: 'NOT_CONNECTED',
    });
  });
});
