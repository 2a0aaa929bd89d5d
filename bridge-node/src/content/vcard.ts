import type { ContactCard } from '../generated/ponte/v1/content.js';

const MAX_LINES = 500;

/** The phone numbers (E.164) of a vCard: WhatsApp's own `waid`, else what is written with a plus. */
export function phoneNumbersOf(vcard: string): string[] {
  const numbers = vcard
    .split(/\r?\n/, MAX_LINES)
    .filter((line) => /^(item\d+\.)?TEL\b/i.test(line))
    .map((line) => {
      const account = /waid=(\d{5,15})/i.exec(line)?.[1];
      const written = line.slice(line.indexOf(':') + 1).trim();
      const digits = account ?? (written.startsWith('+') ? written.replace(/\D/g, '') : '');
      return digits ? `+${digits}` : '';
    });
  return [...new Set(numbers)].filter((number) => number !== '');
}

/** The vCard of a contact: its own, or one made of its numbers. */
export function vcardOf({ displayName, phoneNumbers, vcard }: ContactCard): string {
  if (vcard) return vcard;
  const name = displayName.replace(/[\\;,]/g, '\\$&').replace(/\r?\n/g, ' ');
  const numbers = phoneNumbers.map((number) => {
    const digits = number.replace(/\D/g, '');
    return `TEL;type=CELL;waid=${digits}:+${digits}`;
  });
  return ['BEGIN:VCARD', 'VERSION:3.0', `N:;${name};;;`, `FN:${name}`, ...numbers, 'END:VCARD'].join('\n');
}
