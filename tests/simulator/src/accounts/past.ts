import { createHash } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { lidJid, phoneJid } from '../wire/jid.ts';
import { type Account, lidOf } from './account.ts';

/** What a phone lived through before a client was linked to it; the same for the same values. */
export interface PastOptions {
  /** So many conversations, of which the last `groups` are groups. */
  chats: number;
  groups: number;
  /** In each conversation. */
  messages: number;
  /** Of each conversation every tenth message is a picture, whose file is gone. */
  files: boolean;
  /** The messages of a conversation are spread evenly over so many days before `ends_at`. */
  days: number;
  /** Seconds since the epoch. */
  ends_at: number;
  seed: number;
  /** Messages in a part that is sent to a client at once. */
  chunk: number;
}

/** A person or a group that this phone wrote with. */
interface Peer {
  /** Address of the conversation. */
  jid: string;
  name: string;
  people: { jid: string; lid: string; name: string }[];
}

const SECONDS_A_DAY = 86_400;
const GROUP_MEMBERS = 3;
const FIRST_USER = 5_531_900_000_000;
const MOST_CHATS = 100_000;
const PICTURE_EVERY = 10;
const OWN_EVERY = 3;

const { Status } = proto.WebMessageInfo;

/** Conversations of a phone, made when they are asked for. Message 0 of each is its oldest. */
export class Past {
  readonly options: PastOptions;
  private readonly account: Account;

  constructor(account: Account, options: PastOptions) {
    this.account = account;
    this.options = options;
  }

  /** A conversation without messages, as histories carry it. Every other one goes by the lid. */
  conversation(chat: number): proto.IConversation {
    const { jid, name, people } = this.peer(chat);
    const newest = this.sentAt(chat, this.options.messages - 1);
    const common = { id: jid, name, conversationTimestamp: newest };
    const [person] = people;
    if (this.isGroup(chat) || !person) return common;
    return { ...common, pnJid: person.jid, lidJid: person.lid };
  }

  people(chat: number): { jid: string; lid: string; name: string }[] {
    return this.peer(chat).people;
  }

  /** Which conversation has this address of either kind. */
  find(jid: string): number | undefined {
    for (let chat = 0; chat < this.options.chats; chat++) {
      const peer = this.peer(chat);
      if (peer.jid === jid) return chat;
      if (!this.isGroup(chat) && peer.people.some((person) => person.jid === jid || person.lid === jid)) {
        return chat;
      }
    }
    return undefined;
  }

  messageId(chat: number, index: number): string {
    const digest = createHash('sha256').update(`${this.options.seed} ${this.account.user} ${chat} ${index}`);
    return `3EB0${digest.digest('hex').slice(0, 18).toUpperCase()}`;
  }

  message(chat: number, index: number): proto.IWebMessageInfo {
    const { jid, people } = this.peer(chat);
    const fromMe = index % OWN_EVERY === OWN_EVERY - 1;
    const sender = people[index % people.length];
    const participant = this.isGroup(chat) && !fromMe ? sender?.lid : undefined;
    return {
      key: {
        remoteJid: jid,
        fromMe,
        id: this.messageId(chat, index),
        ...(participant ? { participant } : {}),
      },
      messageTimestamp: this.sentAt(chat, index),
      message: this.content(chat, index),
      status: fromMe ? Status.READ : Status.DELIVERY_ACK,
      ...(participant ? { participant } : {}),
      ...(fromMe ? {} : { pushName: sender?.name ?? '' }),
    };
  }

  private content(chat: number, index: number): proto.IMessage {
    const text = `Chat ${chat}, message ${index}`;
    if (!this.options.files || index % PICTURE_EVERY !== PICTURE_EVERY - 1) return { conversation: text };
    const digest = createHash('sha256').update(text).digest();
    return {
      imageMessage: {
        url: `https://mmg.whatsapp.net/o1/v/${digest.toString('hex')}`,
        directPath: `/o1/v/${digest.toString('hex')}`,
        mimetype: 'image/jpeg',
        caption: text,
        fileLength: 1_000,
        fileSha256: digest,
        fileEncSha256: digest,
        mediaKey: digest,
      },
    };
  }

  private sentAt(chat: number, index: number): number {
    const { days, ends_at, messages } = this.options;
    const before = Math.floor((days * SECONDS_A_DAY * (messages - index)) / messages);
    return ends_at - before + (chat % 60);
  }

  private isGroup(chat: number): boolean {
    return chat >= this.options.chats - this.options.groups;
  }

  private peer(chat: number): Peer {
    if (this.isGroup(chat)) {
      const people = Array.from({ length: GROUP_MEMBERS }, (_, member) => this.person(chat + member));
      return { jid: `1203630${this.userOf(chat)}@g.us`, name: `Group ${chat}`, people };
    }
    const person = this.person(chat);
    return { jid: chat % 2 === 0 ? person.jid : person.lid, name: person.name, people: [person] };
  }

  private person(chat: number) {
    const user = this.userOf(chat);
    return { jid: phoneJid(user), lid: lidJid(lidOf(user)), name: `Person ${chat}` };
  }

  private userOf(chat: number): string {
    return String(FIRST_USER + (this.options.seed % 1000) * MOST_CHATS + chat);
  }
}
