import { type BinaryNode, encodeWAMessage, proto, unpadRandomMax16 } from '@whiskeysockets/baileys';
import libsignal from 'libsignal';
import { signalKey } from '../wire/keys.ts';
import { bytesOf, child, node, uintOf } from '../wire/nodes.ts';
import type { Device, KeyBundle } from './device.ts';
import { keepSessionsFromFailedAttempts } from './session-attempts.ts';
import type { SignalStore } from './signal-store.ts';

keepSessionsFromFailedAttempts();

/** Raised for a ciphertext that was decrypted before: the sender, or the server, delivered it twice. */
export class AlreadyDecryptedError extends Error {}

/** Encrypts and decrypts a phone's messages with the Signal protocol. Sessions are known by LID and device. */
export class PhoneCipher {
  private readonly store: SignalStore;

  constructor(store: SignalStore) {
    this.store = store;
  }

  /** Encrypts for one device, starting a session with its key bundle where there is none. */
  async encrypt(device: Device, message: proto.IMessage): Promise<BinaryNode> {
    if (!this.store.hasSession(addressOf(device))) await this.startSession(device, device.takeBundle());
    const cipher = new libsignal.SessionCipher(this.store, protocolAddress(device));
    const encrypted = await cipher.encrypt(encodeWAMessage(proto.Message.fromObject(message)));
    const type = encrypted.type === 3 ? 'pkmsg' : 'msg';
    return node('enc', { v: '2', type }, Buffer.from(encrypted.body, 'binary'));
  }

  /**
   * Decrypts a message's `<enc>`.
   * @throws AlreadyDecryptedError when its key was used before; other errors when there is no fitting session.
   */
  async decrypt(sender: Device, enc: BinaryNode): Promise<proto.Message> {
    const cipher = new libsignal.SessionCipher(this.store, protocolAddress(sender));
    const ciphertext = bytesOf(enc) ?? Buffer.alloc(0);
    try {
      const padded =
        enc.attrs.type === 'pkmsg'
          ? await cipher.decryptPreKeyWhisperMessage(ciphertext)
          : await cipher.decryptWhisperMessage(ciphertext);
      return proto.Message.decode(unpadRandomMax16(padded));
    } catch (error) {
      if (isUsedKey(error)) throw new AlreadyDecryptedError();
      throw error;
    }
  }

  async startSession(device: Device, bundle: KeyBundle): Promise<void> {
    const builder = new libsignal.SessionBuilder(this.store, protocolAddress(device));
    const preKey = bundle.preKey && {
      keyId: bundle.preKey.id,
      publicKey: signalKey(bundle.preKey.publicKey),
    };
    await builder.initOutgoing({
      registrationId: bundle.registrationId,
      identityKey: signalKey(bundle.identityKey),
      signedPreKey: {
        keyId: bundle.signedPreKey.id,
        publicKey: signalKey(bundle.signedPreKey.publicKey),
        signature: bundle.signedPreKey.signature,
      },
      // libsignal starts a session without a one-time key; only its types demand one.
      preKey: preKey as { keyId: number; publicKey: Uint8Array },
    });
  }

  /** Starts over with a device that could not decrypt, with the keys from its retry receipt if it sent any. */
  async restartSession(device: Device, receipt: BinaryNode): Promise<void> {
    const bundle = bundleOf(receipt) ?? device.takeBundle();
    this.store.forgetSession(addressOf(device));
    await this.startSession(device, bundle);
  }
}

function bundleOf(receipt: BinaryNode): KeyBundle | undefined {
  const keys = child(receipt, 'keys');
  const registrationId = uintOf(child(receipt, 'registration'));
  const identityKey = bytesOf(child(keys, 'identity'));
  const signed = child(keys, 'skey');
  const signedId = uintOf(child(signed, 'id'));
  const signedKey = bytesOf(child(signed, 'value'));
  const signature = bytesOf(child(signed, 'signature'));
  if (registrationId === undefined || signedId === undefined) return undefined;
  if (!identityKey || !signedKey || !signature) return undefined;
  const oneTime = child(keys, 'key');
  const id = uintOf(child(oneTime, 'id'));
  const publicKey = bytesOf(child(oneTime, 'value'));
  return {
    registrationId,
    identityKey,
    signedPreKey: { id: signedId, publicKey: signedKey, signature },
    ...(id !== undefined && publicKey ? { preKey: { id, publicKey } } : {}),
  };
}

function addressOf(device: Device): string {
  return `${device.account.lid}.${device.id}`;
}

function protocolAddress(device: Device): libsignal.ProtocolAddress {
  return new libsignal.ProtocolAddress(device.account.lid, device.id);
}

/** libsignal says so in two ways: one session tried, or each of several sessions tried in turn. */
function isUsedKey(error: unknown): boolean {
  return error instanceof Error && error.name === 'MessageCounterError';
}
