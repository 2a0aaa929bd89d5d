import type { Router } from '../handlers/router.ts';
import { type Jid, parseJid } from '../wire/jid.ts';
import { Account } from './account.ts';
import type { Device } from './device.ts';
import { type Behaviour, Phone, type PhoneLimits } from './phone.ts';

/** Brazil's numbers exist with and without their ninth digit: +55, area, [9,] eight digits. */
const BRAZIL_WITHOUT_NINE = /^55(\d{2})(\d{8})$/;
const BRAZIL_WITH_NINE = /^55(\d{2})9(\d{8})$/;

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

  /** Registered account at an address of either kind. */
  account(jid: Jid): Account | undefined {
    const account = jid.lid ? this.byLid.get(jid.user) : this.byNumber(jid.user);
    return account?.registered ? account : undefined;
  }

  /** Registered account of a number without plus; knows Brazil's two spellings. */
  registered(user: string): Account | undefined {
    const account = this.byNumber(user);
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

  private byNumber(user: string): Account | undefined {
    return this.byUser.get(user) ?? this.byUser.get(otherSpelling(user));
  }
}

function otherSpelling(user: string): string {
  if (!user.startsWith('55')) return '';
  const without = BRAZIL_WITH_NINE.exec(user);
  if (without) return `55${without[1]}${without[2]}`;
  const withNine = BRAZIL_WITHOUT_NINE.exec(user);
  return withNine ? `55${withNine[1]}9${withNine[2]}` : '';
}
