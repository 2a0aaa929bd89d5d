import { encodeWAMessage, proto, unpadRandomMax16 } from '@whiskeysockets/baileys';
import {
  GroupCipher,
  GroupSessionBuilder,
  SenderKeyDistributionMessage,
  SenderKeyName,
  SenderKeyRecord,
} from '@whiskeysockets/baileys/lib/Signal/Group/index.js';
import { BoundedMap } from '../bounded.ts';
import { AlreadyDecryptedError } from './cipher.ts';
import type { Device } from './device.ts';

const MAX_KEYS = 10_000;
const USED_KEY = 'Received message with old counter';

/**
 * A phone's sender keys: its own for each group, which it gives to every member's device once, and those that
 * other devices gave to it.
 */
export class SenderKeys {
  private readonly records = new BoundedMap<SenderKeyRecord>(MAX_KEYS);
  private readonly holders = new Map<string, Set<Device>>();
  private readonly own: Device;
  private readonly store = {
    loadSenderKey: async (name: SenderKeyName) => this.records.get(name.toString()) ?? new SenderKeyRecord(),
    storeSenderKey: async (name: SenderKeyName, record: SenderKeyRecord) => {
      this.records.set(name.toString(), record);
    },
  };

  constructor(own: Device) {
    this.own = own;
  }

  /** Devices that have to get this phone's key first. All of them, for a new key, once one that has it is gone. */
  lacking(groupJid: string, devices: Device[]): Device[] {
    const present = new Set(devices);
    const holders = this.holders.get(groupJid) ?? new Set();
    if (![...holders].every((device) => present.has(device))) {
      this.records.delete(nameOf(groupJid, this.own).toString());
      holders.clear();
    }
    const lacking = devices.filter((device) => !holders.has(device));
    for (const device of lacking) holders.add(device);
    this.holders.set(groupJid, holders);
    return lacking;
  }

  /** The message by which a device learns this phone's key for a group. */
  async distribution(groupJid: string): Promise<proto.IMessage> {
    const key = await new GroupSessionBuilder(this.store).create(nameOf(groupJid, this.own));
    return {
      senderKeyDistributionMessage: {
        groupId: groupJid,
        axolotlSenderKeyDistributionMessage: key.serialize(),
      },
    };
  }

  /** Encrypts for everybody who has this phone's key. */
  async encrypt(groupJid: string, message: proto.IMessage): Promise<Uint8Array> {
    const cipher = new GroupCipher(this.store, nameOf(groupJid, this.own));
    return cipher.encrypt(encodeWAMessage(proto.Message.fromObject(message)));
  }

  /** Takes a device's key out of a message that brings one. */
  async learn(sender: Device, message: proto.IMessage): Promise<void> {
    const { groupId, axolotlSenderKeyDistributionMessage: key } = message.senderKeyDistributionMessage ?? {};
    if (!groupId || !key) return;
    const distribution = new SenderKeyDistributionMessage(null, null, null, null, key);
    await new GroupSessionBuilder(this.store).process(nameOf(groupId, sender), distribution);
  }

  /** @throws AlreadyDecryptedError for a message that was decrypted before; other errors without a fitting key */
  async decrypt(groupJid: string, sender: Device, ciphertext: Uint8Array): Promise<proto.Message> {
    const cipher = new GroupCipher(this.store, nameOf(groupJid, sender));
    try {
      return proto.Message.decode(unpadRandomMax16(await cipher.decrypt(ciphertext)));
    } catch (error) {
      if (error instanceof Error && error.message.startsWith(USED_KEY)) throw new AlreadyDecryptedError();
      throw error;
    }
  }
}

function nameOf(groupJid: string, { account, id }: Device): SenderKeyName {
  return new SenderKeyName(groupJid, { id: account.lid, deviceId: id });
}
