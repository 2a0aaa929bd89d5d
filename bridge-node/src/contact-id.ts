import { isLidUser, isPnUser, jidNormalizedUser } from '@whiskeysockets/baileys';
import type { ContactId } from './generated/ponte/bridge/v1/bridge.js';

/** Sorts jids of one contact into its pair, without device; the first of each sort wins. */
export function contactId(...jids: (string | null | undefined)[]): ContactId {
  const pair: ContactId = { pnJid: '', lidJid: '' };
  for (const jid of jids) {
    if (!jid) continue;
    const user = jidNormalizedUser(jid);
    if (isPnUser(user)) pair.pnJid ||= user;
    else if (isLidUser(user)) pair.lidJid ||= user;
  }
  return pair;
}

export interface PairLookup {
  getLIDForPN(pn: string): Promise<string | null>;
  getPNForLID(lid: string): Promise<string | null>;
}

/** Completes a pair from what Baileys has stored; a lookup that fails leaves the gap. */
export async function completePair(pair: ContactId, lookup: PairLookup): Promise<ContactId> {
  if (pair.pnJid && !pair.lidJid) {
    return contactId(pair.pnJid, await lookup.getLIDForPN(pair.pnJid).catch(() => null));
  }
  if (pair.lidJid && !pair.pnJid) {
    return contactId(pair.lidJid, await lookup.getPNForLID(pair.lidJid).catch(() => null));
  }
  return pair;
}
