import type { BinaryNode } from '@whiskeysockets/baileys';
import { BoundedLog } from './bounded.ts';

/** What people see of a linked number besides its messages: that it is online, types, or has read. */
export interface Activity {
  number: string;
  kind: string;
  /** The chat's jid; empty where all see it. */
  to: string;
  at_ms: number;
}

/** What linked numbers showed, the newest of it. */
export class ActivityLog extends BoundedLog<Activity> {
  /** Notes a presence, chatstate or receipt stanza that shows something. */
  note(number: string, stanza: BinaryNode): void {
    const kind = shown(stanza);
    if (kind) this.add({ number, kind, to: stanza.attrs.to ?? '', at_ms: Date.now() });
  }
}

function shown({ tag, attrs, content }: BinaryNode): string | undefined {
  if (tag === 'chatstate') return Array.isArray(content) ? content[0]?.tag : undefined;
  if (tag === 'receipt') return attrs.type?.startsWith('read') ? 'read' : undefined;
  return attrs.type === 'available' || attrs.type === 'unavailable' ? attrs.type : undefined;
}
