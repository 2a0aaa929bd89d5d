import { createHash } from 'node:crypto';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { bundleNodes } from '../accounts/key-bundle.ts';
import type { Connection } from '../connection.ts';
import { bytesOf, child, children, iqError, iqResult, node, uintBytes, uintOf } from '../wire/nodes.ts';

/** Pre-keys: how many are left, uploads, rotation, and the key bundles of others. */
export function answerKeys(connection: Connection, iq: BinaryNode): BinaryNode | undefined {
  const { device } = connection;
  if (!device) return iqError(iq, 401, 'not-authorized');
  const request = children(iq)[0];
  if (iq.attrs.type === 'set') return storeKeys(connection, iq);
  switch (request?.tag) {
    case 'count':
      return iqResult(iq, [node('count', { value: String(device.preKeyCount) })]);
    case 'digest':
      return iqResult(iq, [digest(device.preKeyCount)]);
    case 'key':
      return iqResult(iq, [node('list', {}, keyBundles(connection, request))]);
    default:
      return undefined;
  }
}

function storeKeys({ device }: Connection, iq: BinaryNode): BinaryNode {
  const rotated = child(child(iq, 'rotate'), 'skey');
  const signed = signedPreKey(rotated ?? child(iq, 'skey'));
  if (signed) device?.replaceSignedPreKey(signed);
  const preKeys = children(child(iq, 'list')).flatMap((key) => {
    const id = uintOf(child(key, 'id'));
    const publicKey = bytesOf(child(key, 'value'));
    return id !== undefined && publicKey ? [{ id, publicKey }] : [];
  });
  device?.addPreKeys(preKeys);
  return iqResult(iq);
}

function signedPreKey(skey: BinaryNode | undefined) {
  const id = uintOf(child(skey, 'id'));
  const publicKey = bytesOf(child(skey, 'value'));
  const signature = bytesOf(child(skey, 'signature'));
  return id !== undefined && publicKey && signature ? { id, publicKey, signature } : undefined;
}

/** Users that do not exist are left out: one error inside a list makes Baileys discard the whole list. */
function keyBundles(connection: Connection, request: BinaryNode): BinaryNode[] {
  const bundles: BinaryNode[] = [];
  for (const user of children(request)) {
    const jid = user.attrs.jid;
    const target = connection.simulator.registry.deviceAt(jid);
    if (!jid || !target) continue;
    if (connection.simulator.faults.take('no_keys', target.account.number)) continue;
    const bundle = target.takeBundle();
    const registration = node('registration', {}, uintBytes(bundle.registrationId, 4));
    bundles.push(
      node('user', { jid, t: Math.floor(Date.now() / 1000).toString() }, [
        registration,
        ...bundleNodes(bundle),
      ]),
    );
  }
  return bundles;
}

/** Baileys uploads its keys again when no digest comes back. */
function digest(preKeys: number): BinaryNode {
  return node('digest', {}, [node('hash', {}, createHash('sha1').update(String(preKeys)).digest())]);
}
