import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BoundedMap } from '../bounded.ts';
import type { Sealed } from './cipher.ts';

const MAX_FILES = 1_000;
const MAX_REMEMBERED_MESSAGES = 10_000;

/** An encrypted file; it has no name on disk, so that nothing is left of it whatever ends this process. */
export interface StoredFile {
  handle: FileHandle;
  size: number;
}

/** Files that clients and phones have uploaded, by the path that messages carry. */
export class MediaStore {
  private readonly files = new Map<string, StoredFile>();
  /** Message id -> its file, for those who ask for it anew. */
  private readonly sent = new BoundedMap<{ path: string; sealed: Sealed }>(MAX_REMEMBERED_MESSAGES);

  /** Keeps what `content` gives; the oldest file goes when there are too many. */
  async add(content: Readable): Promise<string> {
    const name = join(tmpdir(), `ponte-simulator-${randomBytes(8).toString('hex')}`);
    const handle = await open(name, 'wx+');
    await unlink(name);
    let size = 0;
    try {
      for await (const chunk of content as AsyncIterable<Buffer>) {
        await handle.write(chunk, 0, chunk.length, size);
        size += chunk.length;
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    return this.put({ handle, size });
  }

  get(path: string): StoredFile | undefined {
    return this.files.get(path);
  }

  /** Another path to the same file: what a phone gives who uploads it again. */
  again(path: string): string | undefined {
    const file = this.files.get(path);
    return file && this.put(file);
  }

  remember(messageId: string, path: string, sealed: Sealed): void {
    this.sent.set(messageId, { path, sealed });
  }

  sentWith(messageId: string) {
    return this.sent.get(messageId);
  }

  async close(): Promise<void> {
    const handles = new Set([...this.files.values()].map(({ handle }) => handle));
    this.files.clear();
    await Promise.all([...handles].map((handle) => handle.close()));
  }

  private put(file: StoredFile): string {
    const path = `/v/t62/${randomBytes(16).toString('hex')}.enc`;
    this.files.set(path, file);
    const [oldest] = this.files.keys();
    if (this.files.size > MAX_FILES && oldest) this.drop(oldest);
    return path;
  }

  private drop(path: string): void {
    const file = this.files.get(path);
    this.files.delete(path);
    const shared = [...this.files.values()].some(({ handle }) => handle === file?.handle);
    if (!shared) void file?.handle.close();
  }
}
