import { randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { BoundedLog } from '../bounded.ts';
import { node } from '../wire/nodes.ts';
import type { Account } from './account.ts';
import { Companion } from './companion.ts';
import { nowSeconds } from './group.ts';
import { describe } from './messages.ts';

const CHANNEL_SERVER = '@newsletter';
const FIRST_ID = 120_363_400_000_000_000n;
const INVITE_BYTES = 12;
const MAX_POSTS = 1_000;

/** What was posted in a channel. `from` is a number in E.164. */
export interface Post {
  id: string;
  from: string;
  kind: string;
  text: string | null;
  at_ms: number;
}

/** A channel: what its owner posts reaches the linked devices of all who follow it, in the clear. */
export class Channel {
  readonly jid: string;
  readonly owner: Account;
  readonly name: string;
  readonly description: string;
  readonly invite = randomBytes(INVITE_BYTES).toString('base64url');
  readonly createdAtS = nowSeconds();
  readonly followers = new Set<Account>();
  readonly posts = new BoundedLog<Post>(MAX_POSTS);
  private lastServerId = 100;

  constructor(jid: string, owner: Account, name: string, description: string) {
    this.jid = jid;
    this.owner = owner;
    this.name = name;
    this.description = description;
  }

  roleOf(account: Account): 'OWNER' | 'SUBSCRIBER' | 'GUEST' {
    if (account === this.owner) return 'OWNER';
    return this.followers.has(account) ? 'SUBSCRIBER' : 'GUEST';
  }

  post(id: string, bytes: Uint8Array): void {
    const message = proto.Message.decode(bytes);
    const content = describe(message) ?? { kind: 'unknown', text: null };
    this.posts.add({ id, from: this.owner.number, ...content, at_ms: Date.now() });
    this.lastServerId += 1;
    const type = content.kind === 'text' ? 'text' : 'media';
    const attrs = { id, from: this.jid, type, t: String(nowSeconds()), server_id: String(this.lastServerId) };
    for (const follower of this.followers) {
      for (const device of follower.devices.values()) {
        if (device instanceof Companion) {
          device.deliver(node('message', attrs, [node('plaintext', {}, Buffer.from(bytes))]));
        }
      }
    }
  }
}

/** All channels of the simulated WhatsApp, by address and by the code of their links. */
export class Channels {
  private readonly byJid = new Map<string, Channel>();
  private nextId = FIRST_ID + BigInt(Date.now());

  create(owner: Account, name: string, description = ''): Channel {
    const channel = new Channel(`${this.nextId++}${CHANNEL_SERVER}`, owner, name, description);
    this.byJid.set(channel.jid, channel);
    return channel;
  }

  at(jid: string | undefined): Channel | undefined {
    return this.byJid.get(jid ?? '');
  }

  withInvite(code: string): Channel | undefined {
    return [...this.byJid.values()].find(({ invite }) => invite === code);
  }
}

export function isChannelJid(jid: string | undefined): boolean {
  return jid?.endsWith(CHANNEL_SERVER) === true;
}
