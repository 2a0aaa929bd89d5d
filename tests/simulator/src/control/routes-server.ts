import { ApiError } from './errors.ts';
import type { Call, Route } from './http.ts';
import { accountOf, phoneOf, readInteger, readNumber } from './input.ts';

const MAX_PAGE = 100_000;
const MAX_BULK_SENDS = 10_000;

export const serverRoutes: Route[] = [
  { method: 'GET', path: /^\/healthz$/, run: () => ({ status: 'ok' }) },
  { method: 'GET', path: /^\/arrivals$/, run: listArrivals },
  { method: 'GET', path: /^\/activity$/, run: listActivity },
  { method: 'GET', path: /^\/stats$/, run: showStats },
  { method: 'POST', path: /^\/messages:bulk$/, run: sendMany },
];

function listArrivals({ simulator, query }: Call) {
  const after = readInteger(query.get('after'), 'after', { fallback: 0 });
  const limit = readInteger(query.get('limit'), 'limit', { min: 1, max: MAX_PAGE, fallback: MAX_PAGE });
  const from = query.has('from') ? readNumber(query.get('from'), 'from') : undefined;
  const arrivals = simulator.arrivals.after(after, from ? undefined : limit);
  return from ? arrivals.filter((arrival) => arrival.from === from).slice(0, limit) : arrivals;
}

function listActivity({ simulator, query }: Call) {
  const after = readInteger(query.get('after'), 'after', { fallback: 0 });
  const number = readNumber(query.get('number'), 'number');
  return simulator.activity.after(after).filter((activity) => activity.number === number);
}

function showStats({ simulator }: Call) {
  const { stats, connections, registry } = simulator;
  return {
    sockets: connections.size,
    phones: registry.size,
    messages: stats.messages,
    delivered: stats.delivered,
    receipts: stats.receipts,
    logins: stats.logins,
    pairings: stats.pairings,
    uploads: stats.uploads,
    downloads: stats.downloads,
    media_requests: stats.mediaRequests,
    iqs: stats.iqs,
    iqs_unknown: Object.fromEntries(stats.unknownIqs),
    last_arrival: simulator.arrivals.last,
  };
}

/** Sends many texts from many phones at once: {messages: [{from, to, text, id?}]} -> {ids} in the same order. */
async function sendMany(call: Call) {
  const { messages } = call.body;
  if (!Array.isArray(messages) || messages.length > MAX_BULK_SENDS) {
    throw new ApiError(400, 'INVALID_ARGUMENT', `messages must be a list of at most ${MAX_BULK_SENDS}.`);
  }
  const sends = messages.map((message: { from?: string; to?: string; text?: string; id?: string }) => {
    const phone = phoneOf({ ...call, params: [message?.from ?? ''] });
    return { phone, to: accountOf(call, message.to, 'to'), text: String(message.text ?? ''), id: message.id };
  });
  return { ids: await Promise.all(sends.map(({ phone, to, text, id }) => phone.sendText(to, text, id))) };
}
