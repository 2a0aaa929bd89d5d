import { Boom } from '@hapi/boom';
import { describe, expect, it, vi } from 'vitest';
import { CloseSignal } from '../src/close-signal.js';
import { checkNumbers } from '../src/commands/check-numbers.js';
import { markRead } from '../src/commands/mark-read.js';
import { requestPairingCode } from '../src/commands/pairing-code.js';
import { queryError } from '../src/commands/query-error.js';

const jid = (user: string) => `${user}@s.whatsapp.net`;
const never = () => new Promise<never>(() => undefined);

function numbers(known: Record<string, string>) {
  const onWhatsApp = vi.fn(async (...asked: string[]) =>
    asked.flatMap((number) => (known[number] ? [{ jid: jid(known[number]), exists: true }] : [])),
  );
  const getLIDsForPNs = async (pns: string[]) => pns.map((pn) => ({ pn, lid: `9${pn.split('@')[0]}@lid` }));
  return { onWhatsApp, signalRepository: { lidMapping: { getLIDsForPNs } } };
}

describe('checkNumbers', () => {
  it('says who is on WhatsApp, with both ids', async () => {
    const sock = numbers({ '+551': '551' });
    const answer = await checkNumbers(sock, new CloseSignal(), {
      requestId: 1,
      phoneNumbers: ['+551', '+552'],
    });
    expect(answer).toEqual({
      requestId: 1,
      checks: [
        { phoneNumber: '+551', onWhatsapp: true, contact: { pnJid: jid('551'), lidJid: '9551@lid' } },
        { phoneNumber: '+552', onWhatsapp: false, contact: { pnJid: '', lidJid: '' } },
      ],
      errorCode: '',
      detail: '',
    });
    expect(sock.onWhatsApp).toHaveBeenCalledOnce();
  });

  it('asks alone for a number that WhatsApp knows by another', async () => {
    const sock = numbers({ '+5511987654321': '551187654321', '+552': '552' });
    const phoneNumbers = ['+5511987654321', '+552', '+553'];
    const { checks } = await checkNumbers(sock, new CloseSignal(), { requestId: 1, phoneNumbers });
    expect(checks.map(({ contact }) => contact?.pnJid)).toEqual([jid('551187654321'), jid('552'), '']);
  });

  it('tells a time-out from nobody', async () => {
    const sock = { ...numbers({}), onWhatsApp: async () => undefined };
    const answer = await checkNumbers(sock, new CloseSignal(), { requestId: 1, phoneNumbers: ['+551'] });
    expect(answer).toMatchObject({ checks: [], errorCode: 'TIMED_OUT' });
  });

  it('ends with the session', async () => {
    const closeSignal = new CloseSignal();
    const sock = { ...numbers({}), onWhatsApp: never };
    const answer = checkNumbers(sock, closeSignal, { requestId: 1, phoneNumbers: ['+551'] });
    closeSignal.fire();
    expect(await answer).toMatchObject({ errorCode: 'NOT_CONNECTED' });
  });
});

describe('markRead', () => {
  it('names chat, participant and messages', async () => {
    const readMessages = vi.fn(async () => undefined);
    const command = { requestId: 2, chatJid: '1@g.us', participantJid: '9@lid', waMessageIds: ['A'] };
    expect(await markRead({ readMessages }, new CloseSignal(), command)).toMatchObject({ errorCode: '' });
    const key = { remoteJid: '1@g.us', participant: '9@lid', id: 'A', fromMe: false };
    expect(readMessages).toHaveBeenCalledWith([key]);
  });
});

describe('requestPairingCode', () => {
  it('gives digits only and no empty custom code', async () => {
    const requestCode = vi.fn(async () => 'ABCD1234');
    const command = { requestId: 3, phoneNumber: '+55 11', customCode: '' };
    const sock = { requestPairingCode: requestCode };
    expect(await requestPairingCode(sock, new CloseSignal(), command)).toMatchObject({ code: 'ABCD1234' });
    expect(requestCode).toHaveBeenCalledWith('5511', undefined);
  });

  it('tells what went wrong', async () => {
    const sock = { requestPairingCode: async () => Promise.reject(new Error('must be exactly 8 chars')) };
    const command = { requestId: 3, phoneNumber: '+5511', customCode: 'X' };
    expect(await requestPairingCode(sock, new CloseSignal(), command)).toMatchObject({
      code: '',
      errorCode: 'QUERY_FAILED',
      detail: 'must be exactly 8 chars',
    });
  });
});

describe('queryError', () => {
  it.each<[unknown, string]>([
    [1006, 'NOT_CONNECTED'],
    [new Boom('x', { statusCode: 428 }), 'NOT_CONNECTED'],
    [new Boom('x', { statusCode: 408 }), 'TIMED_OUT'],
    [new Boom('rate-overlimit', { data: 429 }), 'RATE_LIMITED'],
    [new Boom('x', { data: 404 }), 'QUERY_FAILED'],
    ['odd', 'QUERY_FAILED'],
  ])('%s is %s', (error, code) => {
    expect(queryError(error).errorCode).toBe(code);
  });
});
