import { randomBytes } from 'node:crypto';
import type { Account } from './account.ts';
import type { Device } from './device.ts';

export type Role = 'member' | 'admin' | 'superadmin';

/** How a group's stanzas name people first; those of old groups still use phone numbers. */
export type Addressing = 'lid' | 'pn';

/** How somebody asked to be let in. */
export type RequestMethod = 'invite_link' | 'linked_group_join';

/** Who set something, and when, in seconds since the epoch. */
export interface Authored {
  by: Account;
  atS: number;
}

export interface Description extends Authored {
  id: string;
  body: string;
}

export interface Picture extends Authored {
  id: string;
  bytes: Buffer;
}

export interface JoinRequest {
  atS: number;
  method: RequestMethod;
}

/** An invitation for one person, who does not let everybody add them. */
export interface Invitation {
  code: string;
  /** Seconds since the epoch. */
  expiresAtS: number;
  admin: Account;
}

const GROUP_SERVER = 'g.us';

/** What the server knows of one group. Changes nothing by itself and tells nobody. */
export class Group {
  readonly id: string;
  readonly creator: Account;
  readonly createdAtS: number;
  readonly addressing: Addressing;
  readonly members = new Map<Account, Role>();
  /** Those who left of their own accord: they cannot be added again, only invited. */
  readonly left = new Set<Account>();
  readonly requests = new Map<Account, JoinRequest>();
  readonly invitations = new Map<Account, Invitation>();
  subject: Authored & { text: string };
  description: Description | undefined;
  picture: Picture | undefined;
  onlyAdminsSend = false;
  onlyAdminsEdit = false;
  onlyAdminsAdd = false;
  joinApproval = false;
  /** 0: messages stay. */
  ephemeralS = 0;
  inviteCode = newInviteCode();
  /** Set for a community, which is a group that others are linked to. */
  isCommunity = false;
  /** The community that it is linked to. */
  parent: Group | undefined;

  constructor(id: string, creator: Account, subject: string, addressing: Addressing) {
    const atS = nowSeconds();
    this.id = id;
    this.creator = creator;
    this.createdAtS = atS;
    this.addressing = addressing;
    this.subject = { text: subject, by: creator, atS };
    this.members.set(creator, 'superadmin');
  }

  get jid(): string {
    return `${this.id}@${GROUP_SERVER}`;
  }

  has(account: Account): boolean {
    return this.members.has(account);
  }

  isAdmin(account: Account): boolean {
    const role = this.members.get(account);
    return role === 'admin' || role === 'superadmin';
  }

  get admins(): Account[] {
    return [...this.members.keys()].filter((account) => this.isAdmin(account));
  }

  /** Every device of every member. */
  devices(): Device[] {
    return [...this.members.keys()].flatMap((account) => [...account.devices.values()]);
  }

  /** Address of a member's device as this group writes it. */
  address(account: Account, device = 0): string {
    return this.addressing === 'lid' ? account.lidJid(device) : account.jid(device);
  }
}

export function describedNow(by: Account, body: string, id = randomBytes(8).toString('hex')): Description {
  return { id, body, by, atS: nowSeconds() };
}

export function newInviteCode(): string {
  return randomBytes(16).toString('base64url');
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** User part of a group's address; undefined for any other. */
export function groupIdOf(jid: string | undefined): string | undefined {
  const [id, server] = jid?.split('@') ?? [];
  return id && server === GROUP_SERVER ? id : undefined;
}
