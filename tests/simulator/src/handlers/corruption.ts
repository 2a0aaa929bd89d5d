import type { BinaryNode } from '@whiskeysockets/baileys';
import type { FaultTable } from '../faults.ts';
import { bytesOf } from '../wire/nodes.ts';

/** Distance from the end of a ciphertext that lies inside the encrypted text, before its authentication code. */
const CORRUPTED_BYTE = 18;

/** The ciphertext as it reaches a number: damaged where a fault says so. */
export function asDelivered(enc: BinaryNode, faults: FaultTable, number: string): BinaryNode {
  if (!faults.take('corrupt', number)) return enc;
  const bytes = Buffer.from(bytesOf(enc) ?? []);
  const at = Math.max(0, bytes.length - CORRUPTED_BYTE);
  if (bytes.length > 0) bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at);
  return { ...enc, content: bytes };
}
