import { BufferJSON, initAuthCreds, proto } from '@whiskeysockets/baileys';
import { describe, expect, it, vi } from 'vitest';
import { type AuthChannel, AuthState } from '../src/auth-state.js';
import type { AuthKey } from '../src/generated/ponte/bridge/v1/bridge.js';

interface StoreCall {
  credentials: string | undefined;
  keys: AuthKey[];
  accept(): void;
  refuse(code: string): void;
}

class FakeChannel implements AuthChannel {
  readonly stores: StoreCall[] = [];
  readonly loads: string[][] = [];
  readonly stored = new Map<string, string>();

  store(credentials: string | undefined, keys: AuthKey[]): Promise<void> {
    return new Promise((accept, reject) => {
      this.stores.push({ credentials, keys, accept, refuse: (code) => reject(new Error(code)) });
    });
  }

  async load(type: string, ids: string[]): Promise<AuthKey[]> {
    this.loads.push(ids);
    return ids.map((id) => ({ type, id, valueJson: this.stored.get(`${type} ${id}`) }));
  }

  async call(index: number): Promise<StoreCall> {
    return vi.waitUntil(() => this.stores[index]);
  }
}

function make(credentials?: string) {
  const channel = new FakeChannel();
  const onFailure = vi.fn();
  return { channel, onFailure, auth: new AuthState(credentials, channel, onFailure) };
}

describe('what stays in memory', () => {
  it('is not the pre-keys, of which hundreds are made at once and each is read once', async () => {
    const { channel, auth } = make();
    channel.stored.set('pre-key 7', '{"kept":"in the store"}');
    void auth.keys.set({ 'pre-key': { 7: { public: new Uint8Array(1), private: new Uint8Array(1) } } });
    (await channel.call(0)).accept();
    await auth.flush();
    expect(await auth.keys.get('pre-key', ['7'])).toEqual({ 7: { kept: 'in the store' } });
    expect(await auth.keys.get('pre-key', ['7'])).toEqual({ 7: { kept: 'in the store' } });
    expect(channel.loads).toEqual([['7'], ['7']]);
  });
});

describe('a write', () => {
  it('is seen by readers only after it is durable', async () => {
    const { auth, channel } = make();
    channel.stored.set('lid-mapping 1', '"old"');
    const done = vi.fn();
    const write = Promise.resolve(auth.keys.set({ 'lid-mapping': { 1: 'new' } })).then(done);
    const call = await channel.call(0);

    expect(await auth.keys.get('lid-mapping', ['1'])).toEqual({ 1: 'old' });
    expect(done).not.toHaveBeenCalled();
    call.accept();
    await write;
    expect(await auth.keys.get('lid-mapping', ['1'])).toEqual({ 1: 'new' });
    expect(channel.loads).toHaveLength(1);
  });

  it('that is refused rejects, fails the session and never becomes visible', async () => {
    const { auth, channel, onFailure } = make();
    const write = Promise.resolve(auth.keys.set({ 'lid-mapping': { 1: 'new' } }));
    (await channel.call(0)).refuse('STALE_FENCE');

    await expect(write).rejects.toThrow('STALE_FENCE');
    expect(onFailure).toHaveBeenCalledOnce();
    expect(await auth.keys.get('lid-mapping', ['1'])).toEqual({});
    await expect(Promise.resolve(auth.keys.set({ 'lid-mapping': { 2: 'x' } }))).rejects.toThrow(
      'STALE_FENCE',
    );
    expect(channel.stores).toHaveLength(1);
  });

  it('holds all types of one set, and the credentials that changed with it', async () => {
    const { auth, channel } = make();
    auth.credentialsChanged();
    const write = auth.keys.set({
      'lid-mapping': { 1: 'a' },
      'device-list': { 2: ['0'] },
      session: { 3: null },
    });
    const call = await channel.call(0);

    expect(JSON.parse(call.credentials ?? '').registrationId).toBe(auth.creds.registrationId);
    expect(call.keys).toEqual([
      { type: 'lid-mapping', id: '1', valueJson: '"a"' },
      { type: 'device-list', id: '2', valueJson: '["0"]' },
      { type: 'session', id: '3', valueJson: undefined },
    ]);
    call.accept();
    await write;
  });

  it('waits for the one before, together with its neighbours, the later value winning', async () => {
    const { auth, channel } = make();
    const first = auth.keys.set({ 'lid-mapping': { 1: 'a' } });
    const call = await channel.call(0);
    const second = auth.keys.set({ 'lid-mapping': { 1: 'b' } });
    const third = auth.keys.set({ 'lid-mapping': { 1: 'c', 2: 'd' } });
    expect(channel.stores).toHaveLength(1);
    call.accept();
    await first;

    const next = await channel.call(1);
    expect(next.keys.map(({ id, valueJson }) => [id, valueJson])).toEqual([
      ['1', '"c"'],
      ['2', '"d"'],
    ]);
    next.accept();
    await Promise.all([second, third]);
    expect(channel.stores).toHaveLength(2);
  });

  it('is waited for by flush', async () => {
    const { auth, channel } = make();
    auth.credentialsChanged();
    const flushed = vi.fn();
    const flush = auth.flush().then(flushed);
    const call = await channel.call(0);
    expect(flushed).not.toHaveBeenCalled();
    call.accept();
    await flush;
    expect(channel.stores).toHaveLength(1);
  });
});

describe('work that runs ahead', () => {
  it('goes on at once, is seen by what follows, and is durable with its write', async () => {
    const { auth, channel } = make();
    const { value, durable } = await auth.runAhead(async () => {
      await auth.keys.set({ 'lid-mapping': { 1: 'a' } });
      return 'sent';
    });
    const done = vi.fn();
    const stored = durable.then(done);
    expect(value).toBe('sent');
    expect(await auth.keys.get('lid-mapping', ['1'])).toEqual({ 1: 'a' });
    const call = await channel.call(0);
    expect(done).not.toHaveBeenCalled();
    call.accept();
    await stored;
    expect(await auth.keys.get('lid-mapping', ['1'])).toEqual({ 1: 'a' });
    expect(channel.loads).toHaveLength(0);
  });

  it('gathers its writes behind the one under way, and stays behind later ones', async () => {
    const { auth, channel } = make();
    const first = await auth.runAhead(async () => auth.keys.set({ session: { 1: Buffer.from('a') } }));
    const call = await channel.call(0);
    const second = await auth.runAhead(async () => auth.keys.set({ session: { 1: Buffer.from('b') } }));
    const third = Promise.resolve(auth.keys.set({ session: { 1: Buffer.from('c') } }));
    expect(await auth.keys.get('session', ['1'])).toEqual({ 1: Buffer.from('b') });
    call.accept();
    await first.durable;
    (await channel.call(1)).accept();
    await Promise.all([second.durable, third]);
    expect(await auth.keys.get('session', ['1'])).toEqual({ 1: Buffer.from('c') });
    expect(channel.stores).toHaveLength(2);
  });

  it('learns of a refused write', async () => {
    const { auth, channel, onFailure } = make();
    const { durable } = await auth.runAhead(async () => auth.keys.set({ 'lid-mapping': { 1: 'a' } }));
    (await channel.call(0)).refuse('STALE_FENCE');
    await expect(durable).rejects.toThrow('STALE_FENCE');
    expect(onFailure).toHaveBeenCalledOnce();
  });

  it('waits once too much is not durable', async () => {
    const { auth, channel } = make();
    for (let index = 0; index < 64; index += 1) {
      await auth.runAhead(async () => auth.keys.set({ 'lid-mapping': { [index]: 'a' } }));
    }
    const waited = vi.fn();
    const last = auth.runAhead(async () => auth.keys.set({ 'lid-mapping': { last: 'a' } })).then(waited);
    const first = await channel.call(0);
    await new Promise(setImmediate);
    expect(waited).not.toHaveBeenCalled();
    first.accept();
    (await channel.call(1)).accept();
    await last;
    expect(channel.stores).toHaveLength(2);
  });
});

describe('a read', () => {
  it('asks once, and remembers what is absent', async () => {
    const { auth, channel } = make();
    channel.stored.set('tctoken a', JSON.stringify({ token: Buffer.from('t') }, BufferJSON.replacer));
    const [first, second] = await Promise.all([
      auth.keys.get('tctoken', ['a', 'b']),
      auth.keys.get('tctoken', ['b', 'c']),
    ]);
    expect(first).toEqual({ a: { token: Buffer.from('t') } });
    expect(second).toEqual({});
    expect(await auth.keys.get('tctoken', ['a', 'b', 'c'])).toEqual(first);
    expect(channel.loads).toEqual([['a', 'b', 'c']]);
  });

  it('does not bring back a value that a write overtook', async () => {
    const { auth, channel } = make();
    let answer: (keys: AuthKey[]) => void = () => undefined;
    vi.spyOn(channel, 'load').mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const read = auth.keys.get('lid-mapping', ['1']);
    const write = auth.keys.set({ 'lid-mapping': { 1: 'new' } });
    (await channel.call(0)).accept();
    await write;
    answer([{ type: 'lid-mapping', id: '1', valueJson: '"old"' }]);
    await read;
    expect(await auth.keys.get('lid-mapping', ['1'])).toEqual({ 1: 'new' });
  });

  it('gives each reader its own copy of what Baileys changes in place', async () => {
    const { auth, channel } = make();
    channel.stored.set('device-list u', '["0"]');
    const first = await auth.keys.get('device-list', ['u']);
    first.u?.push('7');
    expect(await auth.keys.get('device-list', ['u'])).toEqual({ u: ['0'] });
  });

  it('revives application state keys and buffers', async () => {
    const { auth, channel } = make();
    const key = proto.Message.AppStateSyncKeyData.create({ keyData: Buffer.from([1, 2]) });
    channel.stored.set('app-state-sync-key k', JSON.stringify(key, BufferJSON.replacer));
    const { k } = await auth.keys.get('app-state-sync-key', ['k']);
    expect(k).toBeInstanceOf(proto.Message.AppStateSyncKeyData);
    expect(Buffer.from(k?.keyData ?? [])).toEqual(Buffer.from([1, 2]));
  });

  it('that fails ends the session', async () => {
    const { auth, channel, onFailure } = make();
    vi.spyOn(channel, 'load').mockRejectedValueOnce(new Error('gone'));
    await expect(Promise.resolve(auth.keys.get('session', ['1']))).rejects.toThrow('gone');
    expect(onFailure).toHaveBeenCalledOnce();
  });

  it('that fails lets no write follow that may rest on it, but those before it and the credentials', async () => {
    const { auth, channel } = make();
    const before = auth.keys.set({ 'lid-mapping': { 1: 'a' } });
    vi.spyOn(channel, 'load').mockRejectedValueOnce(new Error('gone'));
    await expect(Promise.resolve(auth.keys.get('session', ['1']))).rejects.toThrow('gone');

    const after = Promise.resolve(auth.keys.set({ session: { 1: Buffer.from('new') } }));
    await expect(after).rejects.toThrow('gone');
    auth.credentialsChanged();
    (await channel.call(0)).accept();
    await before;
    const last = await channel.call(1);
    expect([last.credentials !== undefined, last.keys]).toEqual([true, []]);
    last.accept();
    await auth.flush();
  });
});

describe('credentials', () => {
  it('are kept when the number is linked', () => {
    const creds = { ...initAuthCreds(), account: { details: Buffer.from([1]) } };
    const { auth } = make(JSON.stringify(creds, BufferJSON.replacer));
    expect(auth.creds.registrationId).toBe(creds.registrationId);
    expect(auth.creds.noiseKey.public).toEqual(creds.noiseKey.public);
  });

  it('are made anew after a pairing code that nobody typed', () => {
    const creds = { ...initAuthCreds(), me: { id: '5511987654321@s.whatsapp.net' } };
    const { auth } = make(JSON.stringify(creds, BufferJSON.replacer));
    expect(auth.creds.me).toBeUndefined();
  });
});
