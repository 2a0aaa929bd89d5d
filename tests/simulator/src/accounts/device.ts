import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from './account.ts';

/** Public keys that let somebody start a Signal session with a device. Keys are bare 32 bytes. */
export interface KeyBundle {
  registrationId: number;
  identityKey: Buffer;
  signedPreKey: { id: number; publicKey: Buffer; signature: Buffer };
  /** Absent when the one-time keys have run out. */
  preKey?: { id: number; publicKey: Buffer };
}

/** What the server knows of a device, be it a virtual phone in this process or a linked companion on a socket. */
export interface Device {
  readonly account: Account;
  /** 0 for the phone, 1 and up for companions. */
  readonly id: number;
  /** Takes one one-time key out of the store with the others. */
  takeBundle(): KeyBundle;
  /** Hands over a stanza; companions get it again at each login until they acknowledge it. */
  deliver(stanza: BinaryNode, arrivedAtMs: number): void;
  /** Hands over something that is only worth having now (typing, presence). */
  deliverNow(stanza: BinaryNode): void;
}
