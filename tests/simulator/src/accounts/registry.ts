import type { Router } from '../handlers/router.ts';
import { type Jid, parseJid } from '../wire/jid.ts';
import { Account } from './account.ts';
import type { Device } from './device.ts';
import { type Behaviour, Phone, type PhoneLimits } from './phone.ts';

/**
 * Numbers with two spellings: Brazil's with and without their ninth digit (+55, area, [9,] eight
 * digits), Mexico's with and without a 1 (+52, [1,] ten digits).
 */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/^55(\d{2})9(\d{8})$/, '55$1$2'],
  [/^55(?<area>\d{2})(?<rest>\d{8})$/, '55$<area>9$<rest>'],
  [/^521(\d{10})$/, '52$1'],
  [/^52(\d{10})$/, '521$1'],
];

/** All numbers of the simulated WhatsApp, by phone number and by LID. */
export class Registry {
  private readonly byUser = new Map<string, Account>();
  private readonly byLid = new Map<string, Account>();
  private readonly phones = new Map<string, Phone>();

  /** Makes a number with its phone; the existing one when there is one. */
  create(number: string, name: string, router: Router, behaviour: Behaviour, limits: PhoneLimits): Phone {
    const existing = this.phones.get(number.slice(1));
    if (existing) return existing;
    const account = new Account(number, name);
    const phone = new Phone(account, router, behaviour, limits);
    account.devices.set(0, phone);
    this.byUser.set(account.user, account);
    this.byLid.set(account.lid, account);
    this.phones.set(account.user, phone);
    return phone;
  }

  all(): IterableIterator<Phone> {
    return this.phones.values();
  }

  get size(): number {
    return this.phones.size;
  }

  /** Phone of a number, with or without the plus. */
  phone(number: string): Phone | undefined {
    return this.phones.get(number.replace(/^\+/, ''));
  }

  /** Registered account at an address of either kind; an address has one spelling only. */
  account(jid: Jid): Account | undefined {
    const account = jid.lid ? this.byLid.get(jid.user) : this.byUser.get(jid.user);
    return account?.registered ? account : undefined;
  }

  /** Registered account of a number without plus, in either of its spellings. */
  registered(user: string): Account | undefined {
    const account = this.byUser.get(user) ?? this.byUser.get(otherSpelling(user));
    return account?.registered ? account : undefined;
  }

  accountAt(text: string | undefined): Account | undefined {
    const jid = parseJid(text);
    return jid && this.account(jid);
  }

  deviceAt(text: string | undefined): Device | undefined {
    const jid = parseJid(text);
    return jid && this.account(jid)?.devices.get(jid.device);
  }
}

function otherSpelling(user: string): string {
  const [pattern, other] = SPELLINGS.find(([spelling]) => spelling.test(user)) ?? [];
  return pattern && other ? user.replace(pattern, other) : '';
}
