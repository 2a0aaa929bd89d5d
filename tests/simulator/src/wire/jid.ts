/** A WhatsApp address taken apart: `user[:device]@server`. */
export interface Jid {
  user: string;
  device: number;
  lid: boolean;
}

export const SERVER_JID = '@s.whatsapp.net';
const PHONE_SERVER = 's.whatsapp.net';
const LID_SERVER = 'lid';

/** Reads a user's address; undefined for groups, broadcasts, servers and anything malformed. */
export function parseJid(text: string | undefined): Jid | undefined {
  if (!text) return undefined;
  const at = text.indexOf('@');
  if (at <= 0) return undefined;
  const server = text.slice(at + 1);
  if (server !== PHONE_SERVER && server !== LID_SERVER) return undefined;
  const colon = text.indexOf(':');
  const hasDevice = colon > 0 && colon < at;
  return {
    user: text.slice(0, hasDevice ? colon : at),
    device: hasDevice ? Number(text.slice(colon + 1, at)) : 0,
    lid: server === LID_SERVER,
  };
}

/** Address of a phone number's device; device 0 is written without its number, as WhatsApp does. */
export function phoneJid(user: string, device = 0): string {
  return device === 0 ? `${user}@${PHONE_SERVER}` : `${user}:${device}@${PHONE_SERVER}`;
}

/** Address of a LID's device; device 0 is written without its number. */
export function lidJid(user: string, device = 0): string {
  return device === 0 ? `${user}@${LID_SERVER}` : `${user}:${device}@${LID_SERVER}`;
}
