import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { generateKeyPair, type KeyPair, sharedSecret } from './keys.ts';

const MODE = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0');
const TAG_LENGTH = 16;
const NO_DATA = Buffer.alloc(0);

/** Two-way AES-GCM after the handshake: a counter in the last four bytes of the IV, no additional data. */
export class Transport {
  private readonly sendKey: Buffer;
  private readonly receiveKey: Buffer;
  private sent = 0;
  private received = 0;

  constructor(sendKey: Buffer, receiveKey: Buffer) {
    this.sendKey = sendKey;
    this.receiveKey = receiveKey;
  }

  encrypt(plaintext: Buffer): Buffer {
    return encrypt(this.sendKey, this.sent++, plaintext, NO_DATA);
  }

  decrypt(ciphertext: Buffer): Buffer {
    return decrypt(this.receiveKey, this.received++, ciphertext, NO_DATA);
  }
}

/** Answer of the server in Noise XX: its ephemeral key, and its encrypted static key and certificate chain. */
export interface ServerHello {
  ephemeral: Buffer;
  static: Buffer;
  payload: Buffer;
}

/** Responder's side of Noise_XX_25519_AESGCM_SHA256 as WhatsApp uses it. One instance per connection. */
export class NoiseResponder {
  private hash: Buffer = MODE;
  private salt: Buffer = MODE;
  private key: Buffer = MODE;
  private counter = 0;
  private readonly ephemeral = generateKeyPair();

  /** @param header the client's protocol header (`WA`, 6, dictionary version), part of the transcript. */
  constructor(header: Buffer) {
    this.authenticate(header);
  }

  /** First answer, to the client's ephemeral key. */
  hello(clientEphemeral: Uint8Array, staticKeys: KeyPair, certificateChain: Buffer): ServerHello {
    this.authenticate(clientEphemeral);
    this.authenticate(this.ephemeral.publicKey);
    this.mix(sharedSecret(this.ephemeral.privateKey, clientEphemeral));
    const encryptedStatic = this.seal(staticKeys.publicKey);
    this.mix(sharedSecret(staticKeys.privateKey, clientEphemeral));
    return {
      ephemeral: this.ephemeral.publicKey,
      static: encryptedStatic,
      payload: this.seal(certificateChain),
    };
  }

  /** Reads the client's last handshake message; throws when it does not authenticate. */
  finish(clientFinish: { static: Uint8Array; payload: Uint8Array }): {
    clientStatic: Buffer;
    payload: Buffer;
    transport: Transport;
  } {
    const clientStatic = this.open(Buffer.from(clientFinish.static));
    this.mix(sharedSecret(this.ephemeral.privateKey, clientStatic));
    const payload = this.open(Buffer.from(clientFinish.payload));
    const [fromClient, toClient] = this.derive(NO_DATA);
    return { clientStatic, payload, transport: new Transport(toClient, fromClient) };
  }

  private authenticate(data: Uint8Array): void {
    this.hash = createHash('sha256').update(this.hash).update(data).digest();
  }

  private mix(secret: Buffer): void {
    [this.salt, this.key] = this.derive(secret);
    this.counter = 0;
  }

  private derive(secret: Buffer): [Buffer, Buffer] {
    const bytes = Buffer.from(hkdfSync('sha256', secret, this.salt, NO_DATA, 64));
    return [bytes.subarray(0, 32), bytes.subarray(32)];
  }

  private seal(plaintext: Buffer): Buffer {
    const ciphertext = encrypt(this.key, this.counter++, plaintext, this.hash);
    this.authenticate(ciphertext);
    return ciphertext;
  }

  private open(ciphertext: Buffer): Buffer {
    const plaintext = decrypt(this.key, this.counter++, ciphertext, this.hash);
    this.authenticate(ciphertext);
    return plaintext;
  }
}

function ivOf(counter: number): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  return iv;
}

function encrypt(key: Buffer, counter: number, plaintext: Buffer, additional: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, ivOf(counter));
  cipher.setAAD(additional);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, counter: number, ciphertext: Buffer, additional: Buffer): Buffer {
  const end = ciphertext.length - TAG_LENGTH;
  if (end < 0) throw new Error('ciphertext shorter than its tag');
  const decipher = createDecipheriv('aes-256-gcm', key, ivOf(counter));
  decipher.setAAD(additional);
  decipher.setAuthTag(ciphertext.subarray(end));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, end)), decipher.final()]);
}
