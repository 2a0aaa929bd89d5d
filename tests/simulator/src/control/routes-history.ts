import { Past } from '../accounts/past.ts';
import type { Call, Route } from './http.ts';
import { invalid, phoneOf, readBoolean, readInteger } from './input.ts';

const MOST_CHATS = 10_000;
const MOST_MESSAGES = 100_000;
const MOST_IN_A_CHUNK = 10_000;
const DEFAULT_CHUNK = 1_000;
const DEFAULT_DAYS = 30;
const FIELDS = new Set(['chats', 'groups', 'messages', 'files', 'days', 'ends_at', 'seed', 'chunk']);

/** What a phone has lived through, for clients that are linked to it afterwards. */
export const historyRoutes: Route[] = [
  { method: 'POST', path: /^\/phones\/([^/:]+)\/history$/, run: setHistory },
];

function setHistory(call: Call) {
  const { account } = phoneOf(call);
  const { body } = call;
  const unknown = Object.keys(body).find((field) => !FIELDS.has(field));
  if (unknown) throw invalid(unknown, 'is not a part of a history');
  const chats = readInteger(body.chats, 'chats', { max: MOST_CHATS, fallback: 0 });
  account.past = new Past(account, {
    chats,
    groups: readInteger(body.groups, 'groups', { max: chats, fallback: 0 }),
    messages: readInteger(body.messages, 'messages', { min: 1, max: MOST_MESSAGES, fallback: 1 }),
    files: body.files !== undefined && readBoolean(body.files, 'files'),
    days: readInteger(body.days, 'days', { min: 1, max: 3650, fallback: DEFAULT_DAYS }),
    ends_at: readInteger(body.ends_at, 'ends_at', { fallback: Math.floor(Date.now() / 1000) }),
    seed: readInteger(body.seed, 'seed', { fallback: 1 }),
    chunk: readInteger(body.chunk, 'chunk', { min: 1, max: MOST_IN_A_CHUNK, fallback: DEFAULT_CHUNK }),
  });
  return { phone_number: account.number, ...account.past.options };
}
