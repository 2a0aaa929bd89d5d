import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { Presences } from '../src/events/presences.js';
import { Presence } from '../src/generated/ponte/bridge/v1/chat.js';

const PN = '5511911111111@s.whatsapp.net';
const LID = '911@lid';
const GROUP = '120363000000000000@g.us';

function setUp() {
  const ev = new EventEmitter();
  const presenceSubscribe = vi.fn(async () => undefined);
  const told: unknown[] = [];
  const sock = { ev, presenceSubscribe } as unknown as ConstructorParameters<typeof Presences>[0];
  const presences = new Presences(sock, (content) => told.push(content));
  const show = (id: string, shown: object) => ev.emit('presence.update', { id, presences: shown });
  return { presences, presenceSubscribe, show, told, ev };
}

describe('Presences', () => {
  it('tells nothing before anybody wants to know it', async () => {
    const { presences, presenceSubscribe, show, told } = setUp();
    show(PN, { [PN]: { lastKnownPresence: 'available' } });
    await presences.watch(PN);
    expect(presenceSubscribe).toHaveBeenCalledWith(PN);
    expect(told).toEqual([]);
  });

  it('tells each change once, however many are watched', async () => {
    const { presences, show, told } = setUp();
    await presences.watch(PN);
    await presences.watch(LID);
    show(PN, { [PN]: { lastKnownPresence: 'unavailable', lastSeen: 1_700_000_000 } });
    expect(told).toEqual([
      {
        chatJid: PN,
        contactPnJid: PN,
        contactLidJid: '',
        presence: Presence.PRESENCE_UNAVAILABLE,
        lastSeenAtMs: 1_700_000_000_000,
      },
    ]);
  });

  it.each([
    ['available', Presence.PRESENCE_AVAILABLE],
    ['paused', Presence.PRESENCE_AVAILABLE],
    ['composing', Presence.PRESENCE_TYPING],
    ['recording', Presence.PRESENCE_RECORDING],
  ])('says who shows %s in a group', async (lastKnownPresence, presence) => {
    const { presences, show, told } = setUp();
    await presences.watch(GROUP);
    show(GROUP, { '911:7@lid': { lastKnownPresence } });
    const who = { contactPnJid: '', contactLidJid: LID };
    expect(told).toEqual([{ chatJid: GROUP, ...who, presence, lastSeenAtMs: 0 }]);
  });

  it('passes over what it does not know', async () => {
    const { presences, show, told } = setUp();
    await presences.watch(PN);
    show(PN, {
      [PN]: { lastKnownPresence: 'dancing' },
      's.whatsapp.net': { lastKnownPresence: 'available' },
    });
    expect(told).toEqual([]);
  });
});
