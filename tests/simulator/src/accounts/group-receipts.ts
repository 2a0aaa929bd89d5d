import type { Group } from './group.ts';
import type { MessageStatus, PhoneMessage } from './messages.ts';

export const RANK: Record<MessageStatus, number> = { received: 0, sent: 1, delivered: 2, read: 3 };

/** Everybody in the group but the sender, from whom no receipt has come. */
export function awaitedReceipts(group: Group, sender: string): Record<string, MessageStatus> {
  const others = [...group.members.keys()].filter(({ number }) => number !== sender);
  return Object.fromEntries(others.map(({ number }) => [number, 'sent' as const]));
}

/**
 * Notes one member's receipt. The message itself is delivered or read once it is so for all, as WhatsApp's ticks say.
 * @returns whether anything changed
 */
export function noteReceipt(entry: PhoneMessage, member: string, status: MessageStatus): boolean {
  const { receipts } = entry;
  const before = receipts?.[member];
  if (!receipts || !before || RANK[before] >= RANK[status]) return false;
  receipts[member] = status;
  const lowest = Math.min(...Object.values(receipts).map((one) => RANK[one]));
  entry.status = lowest >= RANK.read ? 'read' : lowest >= RANK.delivered ? 'delivered' : 'sent';
  return true;
}
