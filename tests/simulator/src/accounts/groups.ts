import { BoundedMap } from '../bounded.ts';
import type { Account } from './account.ts';
import { type Addressing, Group, groupIdOf, newInviteCode } from './group.ts';

const FIRST_ID = 120_363_000_000_000_000n;
const MAX_REVOKED_CODES = 10_000;

/** All groups of the simulated WhatsApp, by address and by invite code. */
export class Groups {
  private readonly byId = new Map<string, Group>();
  private readonly byCode = new Map<string, Group>();
  private readonly revoked = new BoundedMap<true>(MAX_REVOKED_CODES);
  private nextId = FIRST_ID + BigInt(Date.now());

  /** Makes a group with its creator as the only member. */
  create(creator: Account, subject: string, addressing: Addressing = 'lid'): Group {
    const group = new Group(String(this.nextId++), creator, subject, addressing);
    this.byId.set(group.id, group);
    this.byCode.set(group.inviteCode, group);
    return group;
  }

  /** Forgets a group that nobody is in any more. */
  delete(group: Group): void {
    this.byId.delete(group.id);
    this.byCode.delete(group.inviteCode);
    this.revoked.set(group.inviteCode, true);
  }

  all(): IterableIterator<Group> {
    return this.byId.values();
  }

  at(jid: string | undefined): Group | undefined {
    return this.byId.get(groupIdOf(jid) ?? '');
  }

  withId(id: string): Group | undefined {
    return this.byId.get(id);
  }

  of(account: Account): Group[] {
    return [...this.byId.values()].filter((group) => group.has(account));
  }

  /** Groups that are linked to a community. */
  linkedTo(community: Group): Group[] {
    return [...this.byId.values()].filter((group) => group.parent === community);
  }

  withCode(code: string): Group | undefined {
    return this.byCode.get(code);
  }

  wasRevoked(code: string): boolean {
    return this.revoked.get(code) === true;
  }

  replaceCode(group: Group): void {
    this.byCode.delete(group.inviteCode);
    this.revoked.set(group.inviteCode, true);
    group.inviteCode = newInviteCode();
    this.byCode.set(group.inviteCode, group);
  }
}
