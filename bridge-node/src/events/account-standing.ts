import type { BinaryNode, ConnectionState, NewChatMessageCapInfo, WASocket } from '@whiskeysockets/baileys';
import { type CloseSignal, SessionClosedError } from '../close-signal.js';
import type { AccountStanding, NewChatCapping, RateLimited } from '../generated/ponte/bridge/v1/standing.js';
import { describeError, log } from '../logger.js';

/** What the report needs of a Baileys socket. */
export interface StandingSocket
  extends Pick<WASocket, 'fetchAccountReachoutTimelock' | 'fetchNewChatMessageCap'> {
  ev: Pick<WASocket['ev'], 'on'>;
  ws: { on(event: string, listener: (node: BinaryNode) => void): unknown };
}

export type StandingEvent =
  | { $case: 'accountStanding'; accountStanding: AccountStanding }
  | { $case: 'rateLimited'; rateLimited: RateLimited };

type Lock = NonNullable<ConnectionState['reachoutTimeLock']>;

/** The ack's error of a message to somebody whom the number may not write to first. */
const REACH_OUT_REFUSED = '463';

/** Beyond it a time is in milliseconds: in seconds it would lie 3,000 years ahead. */
const MOST_SECONDS = 1e11;

/**
 * Tells from now on how WhatsApp sees the number: whether it may write first, how many new chats are left,
 * and that a query was one too many. It is asked for when the connection opens and after a refusal.
 */
export function reportAccountStanding(
  sock: StandingSocket,
  closeSignal: CloseSignal,
  emit: (event: StandingEvent) => void,
): void {
  const { ev, ws } = sock;
  const tell = (accountStanding: AccountStanding) => emit({ $case: 'accountStanding', accountStanding });
  const tellCapping = (info: NewChatMessageCapInfo) =>
    tell({ reachOutLock: undefined, newChatCapping: newChatCapping(info) });
  const ask = questions(sock, closeSignal, tellCapping);
  ev.on('connection.update', ({ connection, reachoutTimeLock }) => {
    if (connection === 'open') ask();
    if (reachoutTimeLock) tell({ reachOutLock: reachOutLock(reachoutTimeLock), newChatCapping: undefined });
  });
  ev.on('message-capping.update', tellCapping);
  // Baileys rc14 means to ask for the lock by itself, in a branch that it never reaches.
  ws.on('CB:ack,class:message', ({ attrs }) => {
    if (attrs.error === REACH_OUT_REFUSED) ask();
  });
  ws.on('CB:iq,type:error', (node) => {
    if (isRateLimit(node)) emit({ $case: 'rateLimited', rateLimited: {} });
  });
}

/** Asks for lock and capping; the refusals of one batch are one question. What fails is not told. */
function questions(
  sock: StandingSocket,
  closeSignal: CloseSignal,
  tellCapping: (info: NewChatMessageCapInfo) => void,
): () => void {
  let asking = false;
  const settle = async (question: Promise<unknown>) => {
    try {
      await closeSignal.race(question);
    } catch (error) {
      if (error instanceof SessionClosedError) return;
      log('warn', `the account's standing was not told: ${describeError(error)}`);
    }
  };
  return () => {
    if (asking) return;
    asking = true;
    const both = [
      // Its answer comes as `connection.update` too.
      settle(sock.fetchAccountReachoutTimelock()),
      settle(sock.fetchNewChatMessageCap().then(tellCapping)),
    ];
    void Promise.all(both).finally(() => {
      asking = false;
    });
  };
}

/** Tells whether a query's error says that there were too many. */
function isRateLimit({ content }: BinaryNode): boolean {
  return Array.isArray(content) && content.some(({ tag, attrs }) => tag === 'error' && attrs.code === '429');
}

/** Not from the enforcement type: it is DEFAULT with and without a lock. */
function reachOutLock({ isActive, timeEnforcementEnds }: Lock): AccountStanding['reachOutLock'] {
  return { isActive: isActive ?? false, endsAtMs: timeEnforcementEnds?.getTime() || 0 };
}

function newChatCapping(info: NewChatMessageCapInfo): NewChatCapping {
  return {
    totalQuota: wholeNumber(info.total_quota, -1),
    usedQuota: wholeNumber(info.used_quota, 0),
    cycleEndsAtMs: milliseconds(info.cycle_end_timestamp),
    status: info.capping_status ?? '',
  };
}

/** WhatsApp writes numbers as such or as texts. */
function wholeNumber(value: unknown, otherwise: number): number {
  const number = Number(value ?? Number.NaN);
  return Number.isSafeInteger(number) ? number : otherwise;
}

function milliseconds(timestamp: unknown): number {
  const time = wholeNumber(timestamp, 0);
  if (time <= 0) return 0;
  return time > MOST_SECONDS ? time : time * 1000;
}
