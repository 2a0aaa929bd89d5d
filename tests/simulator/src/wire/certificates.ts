import { createHash } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { generateKeyPair, type KeyPair, keyPairFrom, sign } from './keys.ts';

/**
 * Seed of the root key that `trust-anchor.mjs` trusts by default. It protects nothing: only processes that load
 * the trust anchor accept it.
 */
export const DEFAULT_ROOT_SEED = 'ponte simulator root key 1';

/** What a server shows in the Noise handshake: its static key and the chain that vouches for it. */
export interface ServerIdentity {
  staticKeys: KeyPair;
  certificateChain: Buffer;
  rootPublicKey: Buffer;
}

/** Root key pair of a seed. */
export function rootKeys(seed: string): KeyPair {
  return keyPairFrom(createHash('sha256').update(seed).digest());
}

/** Makes a fresh static key and signs it: root -> intermediate (issuer serial 0, which Baileys demands) -> leaf. */
export function createServerIdentity(seed: string): ServerIdentity {
  const root = rootKeys(seed);
  const intermediate = generateKeyPair();
  const staticKeys = generateKeyPair();
  const chain = proto.CertChain.encode({
    intermediate: certificate({ serial: 1, issuerSerial: 0 }, intermediate.publicKey, root),
    leaf: certificate({ serial: 2, issuerSerial: 1 }, staticKeys.publicKey, intermediate),
  }).finish();
  return { staticKeys, certificateChain: Buffer.from(chain), rootPublicKey: root.publicKey };
}

function certificate(serials: { serial: number; issuerSerial: number }, key: Buffer, issuer: KeyPair) {
  const details = proto.CertChain.NoiseCertificate.Details.encode({ ...serials, key }).finish();
  return { details, signature: sign(issuer.privateKey, details) };
}
