import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { waitUntil } from './wait.ts';
import { World } from './world.ts';

const ANA = '+5511999990001';
const world = new World();
let client: Client;

beforeAll(async () => {
  await world.start();
  await world.post('/phones', { phone_number: ANA });
  client = await world.linked(ANA);
});
afterAll(() => world.stop());

const locks = () => client.updatesOfConnection.flatMap(({ reachoutTimeLock }) => reachoutTimeLock ?? []);

test('a number is in good standing until that is changed', async () => {
  expect(await client.socket.fetchAccountReachoutTimelock()).toMatchObject({ isActive: false });
  expect(await client.socket.fetchNewChatMessageCap()).toMatchObject({
    total_quota: -1,
    capping_status: 'NONE',
  });
});

test('a client is told of a lock and of a capping, and gets both when it asks', async () => {
  const cappings: unknown[] = [];
  client.socket.ev.on('message-capping.update', (info) => cappings.push(info));
  const before = locks().length;
  const standing = await world.patch(`/phones/${ANA}/standing`, {
    reach_out_lock: { active: true, ends_in_s: 3600 },
    new_chats: { total_quota: 20, used_quota: 4, cycle_ends_in_s: 86_400, status: 'FIRST_WARNING' },
  });
  await waitUntil(() => locks().length > before && cappings.length > 0, 'both notifications');
  const timeEnforcementEnds = new Date(standing.reach_out_lock.ends_at * 1000);
  expect(locks().at(-1)).toMatchObject({ isActive: true, timeEnforcementEnds });
  const capping = {
    total_quota: 20,
    used_quota: 4,
    cycle_end_timestamp: String(standing.new_chats.cycle_ends_at),
    capping_status: 'FIRST_WARNING',
  };
  expect(cappings).toEqual([capping]);
  expect(await client.socket.fetchAccountReachoutTimelock()).toMatchObject({ timeEnforcementEnds });
  expect(await client.socket.fetchNewChatMessageCap()).toEqual(capping);
});

test('a change can be kept from clients until they ask', async () => {
  const before = locks().length;
  await world.patch(`/phones/${ANA}/standing`, { reach_out_lock: { active: false }, tell: false });
  expect(await client.socket.fetchAccountReachoutTimelock()).toMatchObject({ isActive: false });
  expect(locks()).toHaveLength(before + 1);
  expect((await world.get(`/phones/${ANA}/standing`)).reach_out_lock.active).toBe(false);
});
