import type { BinaryNode, proto } from '@whiskeysockets/baileys';
import { bytesOf, child, children, node } from '../wire/nodes.ts';
import { AlreadyDecryptedError, type PhoneCipher } from './cipher.ts';
import type { Device } from './device.ts';
import type { Group } from './group.ts';
import { SenderKeys } from './sender-keys.ts';

/** A phone's side of messages in groups: makes their stanzas and opens them. */
export class PhoneGroups {
  private readonly own: Device;
  private readonly cipher: PhoneCipher;
  private readonly keys: SenderKeys;

  constructor(own: Device, cipher: PhoneCipher) {
    this.own = own;
    this.cipher = cipher;
    this.keys = new SenderKeys(own);
  }

  /** A message for all devices in the group, with this phone's key for those that lack it. */
  async seal(group: Group, message: proto.IMessage, id: string): Promise<BinaryNode> {
    const devices = group.devices().filter((device) => device !== this.own);
    const lacking = this.keys.lacking(group.jid, devices);
    const distribution = await this.keys.distribution(group.jid);
    const copies: BinaryNode[] = [];
    for (const device of lacking) {
      const jid = group.address(device.account, device.id);
      copies.push(node('to', { jid }, [await this.cipher.encrypt(device, distribution)]));
    }
    const ciphertext = await this.keys.encrypt(group.jid, message);
    const content = [node('enc', { v: '2', type: 'skmsg' }, ciphertext)];
    if (copies.length > 0) content.push(node('participants', {}, copies));
    return node('message', attributes(group, message, id), content);
  }

  /** A message anew for one device that could not open it, together with the key for those that follow. */
  async sealAgain(
    group: Group,
    device: Device,
    message: proto.IMessage,
    receipt: BinaryNode,
  ): Promise<BinaryNode> {
    await this.cipher.restartSession(device, receipt);
    const whole = { ...message, ...(await this.keys.distribution(group.jid)) };
    const own = device.account === this.own.account;
    const copy = { deviceSentMessage: { destinationJid: group.jid, message: whole } };
    const enc = await this.cipher.encrypt(device, own ? copy : whole);
    enc.attrs.count = child(receipt, 'retry')?.attrs.count ?? '1';
    const participant = group.address(device.account, device.id);
    const attrs = attributes(group, message, receipt.attrs.id ?? '');
    return node('message', { ...attrs, participant }, [enc]);
  }

  /**
   * Opens all that a message carries, the sender's key before what it encrypts.
   * @throws AlreadyDecryptedError when all of it was opened before; other errors when a part cannot be opened
   */
  async open(groupJid: string, sender: Device, stanza: BinaryNode): Promise<proto.IMessage> {
    let opened: proto.IMessage | undefined;
    for (const enc of children(stanza).filter(({ tag }) => tag === 'enc')) {
      try {
        const message = await this.decrypt(groupJid, sender, enc);
        await this.keys.learn(sender, message);
        opened = { ...opened, ...message };
      } catch (error) {
        if (!(error instanceof AlreadyDecryptedError)) throw error;
      }
    }
    if (!opened) throw new AlreadyDecryptedError();
    return opened;
  }

  private async decrypt(groupJid: string, sender: Device, enc: BinaryNode): Promise<proto.IMessage> {
    if (enc.attrs.type === 'skmsg') {
      return this.keys.decrypt(groupJid, sender, bytesOf(enc) ?? Buffer.alloc(0));
    }
    const message = await this.cipher.decrypt(sender, enc);
    return message.deviceSentMessage?.message ?? message;
  }
}

function attributes(group: Group, message: proto.IMessage, id: string) {
  const type = message.reactionMessage ? 'reaction' : 'text';
  return { id, to: group.jid, type, addressing_mode: group.addressing };
}
