import { EventEmitter } from 'node:events';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it, vi } from 'vitest';
import { type GroupChange, readGroupChange } from '../src/groups/group-changes.js';
import { StanzaRecorder } from '../src/stanza-recorder.js';

const subject: BinaryNode = {
  tag: 'notification',
  attrs: { type: 'w:gp2', from: '1@g.us', id: 'N1', t: '1' },
  content: [{ tag: 'subject', attrs: { subject: 'Ponte' } }],
};

function setUp() {
  const ws = Object.assign(new EventEmitter(), { isOpen: true });
  const seen: BinaryNode[] = [];
  ws.on('CB:notification', (stanza: BinaryNode) => seen.push(stanza));
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const answer = new Promise<void>((...settle) => {
    [resolve, reject] = settle;
  });
  const changes: GroupChange[] = [];
  new StanzaRecorder('CB:notification', readGroupChange, (change) => {
    changes.push(change);
    return answer;
  }).takeOver(ws);
  return { ws, seen, recorded: { resolve, reject }, changes };
}

describe('StanzaRecorder', () => {
  it('hands a change to Baileys, which acknowledges it, only once it is recorded', async () => {
    const { ws, seen, recorded, changes } = setUp();
    ws.emit('CB:notification', subject);
    await new Promise(setImmediate);
    expect(changes).toHaveLength(1);
    expect(seen).toEqual([]);
    recorded.resolve();
    await vi.waitFor(() => expect(seen).toEqual([subject]));
  });

  it('keeps back what could not be recorded', async () => {
    const { ws, seen, recorded } = setUp();
    ws.emit('CB:notification', subject);
    recorded.reject(new Error('no'));
    await new Promise(setImmediate);
    expect(seen).toEqual([]);
  });

  it('keeps back what was recorded after the connection ended', async () => {
    const { ws, seen, recorded } = setUp();
    ws.emit('CB:notification', subject);
    ws.isOpen = false;
    recorded.resolve();
    await new Promise(setImmediate);
    expect(seen).toEqual([]);
  });

  it('lets other notifications through at once', () => {
    const { ws, seen, changes } = setUp();
    ws.emit('CB:notification', { ...subject, attrs: { ...subject.attrs, type: 'devices' } });
    expect(seen).toHaveLength(1);
    expect(changes).toEqual([]);
  });
});
