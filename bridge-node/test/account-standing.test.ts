import { EventEmitter } from 'node:events';
import { Boom } from '@hapi/boom';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it, vi } from 'vitest';
import { CloseSignal } from '../src/close-signal.js';
import {
  reportAccountStanding,
  type StandingEvent,
  type StandingSocket,
} from '../src/events/account-standing.js';

const END = new Date('2026-11-27T12:00:00Z');

function setUp() {
  const ev = new EventEmitter();
  const ws = new EventEmitter();
  const fetchAccountReachoutTimelock = vi.fn(async () => {
    ev.emit('connection.update', { reachoutTimeLock: { isActive: true, timeEnforcementEnds: END } });
    return {};
  });
  const fetchNewChatMessageCap = vi.fn(async (): Promise<object> => ({}));
  const events: StandingEvent[] = [];
  const sock = { ev, ws, fetchAccountReachoutTimelock, fetchNewChatMessageCap } as unknown as StandingSocket;
  reportAccountStanding(sock, new CloseSignal(), (event) => events.push(event));
  const cappings = () =>
    events.flatMap((event) =>
      event.$case === 'accountStanding' && event.accountStanding.newChatCapping
        ? [event.accountStanding.newChatCapping]
        : [],
    );
  const locks = () =>
    events.flatMap((event) =>
      event.$case === 'accountStanding' && event.accountStanding.reachOutLock
        ? [event.accountStanding.reachOutLock]
        : [],
    );
  return { ev, ws, events, cappings, locks, fetchAccountReachoutTimelock, fetchNewChatMessageCap };
}

function failedQuery(code: string): BinaryNode {
  return { tag: 'iq', attrs: { type: 'error' }, content: [{ tag: 'error', attrs: { code } }] };
}

describe('reportAccountStanding', () => {
  it('asks for lock and capping once the connection is open', async () => {
    const { ev, locks, cappings, fetchNewChatMessageCap } = setUp();
    fetchNewChatMessageCap.mockResolvedValue({
      total_quota: 20,
      used_quota: '5',
      cycle_end_timestamp: '1795000000',
      capping_status: 'FIRST_WARNING',
    });
    ev.emit('connection.update', { connection: 'connecting' });
    expect(fetchNewChatMessageCap).not.toHaveBeenCalled();
    ev.emit('connection.update', { connection: 'open' });
    await vi.waitFor(() => expect(cappings()).toHaveLength(1));
    expect(locks()).toEqual([{ isActive: true, endsAtMs: END.getTime() }]);
    expect(cappings()).toEqual([
      { totalQuota: 20, usedQuota: 5, cycleEndsAtMs: 1_795_000_000_000, status: 'FIRST_WARNING' },
    ]);
  });

  it('asks once for the refusals of a batch, and not for other errors', async () => {
    const { ws, fetchAccountReachoutTimelock } = setUp();
    for (const error of ['463', '463', '479']) ws.emit('CB:ack,class:message', { attrs: { error } });
    expect(fetchAccountReachoutTimelock).toHaveBeenCalledTimes(1);
    await new Promise(setImmediate);
    ws.emit('CB:ack,class:message', { attrs: {} });
    ws.emit('CB:ack,class:message', { attrs: { error: '479' } });
    expect(fetchAccountReachoutTimelock).toHaveBeenCalledTimes(1);
    ws.emit('CB:ack,class:message', { attrs: { error: '463' } });
    expect(fetchAccountReachoutTimelock).toHaveBeenCalledTimes(2);
  });

  it('tells what WhatsApp tells by itself', () => {
    const { ev, locks, cappings } = setUp();
    ev.emit('connection.update', { reachoutTimeLock: { isActive: false } });
    ev.emit('message-capping.update', { total_quota: 'many', cycle_end_timestamp: 1_795_000_000_000 });
    expect(locks()).toEqual([{ isActive: false, endsAtMs: 0 }]);
    expect(cappings()).toEqual([
      { totalQuota: -1, usedQuota: 0, cycleEndsAtMs: 1_795_000_000_000, status: '' },
    ]);
  });

  it('tells the rest where one question fails', async () => {
    const { ev, events, locks, fetchNewChatMessageCap } = setUp();
    fetchNewChatMessageCap.mockRejectedValue(new Boom('no such query', { data: 400 }));
    ev.emit('connection.update', { connection: 'open' });
    await new Promise(setImmediate);
    expect(locks()).toHaveLength(1);
    expect(events).toHaveLength(1);
  });

  it('tells that a query was one too many, whoever asked', () => {
    const { ws, events } = setUp();
    ws.emit('CB:iq,type:error', failedQuery('500'));
    ws.emit('CB:iq,type:error', { tag: 'iq', attrs: { type: 'error' } });
    expect(events).toEqual([]);
    ws.emit('CB:iq,type:error', failedQuery('429'));
    expect(events).toEqual([{ $case: 'rateLimited', rateLimited: {} }]);
  });
});
