import { createPrivateKey, createPublicKey } from 'node:crypto';
import * as curve from 'libsignal/src/curve.js';

/** Curve25519 key pair; the public key is the bare 32 bytes. */
export interface KeyPair {
  publicKey: Buffer;
  privateKey: Buffer;
}

const PKCS8_X25519_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const KEY_TYPE = Buffer.from([5]);

/** The 33-byte form that Signal signs and stores: type byte 5, then the key. */
export function signalKey(publicKey: Uint8Array): Buffer {
  return publicKey.length === 33 ? Buffer.from(publicKey) : Buffer.concat([KEY_TYPE, publicKey]);
}

export function generateKeyPair(): KeyPair {
  const pair = curve.generateKeyPair();
  return { publicKey: Buffer.from(pair.pubKey.subarray(1)), privateKey: Buffer.from(pair.privKey) };
}

/** The key pair that belongs to 32 private bytes. */
export function keyPairFrom(privateKey: Buffer): KeyPair {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_X25519_PREFIX, privateKey]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  return { publicKey, privateKey };
}

export function sharedSecret(privateKey: Buffer, publicKey: Uint8Array): Buffer {
  return Buffer.from(curve.calculateAgreement(signalKey(publicKey), privateKey));
}

export function sign(privateKey: Buffer, message: Uint8Array): Buffer {
  return Buffer.from(curve.calculateSignature(privateKey, message));
}

/**
 * True only for a valid signature. Baileys' own `Curve.verify` must not be used for this: with libsignal 6 it
 * waits for an exception where the library returns false.
 */
export function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return curve.verifySignature(signalKey(publicKey), message, signature) === true;
}
