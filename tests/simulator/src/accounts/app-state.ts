import { randomBytes } from 'node:crypto';

/** Patches of one app-state collection (archive, mute, ...), as its devices uploaded them. */
interface Collection {
  version: number;
  patches: { version: number; bytes: Buffer }[];
}

/** App state that an account's devices share; opaque and encrypted for the server. */
export class AppState {
  private sharedKey: { id: Buffer; data: Buffer } | undefined;
  private readonly collections = new Map<string, Collection>();

  /** The key that the phone shares with each companion. */
  get key(): { id: Buffer; data: Buffer } {
    this.sharedKey ??= { id: Buffer.concat([Buffer.from([0, 0]), randomBytes(4)]), data: randomBytes(32) };
    return this.sharedKey;
  }

  version(name: string): number {
    return this.collections.get(name)?.version ?? 0;
  }

  /** Appends a patch and returns its version. */
  append(name: string, bytes: Buffer): number {
    const collection = this.collections.get(name) ?? { version: 0, patches: [] };
    this.collections.set(name, collection);
    collection.version += 1;
    collection.patches.push({ version: collection.version, bytes });
    return collection.version;
  }

  /** Patches later than the version, in order. */
  patchesAfter(name: string, version: number): { version: number; bytes: Buffer }[] {
    return this.collections.get(name)?.patches.filter((patch) => patch.version > version) ?? [];
  }
}
