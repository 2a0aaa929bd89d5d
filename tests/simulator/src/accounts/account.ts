import { createHash } from 'node:crypto';
import { lidJid, phoneJid } from '../wire/jid.ts';
import { AppState } from './app-state.ts';
import type { Device } from './device.ts';
import type { Past } from './past.ts';
import { goodStanding } from './standing.ts';

/**
 * One number on the simulated WhatsApp: its addresses and its devices. Device 0 is the virtual phone, the others
 * are linked companions.
 */
export class Account {
  /** E.164, with the plus. */
  readonly number: string;
  /** The number without the plus: user part of its phone address. */
  readonly user: string;
  /** User part of its LID, the same for the same number in every run. */
  readonly lid: string;
  readonly devices = new Map<number, Device>();
  readonly appState = new AppState();
  readonly standing = goodStanding();
  /** Conversations from before, where it has any. */
  past: Past | undefined;
  /** Push name that recipients see. */
  name: string;
  /** False for a number that exists here but is "not on WhatsApp". */
  registered = true;
  /** Who may add it to groups; others are told to invite. The simulator knows no contacts: it is all or nobody. */
  groupAdd: 'all' | 'contacts' = 'all';
  private nextDeviceId = 1;

  constructor(number: string, name: string) {
    this.number = number;
    this.user = number.slice(1);
    this.lid = lidOf(this.user);
    this.name = name;
  }

  jid(device = 0): string {
    return phoneJid(this.user, device);
  }

  lidJid(device = 0): string {
    return lidJid(this.lid, device);
  }

  takeDeviceId(): number {
    return this.nextDeviceId++;
  }
}

/** The LID's user part of a number without its plus. */
export function lidOf(user: string): string {
  const digits = BigInt(`0x${createHash('sha256').update(`lid ${user}`).digest('hex').slice(0, 15)}`);
  return `1${(digits % 10n ** 14n).toString().padStart(14, '0')}`;
}
