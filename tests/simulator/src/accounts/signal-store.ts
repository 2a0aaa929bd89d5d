import { randomInt } from 'node:crypto';
import libsignal, { type SessionRecord, type SignalStorage } from 'libsignal';
import { generateKeyPair, type KeyPair, sign, signalKey } from '../wire/keys.ts';
import type { KeyBundle } from './device.ts';

const SIGNED_PRE_KEY_ID = 1;
const MAX_PRE_KEY_ID = 0xffffff;

/**
 * A virtual phone's Signal keys and sessions, in memory. Keys are made on first use, so that thousands of phones
 * cost nothing until somebody writes to them. One-time keys are made as they are asked for.
 */
export class SignalStore implements SignalStorage {
  readonly registrationId = randomInt(1, 16_380);
  private identityPair: KeyPair | undefined;
  private signedPreKey: { pair: KeyPair; signature: Buffer } | undefined;
  private readonly preKeys = new Map<number, KeyPair>();
  private readonly sessions = new Map<string, SessionRecord>();
  private nextPreKeyId = 1;

  get identity(): KeyPair {
    this.identityPair ??= generateKeyPair();
    return this.identityPair;
  }

  /** Public keys for one new session; keeps the private half of its one-time key. */
  takeBundle(): KeyBundle {
    const signed = this.signed();
    const id = this.nextPreKeyId;
    this.nextPreKeyId = id === MAX_PRE_KEY_ID ? 1 : id + 1;
    const preKey = generateKeyPair();
    this.preKeys.set(id, preKey);
    return {
      registrationId: this.registrationId,
      identityKey: this.identity.publicKey,
      signedPreKey: {
        id: SIGNED_PRE_KEY_ID,
        publicKey: signed.pair.publicKey,
        signature: signed.signature,
      },
      preKey: { id, publicKey: preKey.publicKey },
    };
  }

  forgetSession(address: string): void {
    this.sessions.delete(address);
  }

  hasSession(address: string): boolean {
    return this.sessions.get(address)?.haveOpenSession() === true;
  }

  /** A copy: libsignal changes a record before it knows that it may. */
  async loadSession(address: string): Promise<SessionRecord | undefined> {
    const record = this.sessions.get(address);
    return record && libsignal.SessionRecord.deserialize(record.serialize());
  }

  async storeSession(address: string, session: SessionRecord): Promise<void> {
    this.sessions.set(address, session);
  }

  isTrustedIdentity(): boolean {
    return true;
  }

  async loadPreKey(id: number | string) {
    return toSignal(this.preKeys.get(Number(id)));
  }

  removePreKey(id: number): void {
    this.preKeys.delete(id);
  }

  loadSignedPreKey() {
    return toSignalPair(this.signed().pair);
  }

  getOurRegistrationId(): number {
    return this.registrationId;
  }

  getOurIdentity() {
    return toSignalPair(this.identity);
  }

  private signed(): { pair: KeyPair; signature: Buffer } {
    if (!this.signedPreKey) {
      const pair = generateKeyPair();
      this.signedPreKey = {
        pair,
        signature: sign(this.identity.privateKey, signalKey(pair.publicKey)),
      };
    }
    return this.signedPreKey;
  }
}

function toSignal(pair: KeyPair | undefined) {
  return pair && toSignalPair(pair);
}

function toSignalPair(pair: KeyPair) {
  return { pubKey: signalKey(pair.publicKey), privKey: pair.privateKey };
}
