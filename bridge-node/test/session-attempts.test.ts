import { randomInt } from 'node:crypto';
import { Curve } from '@whiskeysockets/baileys';
import libsignal, { type SessionRecord } from 'libsignal';
import { describe, expect, it } from 'vitest';
import { keepSessionsFromFailedAttempts } from '../src/session-attempts.js';

keepSessionsFromFailedAttempts();

const withVersion = (key: Uint8Array) => Buffer.concat([Buffer.from([5]), key]);

/** One side of a conversation: Signal keys and sessions in memory, each record loaded as a copy as Baileys does. */
class Party {
  readonly identity = Curve.generateKeyPair();
  readonly signedPreKey = Curve.generateKeyPair();
  readonly registrationId = randomInt(1, 16_000);
  readonly #records = new Map<string, Uint8Array>();
  readonly #store = {
    loadSession: async (id: string) => {
      const stored = this.#records.get(id);
      return stored && libsignal.SessionRecord.deserialize(JSON.parse(JSON.stringify(stored)));
    },
    storeSession: async (id: string, record: SessionRecord) => {
      this.#records.set(id, record.serialize());
    },
    isTrustedIdentity: () => true,
    loadPreKey: async () => undefined,
    removePreKey: () => undefined,
    loadSignedPreKey: () => toSignal(this.signedPreKey),
    getOurRegistrationId: () => this.registrationId,
    getOurIdentity: () => toSignal(this.identity),
  };

  constructor(readonly name: string) {}

  async startSession(other: Party): Promise<void> {
    const bundle = {
      registrationId: other.registrationId,
      identityKey: withVersion(other.identity.public),
      signedPreKey: {
        keyId: 1,
        publicKey: withVersion(other.signedPreKey.public),
        signature: Curve.sign(other.identity.private, withVersion(other.signedPreKey.public)),
      },
    };
    await new libsignal.SessionBuilder(this.#store, addressOf(other)).initOutgoing(bundle as never);
  }

  async encrypt(other: Party, text: string) {
    const { type, body } = await this.#cipher(other).encrypt(Buffer.from(text));
    return { type, bytes: Buffer.from(body, 'binary') };
  }

  async decrypt(other: Party, { type, bytes }: { type: number; bytes: Buffer }): Promise<string> {
    const cipher = this.#cipher(other);
    const plain =
      type === 3 ? cipher.decryptPreKeyWhisperMessage(bytes) : cipher.decryptWhisperMessage(bytes);
    return (await plain).toString();
  }

  #cipher(other: Party) {
    return new libsignal.SessionCipher(this.#store, addressOf(other));
  }
}

function toSignal(pair: { public: Uint8Array; private: Uint8Array }) {
  return { pubKey: Buffer.from(withVersion(pair.public)), privKey: Buffer.from(pair.private) };
}

function addressOf(party: Party) {
  return new libsignal.ProtocolAddress(party.name, 0);
}

async function crossed(): Promise<[Party, Party]> {
  const [here, there] = [new Party('here'), new Party('there')];
  await here.startSession(there);
  await there.startSession(here);
  const [first, second] = [await here.encrypt(there, 'first'), await there.encrypt(here, 'second')];
  expect(await there.decrypt(here, first)).toBe('first');
  expect(await here.decrypt(there, second)).toBe('second');
  return [here, there];
}

describe('two sides that wrote to each other first at the same moment', () => {
  it('go on understanding each other, whoever writes', async () => {
    const [here, there] = await crossed();
    for (let round = 0; round < 40; round++) {
      const [out, back] = [
        await here.encrypt(there, `out ${round}`),
        await there.encrypt(here, `back ${round}`),
      ];
      expect(await there.decrypt(here, out)).toBe(`out ${round}`);
      expect(await here.decrypt(there, back)).toBe(`back ${round}`);
    }
  });

  it('are told of a message that was decrypted before by its own error', async () => {
    const [here, there] = await crossed();
    const message = await here.encrypt(there, 'once');
    await there.decrypt(here, message);
    await expect(there.decrypt(here, message)).rejects.toMatchObject({ name: 'MessageCounterError' });
  });
});
