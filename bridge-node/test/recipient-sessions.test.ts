import type { AuthenticationCreds, BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it, vi } from 'vitest';
import { RecipientSessions } from '../src/commands/recipient-sessions.js';
import { GroupMemory } from '../src/groups/group-memory.js';

const GROUP = '120363000000000001@g.us';
const CHAT = '5511911111111@s.whatsapp.net';

function setUp(members: string[]) {
  const participants = members.map((jid) => ({ tag: 'participant', attrs: { jid } }));
  const group = { tag: 'group', attrs: { id: GROUP }, content: participants };
  const groups = new GroupMemory(
    async (): Promise<BinaryNode> => ({ tag: 'iq', attrs: {}, content: [group] }),
  );
  const sock = {
    getUSyncDevices: vi.fn(async (jids: string[]) => jids.map((jid) => ({ user: '', jid }))),
    assertSessions: vi.fn(async () => true),
    authState: {
      creds: { me: { id: '5511900000001:4@s.whatsapp.net', lid: '900:4@lid' } } as AuthenticationCreds,
      keys: { transaction: <T>(work: () => Promise<T>) => work() },
    },
  };
  return { sock, groups, recipients: new RecipientSessions(sock, groups) };
}

describe('RecipientSessions', () => {
  it('asks about all members of a group at once, and about each once', async () => {
    const members = ['900@lid', ...Array.from({ length: 200 }, (_, number) => `9${number}@lid`)];
    const { sock, recipients } = setUp(members);
    await recipients.prepare(GROUP);
    await recipients.prepare(GROUP);
    expect(sock.getUSyncDevices.mock.calls).toEqual([[members, false, false]]);
    expect(sock.assertSessions.mock.calls).toEqual([[members]]);
  });

  it('asks about those whom a status is shown to', async () => {
    const { sock, recipients } = setUp([]);
    await recipients.prepare('status@broadcast', [CHAT]);
    expect(sock.getUSyncDevices.mock.calls).toEqual([[[CHAT], false, false]]);
  });

  it('asks only about who came', async () => {
    const { sock, recipients } = setUp(['900@lid', CHAT]);
    await recipients.prepare(CHAT);
    await recipients.prepare(GROUP);
    expect(sock.getUSyncDevices.mock.calls.map(([jids]) => jids)).toEqual([
      ['5511900000001@s.whatsapp.net', CHAT],
      ['900@lid'],
    ]);
  });
});
