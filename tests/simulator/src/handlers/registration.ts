import { createHmac, randomBytes } from 'node:crypto';
import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import { Companion, type CompanionKeys, type CompanionWishes } from '../accounts/companion.ts';
import type { Phone } from '../accounts/phone.ts';
import type { Connection } from '../connection.ts';
import { ApiError } from '../control/errors.ts';
import { SERVER_JID } from '../wire/jid.ts';
import { isSignedBy, sign } from '../wire/keys.ts';
import { bytesOf, child, node } from '../wire/nodes.ts';
import type { CodeRequest } from './pairing-code.ts';

const REFS = 6;
const ACCOUNT_SIGNATURE_PREFIX = Buffer.from([6, 0]);
const DEVICE_SIGNATURE_PREFIX = Buffer.from([6, 1]);
const RESTART_REQUIRED = 515;

/** A client that asks to be linked. */
export interface Registration {
  keys: CompanionKeys;
  wishes: CompanionWishes;
  refs: string[];
  /** Present once the client has asked to be linked by a code instead. */
  code?: CodeRequest;
  /** Present from the scan until the client has confirmed. */
  pairing?: { phone: Phone; deviceId: number; details: Buffer; iqId: string };
}

/** Fields of a QR code as Baileys draws it, with or without the address in front. */
interface QrCode {
  ref: string;
  noiseKey: Buffer;
  identityKey: Buffer;
  advSecret: Buffer;
}

/** Offers six references, each good for one QR code, to a client without an account. */
export function startRegistration(connection: Connection, payload: proto.ClientPayload): void {
  const data = payload.devicePairingData;
  if (!data?.eIdent || !data.eRegid || !data.eSkeyId || !data.eSkeyVal || !data.eSkeySig) {
    throw new Error('registration without keys');
  }
  const signedId = Buffer.from(data.eSkeyId);
  const refs = Array.from({ length: REFS }, () => `2@${randomBytes(48).toString('base64')}`);
  connection.registration = {
    refs,
    wishes: { wholeHistory: wantsWholeHistory(data.deviceProps) },
    keys: {
      noiseKey: connection.clientStatic,
      registrationId: Buffer.from(data.eRegid).readUInt32BE(0),
      identityKey: Buffer.from(data.eIdent),
      signedPreKey: {
        id: signedId.readUIntBE(0, signedId.length),
        publicKey: Buffer.from(data.eSkeyVal),
        signature: Buffer.from(data.eSkeySig),
      },
    },
  };
  for (const ref of refs) connection.simulator.waiting.set(ref, connection);
  const content = refs.map((ref) => node('ref', {}, Buffer.from(ref)));
  connection.send(
    node('iq', { from: SERVER_JID, type: 'set', id: connection.simulator.nextId(), xmlns: 'md' }, [
      node('pair-device', {}, content),
    ]),
  );
}

/** Drops the references of a client that went away or was paired. */
export function endRegistration(connection: Connection): void {
  for (const ref of connection.registration?.refs ?? []) connection.simulator.waiting.delete(ref);
}

/**
 * The phone scans a QR code: signs the companion's identity and sends it pair-success.
 * @returns the companion's address
 * @throws ApiError when the code is unreadable, expired, or not the client's own
 */
export function scan(phone: Phone, connections: Map<string, Connection>, qr: string): string {
  const code = readQrCode(qr);
  const connection = connections.get(code.ref);
  const registration = connection?.registration;
  if (!connection || !registration) {
    throw new ApiError(404, 'QR_NOT_FOUND', 'No client waits with this QR code; it may have expired.');
  }
  const { keys } = registration;
  if (!keys.noiseKey.equals(code.noiseKey) || !keys.identityKey.equals(code.identityKey)) {
    throw new ApiError(400, 'QR_MISMATCH', 'The keys in the QR code are not those of the waiting client.');
  }
  if (registration.pairing) throw new ApiError(409, 'QR_USED', 'This QR code was scanned already.');
  return pair(connection, registration, phone, code.advSecret);
}

/** Sends pair-success. Used by both ways to pair, which differ in how the phone learns the secret. */
export function pair(
  connection: Connection,
  registration: Registration,
  phone: Phone,
  advSecret: Buffer,
): string {
  const { account } = phone;
  const deviceId = account.takeDeviceId();
  const details = Buffer.from(
    proto.ADVDeviceIdentity.encode({
      rawId: randomBytes(4).readUInt32BE(0),
      timestamp: Math.floor(Date.now() / 1000),
      keyIndex: deviceId,
      accountType: proto.ADVEncryptionType.E2EE,
      deviceType: proto.ADVEncryptionType.E2EE,
    }).finish(),
  );
  const { publicKey, privateKey } = phone.identity;
  const signed = Buffer.concat([ACCOUNT_SIGNATURE_PREFIX, details, registration.keys.identityKey]);
  const identity = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: publicKey,
    accountSignature: sign(privateKey, signed),
  }).finish();
  const content = proto.ADVSignedDeviceIdentityHMAC.encode({
    details: identity,
    hmac: createHmac('sha256', advSecret).update(identity).digest(),
  }).finish();
  const iqId = connection.simulator.nextId();
  registration.pairing = { phone, deviceId, details, iqId };
  endRegistration(connection);
  connection.send(
    node('iq', { from: SERVER_JID, type: 'set', id: iqId, xmlns: 'md', t: nowSeconds() }, [
      node('pair-success', {}, [
        node('device-identity', {}, content),
        node('device', { jid: account.jid(deviceId), lid: account.lidJid(deviceId) }),
        node('platform', { name: 'android' }),
      ]),
    ]),
  );
  return account.jid(deviceId);
}

/** The client's answer to pair-success: checks its signature, adds the device and asks it to connect again. */
export function confirmPairing(connection: Connection, answer: BinaryNode): void {
  const { registration, simulator } = connection;
  const pairing = registration?.pairing;
  if (!registration || !pairing || answer.attrs.id !== pairing.iqId) return;
  const encoded = bytesOf(child(child(answer, 'pair-device-sign'), 'device-identity'));
  const signature = encoded && proto.ADVSignedDeviceIdentity.decode(encoded).deviceSignature;
  const { phone, deviceId, details } = pairing;
  const signed = Buffer.concat([
    DEVICE_SIGNATURE_PREFIX,
    details,
    registration.keys.identityKey,
    phone.identity.publicKey,
  ]);
  if (!signature || !isSignedBy(registration.keys.identityKey, signed, Buffer.from(signature))) {
    throw new Error('the client did not sign its device identity');
  }
  const companion = new Companion(
    phone.account,
    deviceId,
    registration.keys,
    registration.wishes,
    simulator.options.maxPendingPerDevice,
  );
  phone.account.devices.set(deviceId, companion);
  connection.registration = undefined;
  simulator.stats.pairings += 1;
  simulator.log(`paired device ${deviceId}`);
  connection.streamError(RESTART_REQUIRED);
}

function wantsWholeHistory(deviceProps: Uint8Array | null | undefined): boolean {
  return deviceProps ? proto.DeviceProps.decode(deviceProps).requireFullSync === true : false;
}

function readQrCode(text: string): QrCode {
  const fields = text.trim().split('#').pop()?.split(',') ?? [];
  const [ref, noiseKey, identityKey, advSecret] = fields;
  if (!ref || !noiseKey || !identityKey || !advSecret) {
    throw new ApiError(400, 'INVALID_QR', 'A QR code has the fields ref, noise key, identity key, secret.');
  }
  const key = (field: string) => Buffer.from(field, 'base64');
  return { ref, noiseKey: key(noiseKey), identityKey: key(identityKey), advSecret: key(advSecret) };
}

function nowSeconds(): string {
  return Math.floor(Date.now() / 1000).toString();
}
