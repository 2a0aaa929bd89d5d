import type { BinaryNode } from '@whiskeysockets/baileys';
import { node, uintBytes } from '../wire/nodes.ts';
import type { KeyBundle } from './device.ts';

/** Key bundle as stanzas carry it. */
export function bundleNodes(bundle: KeyBundle): BinaryNode[] {
  const { signedPreKey, preKey } = bundle;
  const nodes = [
    node('type', {}, Buffer.from([5])),
    node('identity', {}, bundle.identityKey),
    node('skey', {}, [
      node('id', {}, uintBytes(signedPreKey.id, 3)),
      node('value', {}, signedPreKey.publicKey),
      node('signature', {}, signedPreKey.signature),
    ]),
  ];
  if (preKey) {
    const content = [node('id', {}, uintBytes(preKey.id, 3)), node('value', {}, preKey.publicKey)];
    nodes.push(node('key', {}, content));
  }
  return nodes;
}
