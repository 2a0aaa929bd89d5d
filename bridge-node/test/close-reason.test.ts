import { Boom } from '@hapi/boom';
import { describe, expect, it } from 'vitest';
import { closeReason, closings } from '../src/close-reason.js';

const boom = (statusCode: number, message = 'x', data?: unknown) => new Boom(message, { statusCode, data });

describe('closeReason', () => {
  it.each([
    [401, 'logged_out'],
    [403, 'forbidden'],
    [405, 'outdated_client'],
    [406, 'banned'],
    [408, 'timed_out'],
    [411, 'bad_session'],
    [428, 'connection_closed'],
    [429, 'rate_limited'],
    [440, 'replaced'],
    [500, 'unknown'],
    [503, 'service_unavailable'],
    [515, 'restart_required'],
    [599, 'unknown'],
  ])('gives %i the reason %s', (code, reason) => {
    expect(closeReason(boom(code), false)).toMatchObject({ code, reason, intentional: false, expiresInS: 0 });
  });

  it('tells an expired QR from a time-out', () => {
    expect(closeReason(boom(408, 'QR refs attempts ended'), true).reason).toBe('qr_expired');
    expect(closeReason(boom(408, 'QR refs attempts ended'), false).reason).toBe('timed_out');
  });

  it('tells a silent peer from a time-out', () => {
    expect(closeReason(boom(408, 'Connection was lost'), false).reason).toBe('connection_lost');
    expect(closeReason(boom(408, 'Connection was lost'), true).reason).toBe('connection_lost');
  });

  it('says when a temporary ban ends', () => {
    const closed = closeReason(
      boom(402, 'Connection Failure', { reason: '402', code: '104', expire: '3600' }),
      false,
    );
    expect(closed).toMatchObject({ code: 402, reason: 'banned', expiresInS: 3600, banCode: 104 });
    expect(closeReason(boom(402), false)).toMatchObject({ expiresInS: 0, banCode: 0 });
    const odd = closeReason(boom(402, 'x', { code: 'many', expire: '-1' }), false);
    expect(odd).toMatchObject({ expiresInS: 0, banCode: 0 });
  });

  it('takes a bare WebSocket code', () => {
    expect(closeReason(1006, false)).toMatchObject({ code: 1006, reason: 'connection_closed' });
    expect(closeReason(4999, false).reason).toBe('unknown');
  });

  it('reports a refused connection as a closed one, even while pairing', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const closed = closeReason(boom(408, 'WebSocket Error ()', refused), true);
    expect(closed).toMatchObject({ code: 428, reason: 'connection_closed' });
  });

  it('survives a missing and a foreign error', () => {
    expect(closeReason(undefined, false)).toMatchObject({ code: 428, reason: 'connection_closed' });
    expect(closeReason(new Error('5511987654321 broke'), false)).toMatchObject({
      code: 0,
      reason: 'unknown',
    });
    expect(closeReason(new Error('5511987654321 broke'), false).detail).not.toContain('5511');
  });
});

describe('closings', () => {
  it('marks as intentional only what was asked for', () => {
    expect(closings.ended('x').intentional).toBe(true);
    expect(closings.loggedOutOnRequest()).toMatchObject({ code: 401, intentional: true });
    expect(closings.connectTimeout(5)).toMatchObject({ reason: 'connect_timeout', intentional: false });
    expect(closings.upgradeRefused(429)).toMatchObject({ code: 429, reason: 'upgrade_refused' });
    expect(closings.silent(5)).toMatchObject({ code: 408, reason: 'connection_lost', intentional: false });
    expect(closings.qrExpired(6)).toMatchObject({ code: 408, reason: 'qr_expired', intentional: false });
    expect(closings.authStoreFailed('STALE_FENCE')).toMatchObject({ reason: 'auth_store_failed' });
    expect(closings.inboundStoreFailed('x')).toMatchObject({ reason: 'inbound_store_failed' });
  });
});
