import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import type { Connection } from '../connection.ts';
import { SERVER_JID } from '../wire/jid.ts';
import { bytesOf, child, children, iqError, iqResult, node } from '../wire/nodes.ts';

/** App state (archived, muted, ... chats): takes a device's patches and gives the others what they lack. */
export function answerAppState(connection: Connection, iq: BinaryNode): BinaryNode | undefined {
  const { device } = connection;
  if (!device) return iqError(iq, 401, 'not-authorized');
  const collections = children(child(iq, 'sync')).map((collection) => syncCollection(connection, collection));
  return iqResult(iq, [node('sync', {}, collections)]);
}

function syncCollection(connection: Connection, collection: BinaryNode): BinaryNode {
  const { name = '', version = '0' } = collection.attrs;
  const account = connection.device?.account;
  const uploaded = bytesOf(child(collection, 'patch'));
  if (!account) return node('collection', { name });
  if (uploaded) {
    const accepted = account.appState.append(name, uploaded);
    notifyOthers(connection, name, accepted);
    return node('collection', { name, version: String(accepted) });
  }
  const patches = account.appState
    .patchesAfter(name, Number(version))
    .map((patch) => node('patch', {}, withVersion(patch.bytes, patch.version)));
  const attrs = { name, version: String(account.appState.version(name)), has_more_patches: 'false' };
  return node('collection', attrs, [node('patches', {}, patches)]);
}

/** Clients upload patches without their version; those who fetch several at once need it. */
function withVersion(bytes: Buffer, version: number): Buffer {
  const patch = proto.SyncdPatch.decode(bytes);
  patch.version = proto.SyncdVersion.create({ version });
  return Buffer.from(proto.SyncdPatch.encode(patch).finish());
}

function notifyOthers({ device, simulator }: Connection, name: string, version: number): void {
  for (const other of device?.account.devices.values() ?? []) {
    if (other === device) continue;
    const attrs = {
      id: simulator.nextId(),
      from: SERVER_JID,
      type: 'server_sync',
      t: String(Math.floor(Date.now() / 1000)),
    };
    const content = [node('collection', { name, version: String(version) })];
    other.deliver(node('notification', attrs, content), 0);
  }
}
