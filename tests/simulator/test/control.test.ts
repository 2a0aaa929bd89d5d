import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from './wait.ts';
import { type Json, World } from './world.ts';

const ANA = '+5511999990001';
const BIA = '+5511999990002';
const world = new World({ maxMessagesPerPhone: 10, maxArrivals: 10 });

beforeAll(async () => {
  await world.start();
  await world.post('/phones', { phone_number: ANA, name: 'Ana' });
  await world.post('/phones', { phone_number: BIA });
});
afterAll(() => world.stop());

test.each<[string, string, string, unknown, number, string]>([
  ['an unknown path', 'GET', '/nothing', undefined, 404, 'NOT_FOUND'],
  ['a method that a path does not take', 'DELETE', '/phones', undefined, 405, 'METHOD_NOT_ALLOWED'],
  ['a number that is not E.164', 'POST', '/phones', { phone_number: '12ab' }, 400, 'INVALID_ARGUMENT'],
  ['an unknown phone', 'GET', '/phones/+551112345678', undefined, 404, 'PHONE_NOT_FOUND'],
  ['an empty text', 'POST', `/phones/${ANA}:send`, { to: BIA, text: '' }, 400, 'INVALID_ARGUMENT'],
  [
    'a recipient that is not there',
    'POST',
    `/phones/${ANA}:send`,
    { to: '+15550001111', text: 'x' },
    404,
    'NUMBER_NOT_FOUND',
  ],
  ['an unknown setting', 'PATCH', `/phones/${ANA}`, { color: 'red' }, 400, 'INVALID_ARGUMENT'],
  ['a standing without its part', 'PATCH', `/phones/${ANA}/standing`, { mood: 1 }, 400, 'INVALID_ARGUMENT'],
  [
    'an unknown capping',
    'PATCH',
    `/phones/${ANA}/standing`,
    { new_chats: { status: 'SOME' } },
    400,
    'INVALID_ARGUMENT',
  ],
  [
    'a lock that is neither on nor off',
    'PATCH',
    `/phones/${ANA}/standing`,
    { reach_out_lock: {} },
    400,
    'INVALID_ARGUMENT',
  ],
  ['an unknown step', 'POST', `/phones/${ANA}:call`, { to: BIA, step: 'hum' }, 400, 'INVALID_ARGUMENT'],
  ['an unknown fault', 'POST', '/faults', { kind: 'fire' }, 400, 'INVALID_ARGUMENT'],
  ['a fault that is not in force', 'DELETE', '/faults/99', undefined, 404, 'FAULT_NOT_FOUND'],
  ['an unknown device', 'DELETE', '/devices/1%3A1%40s.whatsapp.net', undefined, 404, 'DEVICE_NOT_FOUND'],
])('%s is refused with a code', async (_name, method, path, body, status, code) => {
  const answer = await world.raw(method, path, body === undefined ? undefined : JSON.stringify(body));
  expect(answer.status).toBe(status);
  expect(answer.json.error.code).toBe(code);
  expect(answer.json.error.detail).not.toBe('');
});

test('a body that is broken or too large is refused', async () => {
  expect((await world.raw('POST', '/phones', '{')).json.error.code).toBe('INVALID_JSON');
  expect((await world.raw('POST', '/phones', '[]')).json.error.code).toBe('INVALID_JSON');
  const large = JSON.stringify({ phone_number: ANA, name: 'x'.repeat(1_100_000) });
  expect((await world.raw('POST', '/phones', large)).json.error.code).toBe('BODY_TOO_LARGE');
});

test('creating a phone twice gives the same phone', async () => {
  const first = await world.get(`/phones/${ANA}`);
  expect(await world.post('/phones', { phone_number: ANA, name: 'Other' })).toEqual(first);
});

test('phones write to each other', async () => {
  const { id } = await world.post(`/phones/${ANA}:send`, { to: BIA, text: 'between phones' });
  const [message] = await world.get(`/phones/${BIA}/messages?wait_count=1&timeout_ms=5000`);
  expect(message).toMatchObject({ id, from: ANA, text: 'between phones' });
  expect(await world.post(`/phones/${BIA}:read`, { chat: ANA })).toEqual({ ids: [id] });
  expect(await world.post(`/phones/${BIA}:read`, { chat: ANA })).toEqual({ ids: [] });
  const [sent] = await world.get(`/phones/${ANA}/messages?include_sent=true`);
  await expect
    .poll(async () => (await world.get(`/phones/${ANA}/messages?include_sent=true`))[0].status)
    .toBe('read');
  expect(sent).toMatchObject({ id, from_me: true, sent_here: true });
  expect(await world.get(`/phones/${ANA}/messages`)).toEqual([]);
});

test('a long poll answers with what there is when its time is over', async () => {
  expect(await world.get(`/phones/${ANA}/messages?wait_count=5&timeout_ms=50`)).toEqual([]);
});

test('histories are bounded and keep their numbers', async () => {
  const messages = Array.from({ length: 40 }, (_, index) => ({ from: ANA, to: BIA, text: `bulk ${index}` }));
  const { last_seq } = await world.get(`/phones/${BIA}`);
  const { ids } = await world.post('/messages:bulk', { messages });
  expect(new Set(ids).size).toBe(40);
  await expect.poll(async () => (await world.get(`/phones/${BIA}`)).last_seq).toBe(last_seq + 40);
  const kept: Json[] = await world.get(`/phones/${BIA}/messages`);
  expect(kept.length).toBeLessThanOrEqual(11);
  expect(kept.at(-1)).toMatchObject({ text: 'bulk 39', seq: last_seq + 40 });
  const arrivals: Json[] = await world.get('/arrivals');
  expect(arrivals.length).toBeLessThanOrEqual(11);
  expect(arrivals.at(-1).id).toBe(ids.at(-1));
});

test('the stream tells of messages and of their status as they happen', async () => {
  const stop = new AbortController();
  const response = await fetch(`${world.simulator.httpUrl}/phones/${ANA}/stream`, { signal: stop.signal });
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
  })().catch(() => undefined);
  const { id } = await world.post(`/phones/${ANA}:send`, { to: BIA, text: 'streamed' });
  await waitUntil(() => text.includes('event: status'), 'status event');
  expect(text).toContain(`"id":"${id}"`);
  expect(text).toMatch(/event: message\ndata: .*streamed/);
  stop.abort();
  await reading;
});

test('faults are listed, counted and cleared', async () => {
  const fault = await world.post('/faults', { kind: 'lost_ack', number: ANA, count: 2 });
  expect(await world.get('/faults')).toEqual([
    { id: fault.id, kind: 'lost_ack', number: ANA, count: 2, struck: 0 },
  ]);
  await world.delete(`/faults/${fault.id}`);
  expect(await world.get('/faults')).toEqual([]);
});

test.each([
  ['/', 'text/html', '<title>Ponte simulator</title>'],
  ['/app.js', 'text/javascript', 'EventSource'],
  ['/style.css', 'text/css', '.bubble'],
])('the page is served: %s', async (path, type, part) => {
  const response = await fetch(world.simulator.httpUrl + path);
  expect(response.headers.get('content-type')).toContain(type);
  expect(await response.text()).toContain(part);
});

test('a number can be anything from one to many at once', async () => {
  const answer = await world.post('/phones:bulk', { count: 1000, start: '+551190000000' });
  expect(answer.count).toBe(1000);
  expect(answer.phone_numbers.at(-1)).toBe('+551190000999');
});
