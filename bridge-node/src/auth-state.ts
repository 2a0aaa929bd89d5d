import {
  type AuthenticationCreds,
  BufferJSON,
  initAuthCreds,
  proto,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
} from '@whiskeysockets/baileys';
import { boundedMap } from './bounded-map.js';
import type { AuthKey } from './generated/ponte/bridge/v1/bridge.js';
import { SharedStorage } from './shared-storage.js';

/** How the state reaches its durable store: the session stream. */
export interface AuthChannel {
  /** Resolves when the write is durable; rejects when it was refused or is not known to be. */
  store(credentialsJson: string | undefined, keys: AuthKey[]): Promise<void>;
  load(type: string, ids: string[]): Promise<AuthKey[]>;
}

type KeyType = keyof SignalDataTypeMap;

/** `json` where Baileys changes what it was given, so that each reader needs a copy. */
type Cached = { absent: true } | { value: unknown } | { json: string };

interface Write {
  type: KeyType;
  id: string;
  json: string | undefined;
  value: unknown;
}

interface Batch {
  credentials: boolean;
  writes: Map<string, Write>;
  done: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

interface Load {
  ids: Set<string>;
  /** Keys written since the question was asked: the answer may be older. */
  overtaken: Set<string>;
  answer: Promise<Map<string, string | undefined>>;
}

const CHANGED_IN_PLACE: ReadonlySet<KeyType> = new Set([
  'device-list',
  'sender-key-memory',
  'app-state-sync-version',
]);
const ABSENT: Cached = { absent: true };
const CACHE_BYTES = 4 * 1024 * 1024;
/** What an entry weighs besides its characters. */
const ENTRY_BYTES = 200;
const MAX_RUNNING_AHEAD = 64;

/** Work that runs ahead of its writes, and the writes it has left behind. */
interface Ahead {
  writes: Promise<void>[];
}

/**
 * A session's authentication state. A write is done when the store says it is durable, and only then
 * seen by readers, unless it is made in `runAhead`. At most one write is under way, and what comes
 * meanwhile goes together in the next, so that writes become durable in the order they were made.
 */
export class AuthState {
  readonly creds: AuthenticationCreds;
  readonly keys: SignalKeyStore = {
    get: (type, ids) => this.#get(type, ids),
    set: (data) => this.#set(data),
  };
  readonly #cache = boundedMap<string, Cached>({ most: CACHE_BYTES });
  /** Not durable yet, but made by work that runs ahead: readers go on from these. */
  readonly #ahead = new Map<string, Write>();
  readonly #aheadContext = new SharedStorage<Ahead>();
  #runningAhead = 0;
  readonly #loads = new Set<Load>();
  readonly #gathering = new Map<KeyType, Load>();
  #next: Batch | undefined;
  #writing = false;
  #failure: Error | undefined;
  #failedRead: Error | undefined;

  constructor(
    credentialsJson: string | undefined,
    readonly channel: AuthChannel,
    /** A write was refused, or a write or read was lost: the session cannot go on. */
    readonly onFailure: (error: Error) => void,
  ) {
    this.creds = readCredentials(credentialsJson);
  }

  /**
   * Runs `work` without making it wait for its writes; `durable` resolves when they are. Whoever asked
   * for the work is answered after that, and asks again after a crash. What a refused write has shown
   * to later readers dies with the session.
   */
  async runAhead<T>(work: () => Promise<T>): Promise<{ value: T; durable: Promise<void> }> {
    const ahead: Ahead = { writes: [] };
    const value = await this.#aheadContext.run(ahead, work);
    const durable = Promise.all(ahead.writes).then(() => undefined);
    durable.catch(() => undefined);
    return { value, durable };
  }

  /** Call after each creds.update: the whole credentials are stored with what else is waiting. */
  credentialsChanged(): void {
    this.#batch().credentials = true;
  }

  /** Resolves when all writes so far are durable; rejects when one failed. */
  async flush(): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#next || this.#writing) await this.#batch().done;
  }

  async #get<T extends KeyType>(type: T, ids: string[]): Promise<{ [id: string]: SignalDataTypeMap[T] }> {
    const found: { [id: string]: SignalDataTypeMap[T] } = {};
    const missing: string[] = [];
    for (const id of ids) {
      const key = cacheKey(type, id);
      const pending = this.#ahead.get(key);
      const cached = pending ? toCached(pending) : this.#cache.get(key);
      if (!cached) missing.push(id);
      else if ('json' in cached) found[id] = decode(type, cached.json);
      else if ('value' in cached) found[id] = cached.value as SignalDataTypeMap[T];
    }
    if (missing.length === 0) return found;
    const loaded = await this.#load(type, missing);
    for (const id of missing) {
      const json = loaded.get(id);
      if (json !== undefined) found[id] = decode(type, json);
    }
    return found;
  }

  /** Reads of the same type in the same tick become one question. */
  #load(type: KeyType, ids: string[]): Promise<Map<string, string | undefined>> {
    let load = this.#gathering.get(type);
    if (!load) {
      load = { ids: new Set(), overtaken: new Set(), answer: Promise.resolve().then(() => this.#ask(type)) };
      this.#gathering.set(type, load);
    }
    for (const id of ids) load.ids.add(id);
    return load.answer;
  }

  async #ask(type: KeyType): Promise<Map<string, string | undefined>> {
    const load = this.#gathering.get(type);
    if (!load) throw new Error('no read is gathering');
    this.#gathering.delete(type);
    this.#loads.add(load);
    try {
      const answer = new Map<string, string | undefined>();
      for (const key of await this.channel.load(type, [...load.ids])) answer.set(key.id, key.valueJson);
      for (const id of load.ids) this.#remember(load, type, id, answer.get(id));
      return answer;
    } catch (error) {
      this.#failedRead ??= error as Error;
      this.onFailure(error as Error);
      throw error;
    } finally {
      this.#loads.delete(load);
    }
  }

  #remember(load: Load, type: KeyType, id: string, json: string | undefined): void {
    const key = cacheKey(type, id);
    if (load.overtaken.has(key)) return;
    this.#fill(key, { type, id, json, value: json && decode(type, json) });
  }

  /**
   * Refuses everything after a read that failed, also one that failed because the session is closing:
   * Baileys takes it for a contact without sessions, begins a new one, and would write it over all there are.
   */
  async #set(data: SignalDataSet): Promise<void> {
    if (this.#failedRead) throw this.#failedRead;
    const batch = this.#batch();
    const ahead = this.#runningAhead < MAX_RUNNING_AHEAD ? this.#aheadContext.getStore() : undefined;
    for (const type of Object.keys(data) as KeyType[]) {
      for (const [id, value] of Object.entries(data[type] ?? {})) {
        const json = value == null ? undefined : JSON.stringify(value, BufferJSON.replacer);
        const write = { type, id, json, value };
        batch.writes.set(cacheKey(type, id), write);
        if (ahead) this.#ahead.set(cacheKey(type, id), write);
      }
    }
    if (!ahead) return batch.done;
    ahead.writes.push(batch.done);
    this.#runningAhead += 1;
    const landed = () => {
      this.#runningAhead -= 1;
    };
    batch.done.then(landed, landed);
  }

  #batch(): Batch {
    if (this.#next) return this.#next;
    const { promise, resolve, reject } = withResolvers();
    // Nobody awaits a write of credentials alone; its failure is told by onFailure.
    promise.catch(() => undefined);
    this.#next = { credentials: false, writes: new Map(), done: promise, resolve, reject };
    if (this.#failure) reject(this.#failure);
    else if (!this.#writing) queueMicrotask(() => this.#write());
    return this.#next;
  }

  async #write(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    while (this.#next && !this.#failure) {
      const batch = this.#next;
      this.#next = undefined;
      await this.#writeBatch(batch);
    }
    this.#writing = false;
  }

  async #writeBatch(batch: Batch): Promise<void> {
    const writes = [...batch.writes.values()];
    if (writes.length === 0 && !batch.credentials) return batch.resolve();
    const credentials = batch.credentials ? JSON.stringify(this.creds, BufferJSON.replacer) : undefined;
    try {
      await this.channel.store(
        credentials,
        writes.map(({ type, id, json }) => ({ type, id, valueJson: json })),
      );
    } catch (error) {
      this.#fail(batch, error as Error);
      return;
    }
    for (const [key, write] of batch.writes) this.#written(key, write);
    batch.resolve();
  }

  #written(key: string, write: Write): void {
    for (const load of this.#loads) load.overtaken.add(key);
    this.#fill(key, write);
    if (!this.#next?.writes.has(key)) this.#ahead.delete(key);
  }

  #fill(key: string, write: Write): void {
    // Baileys makes 812 of them, reads each once and deletes it: they would stay for nothing, half a megabyte.
    if (write.type === 'pre-key') return;
    this.#cache.set(key, toCached(write), { size: key.length + (write.json?.length ?? 0) + ENTRY_BYTES });
  }

  #fail(batch: Batch, error: Error): void {
    this.#failure = error;
    batch.reject(error);
    this.#next?.reject(error);
    this.onFailure(error);
  }
}

function toCached({ type, json, value }: Write): Cached {
  if (json === undefined) return ABSENT;
  return CHANGED_IN_PLACE.has(type) ? { json } : { value };
}

/** Credentials that were never linked are made anew: an abandoned pairing code leaves a false `me` in them. */
function readCredentials(json: string | undefined): AuthenticationCreds {
  if (!json) return initAuthCreds();
  const creds = JSON.parse(json, BufferJSON.reviver) as AuthenticationCreds;
  return creds.account ? creds : initAuthCreds();
}

function decode<T extends KeyType>(type: T, json: string): SignalDataTypeMap[T] {
  const value = JSON.parse(json, BufferJSON.reviver);
  if (type !== 'app-state-sync-key') return value;
  return proto.Message.AppStateSyncKeyData.fromObject(value) as unknown as SignalDataTypeMap[T];
}

function cacheKey(type: KeyType, id: string): string {
  return `${type} ${id}`;
}

function withResolvers() {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
