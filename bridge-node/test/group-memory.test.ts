import { Boom } from '@hapi/boom';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it, vi } from 'vitest';
import { GroupMemory, NoGroupError } from '../src/groups/group-memory.js';

const GROUP = '120363000000000001@g.us';
const described = (subject: string): BinaryNode => ({
  tag: 'iq',
  attrs: {},
  content: [{ tag: 'group', attrs: { id: '120363000000000001', subject } }],
});

function setUp() {
  const ask = vi.fn(async (): Promise<BinaryNode> => described('Ponte'));
  return { ask, groups: new GroupMemory(ask) };
}

describe('GroupMemory', () => {
  it('asks once for all who want to know at the same time', async () => {
    const { ask, groups } = setUp();
    const found = await Promise.all([groups.get(GROUP), groups.get(GROUP)]);
    expect(found.map(({ subject }) => subject)).toEqual(['Ponte', 'Ponte']);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('asks again after a change', async () => {
    const { ask, groups } = setUp();
    await groups.get(GROUP);
    ask.mockResolvedValue(described('Ponte 2'));
    groups.forget(GROUP);
    expect((await groups.get(GROUP)).subject).toBe('Ponte 2');
  });

  it('does not keep an answer that was on its way when a change was told', async () => {
    const { ask, groups } = setUp();
    let answer: (stanza: BinaryNode) => void = () => undefined;
    ask.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    const before = groups.get(GROUP);
    groups.forget(GROUP);
    answer(described('as it was'));
    expect((await before).subject).toBe('as it was');
    expect((await groups.get(GROUP)).subject).toBe('Ponte');
  });

  it('keeps no failure', async () => {
    const { ask, groups } = setUp();
    ask.mockRejectedValueOnce(new Boom('item-not-found', { data: 404 }));
    const error = await groups.get(GROUP).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NoGroupError);
    expect(error).toMatchObject({ code: 404, isGone: true });
    expect((await groups.get(GROUP)).subject).toBe('Ponte');
  });

  it('tells a refusal from a question that failed', async () => {
    const { ask, groups } = setUp();
    const slowDown = new Boom('slow down', { data: 429 });
    ask.mockRejectedValueOnce(slowDown);
    await expect(groups.get(GROUP)).rejects.toBe(slowDown);
    ask.mockRejectedValueOnce(new Boom('forbidden', { data: 403 }));
    await expect(groups.get(GROUP)).rejects.toMatchObject({ code: 403, isGone: false });
  });
});
