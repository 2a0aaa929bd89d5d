import type { BinaryNode } from '@whiskeysockets/baileys';
import { SERVER_JID } from './jid.ts';

/** Attributes of a stanza. Values must be strings: the codec counts other types but does not write them. */
export type Attributes = Record<string, string>;

/** Builds a stanza. */
export function node(tag: string, attrs: Attributes = {}, content?: BinaryNode['content']): BinaryNode {
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}

/** All child stanzas; empty when the content is bytes, text or nothing. */
export function children(parent: BinaryNode | undefined): BinaryNode[] {
  return Array.isArray(parent?.content) ? parent.content : [];
}

/** First child with the tag. */
export function child(parent: BinaryNode | undefined, tag: string): BinaryNode | undefined {
  if (!Array.isArray(parent?.content)) return undefined;
  for (const candidate of parent.content) if (candidate.tag === tag) return candidate;
  return undefined;
}

/** Bytes of a stanza's content; undefined when it has children or nothing. */
export function bytesOf(parent: BinaryNode | undefined): Buffer | undefined {
  const content = parent?.content;
  if (typeof content === 'string') return Buffer.from(content);
  if (content instanceof Uint8Array) return Buffer.isBuffer(content) ? content : Buffer.from(content);
  return undefined;
}

/** Unsigned big-endian integer from a stanza's bytes. */
export function uintOf(parent: BinaryNode | undefined): number | undefined {
  const bytes = bytesOf(parent);
  if (!bytes || bytes.length === 0 || bytes.length > 6) return undefined;
  return bytes.readUIntBE(0, bytes.length);
}

/** Writes an unsigned big-endian integer of the given length in bytes. */
export function uintBytes(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}

/** Answer to an iq. */
export function iqResult(request: BinaryNode, content?: BinaryNode[]): BinaryNode {
  return node('iq', { from: SERVER_JID, type: 'result', id: request.attrs.id ?? '' }, content);
}

/** Error answer to an iq. */
export function iqError(request: BinaryNode, code: number, text: string): BinaryNode {
  return node('iq', { from: SERVER_JID, type: 'error', id: request.attrs.id ?? '' }, [
    node('error', { code: String(code), text }),
  ]);
}
