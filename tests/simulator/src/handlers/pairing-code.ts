import { createCipheriv, createDecipheriv, hkdfSync, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Phone } from '../accounts/phone.ts';
import type { Connection } from '../connection.ts';
import { ApiError } from '../control/errors.ts';
import { parseJid, SERVER_JID } from '../wire/jid.ts';
import { generateKeyPair, sharedSecret } from '../wire/keys.ts';
import { bytesOf, child, iqError, iqResult, node } from '../wire/nodes.ts';
import { pair } from './registration.ts';

const deriveKey = promisify(pbkdf2);
const ITERATIONS = 131_072;
const SALT = 32;
const CTR_IV = 16;
const GCM_IV = 12;
const GCM_TAG = 16;
const ANSWER_TIMEOUT_MS = 10_000;
const BUNDLE_KEY_INFO = 'link_code_pairing_key_bundle_encryption_key';

/** A client that waits for its eight-character code to be typed into the phone with this number. */
export interface CodeRequest {
  user: string;
  ref: Buffer;
  wrappedEphemeral: Buffer;
  /** Set while a phone waits for the client's last message. */
  finish?: (bundle: Buffer, companionIdentity: Buffer) => void;
}

/** Both of the client's messages in pairing by code; others are unknown. */
export function answerLinkCode(connection: Connection, iq: BinaryNode): BinaryNode | undefined {
  const { registration } = connection;
  const request = child(iq, 'link_code_companion_reg');
  if (!registration || !request) return iqError(iq, 400, 'bad-request');
  if (request.attrs.stage === 'companion_hello') return hello(connection, iq, request);
  const bundle = bytesOf(child(request, 'link_code_pairing_wrapped_key_bundle'));
  const identity = bytesOf(child(request, 'companion_identity_public'));
  if (!bundle || !identity || !registration.code?.finish) return iqError(iq, 400, 'bad-request');
  const { finish } = registration.code;
  // After the answer to this query, as the real server does.
  setImmediate(() => finish(bundle, identity));
  return iqResult(iq);
}

function hello({ registration }: Connection, iq: BinaryNode, request: BinaryNode): BinaryNode {
  const wrappedEphemeral = bytesOf(child(request, 'link_code_pairing_wrapped_companion_ephemeral_pub'));
  const user = parseJid(request.attrs.jid)?.user;
  if (!registration || !wrappedEphemeral || !user) return iqError(iq, 400, 'bad-request');
  const ref = randomBytes(16);
  registration.code = { user, ref, wrappedEphemeral };
  return iqResult(iq, [
    node('link_code_companion_reg', { stage: 'companion_hello' }, [node('link_code_pairing_ref', {}, ref)]),
  ]);
}

/**
 * The code is typed into the phone.
 * @returns the companion's address
 * @throws ApiError when no client waits for this number, the code is wrong, or the client does not answer
 */
export async function enterCode(
  phone: Phone,
  connections: Iterable<Connection>,
  code: string,
): Promise<string> {
  const connection = [...connections].find((c) => c.registration?.code?.user === phone.account.user);
  const registration = connection?.registration;
  const request = registration?.code;
  if (!connection || !registration || !request) {
    throw new ApiError(404, 'CODE_NOT_FOUND', 'No client waits for a code for this number.');
  }
  const companionEphemeral = await unwrap(request.wrappedEphemeral, code);
  const ephemeral = generateKeyPair();
  const { bundle, companionIdentity } = await exchange(
    connection,
    request,
    phone,
    await wrap(ephemeral.publicKey, code),
  );
  const shared = sharedSecret(ephemeral.privateKey, companionEphemeral);
  const random = openBundle(bundle, shared).subarray(64);
  const identityShared = sharedSecret(phone.identity.privateKey, companionIdentity);
  const advSecret = Buffer.from(
    hkdfSync('sha256', Buffer.concat([shared, identityShared, random]), Buffer.alloc(0), 'adv_secret', 32),
  );
  return pair(connection, registration, phone, advSecret);
}

/** Sends the phone's part and waits for the client's last message. */
function exchange(connection: Connection, request: CodeRequest, phone: Phone, wrapped: Buffer) {
  return new Promise<{ bundle: Buffer; companionIdentity: Buffer }>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new ApiError(504, 'CLIENT_SILENT', 'The client did not finish the pairing in time.')),
      ANSWER_TIMEOUT_MS,
    );
    request.finish = (bundle, companionIdentity) => {
      clearTimeout(timer);
      resolve({ bundle, companionIdentity });
    };
    const attrs = {
      id: connection.simulator.nextId(),
      from: SERVER_JID,
      type: 'link_code_companion_reg',
      t: String(Math.floor(Date.now() / 1000)),
    };
    const content = node('link_code_companion_reg', { stage: 'primary_hello' }, [
      node('link_code_pairing_wrapped_primary_ephemeral_pub', {}, wrapped),
      node('primary_identity_pub', {}, phone.identity.publicKey),
      node('link_code_pairing_ref', {}, request.ref),
    ]);
    connection.send(node('notification', attrs, [content]));
  });
}

function codeKey(code: string, salt: Buffer): Promise<Buffer> {
  return deriveKey(code, salt, ITERATIONS, 32, 'sha256');
}

async function wrap(publicKey: Buffer, code: string): Promise<Buffer> {
  const salt = randomBytes(SALT);
  const iv = randomBytes(CTR_IV);
  const cipher = createCipheriv('aes-256-ctr', await codeKey(code, salt), iv);
  return Buffer.concat([salt, iv, cipher.update(publicKey), cipher.final()]);
}

async function unwrap(wrapped: Buffer, code: string): Promise<Buffer> {
  const key = await codeKey(code, wrapped.subarray(0, SALT));
  const decipher = createDecipheriv('aes-256-ctr', key, wrapped.subarray(SALT, SALT + CTR_IV));
  return Buffer.concat([decipher.update(wrapped.subarray(SALT + CTR_IV)), decipher.final()]);
}

/** Companion identity, phone identity and random bytes, 32 each. A wrong code shows here, in the tag. */
function openBundle(bundle: Buffer, shared: Buffer): Buffer {
  const salt = bundle.subarray(0, SALT);
  const key = Buffer.from(hkdfSync('sha256', shared, salt, BUNDLE_KEY_INFO, 32));
  const decipher = createDecipheriv('aes-256-gcm', key, bundle.subarray(SALT, SALT + GCM_IV));
  decipher.setAuthTag(bundle.subarray(-GCM_TAG));
  try {
    return Buffer.concat([decipher.update(bundle.subarray(SALT + GCM_IV, -GCM_TAG)), decipher.final()]);
  } catch {
    throw new ApiError(400, 'WRONG_CODE', 'The code is not the one that the client shows.');
  }
}
