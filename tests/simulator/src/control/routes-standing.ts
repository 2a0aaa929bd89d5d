import { CAPPING_STATUSES, type CappingStatus } from '../accounts/standing.ts';
import { tellStanding } from '../handlers/iq-mex.ts';
import type { Call, Route } from './http.ts';
import { invalid, phoneOf, readBoolean, readInteger } from './input.ts';

const MOST_SECONDS = 1_000_000_000;

/** How the server sees a number. */
export const standingRoutes: Route[] = [
  { method: 'GET', path: /^\/phones\/([^/:]+)\/standing$/, run: (call) => phoneOf(call).account.standing },
  { method: 'PATCH', path: /^\/phones\/([^/:]+)\/standing$/, run: changeStanding },
];

function changeStanding(call: Call) {
  const { account } = phoneOf(call);
  const { reach_out_lock: lock, new_chats: capping, tell, ...others } = call.body;
  const unknown = Object.keys(others)[0];
  if (unknown) throw invalid(unknown, 'is not a part of a standing');
  const told = tell === undefined || readBoolean(tell, 'tell');
  if (lock !== undefined) account.standing.reach_out_lock = readLock(lock);
  if (capping !== undefined) account.standing.new_chats = readCapping(capping);
  if (told) tellStanding(account, () => call.simulator.nextId());
  return account.standing;
}

function readLock(value: unknown) {
  const { active, ends_in_s } = readObject(value, 'reach_out_lock');
  return {
    active: readBoolean(active, 'reach_out_lock.active'),
    ends_at: readEnd(ends_in_s, 'reach_out_lock.ends_in_s'),
  };
}

function readCapping(value: unknown) {
  const { total_quota, used_quota, cycle_ends_in_s, status } = readObject(value, 'new_chats');
  if (status !== undefined && !CAPPING_STATUSES.includes(status as CappingStatus)) {
    throw invalid('new_chats.status', `must be one of ${CAPPING_STATUSES.join(', ')}`);
  }
  return {
    total_quota: readInteger(total_quota, 'new_chats.total_quota', { min: -1, fallback: -1 }),
    used_quota: readInteger(used_quota, 'new_chats.used_quota', { fallback: 0 }),
    cycle_ends_at: readEnd(cycle_ends_in_s, 'new_chats.cycle_ends_in_s'),
    status: (status ?? 'NONE') as CappingStatus,
  };
}

/** Seconds from now as seconds since the epoch. */
function readEnd(value: unknown, field: string): number | null {
  const inSeconds = readInteger(value, field, { max: MOST_SECONDS, fallback: 0 });
  return inSeconds === 0 ? null : Math.floor(Date.now() / 1000) + inSeconds;
}

function readObject(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw invalid(field, 'must be an object');
  return value as Record<string, unknown>;
}
