import type { proto } from '@whiskeysockets/baileys';
import { Companion } from '../accounts/companion.ts';
import type { Connection } from '../connection.ts';
import type { FaultSpec } from '../faults.ts';
import { node } from '../wire/nodes.ts';
import { startRegistration } from './registration.ts';

const UNAUTHORIZED = 401;

/** Decides on a client that finished its handshake: registration without a username, else login. */
export function admit(connection: Connection, payload: proto.ClientPayload): void {
  if (!payload.username) {
    startRegistration(connection, payload);
    return;
  }
  const { simulator } = connection;
  const account = simulator.registry.registered(payload.username.toString());
  const device = account?.devices.get(payload.device ?? 0);
  const refusal = simulator.faults.take('login_failure', account?.number);
  if (refusal) {
    fail(connection, refusal.code ?? UNAUTHORIZED, banAttributes(refusal));
    return;
  }
  if (!(device instanceof Companion) || !device.noiseKey.equals(connection.clientStatic)) {
    fail(connection, UNAUTHORIZED);
    return;
  }
  const previous = device.connection;
  if (previous) {
    device.detach(previous);
    previous.streamError(undefined, [node('conflict', { type: 'replaced' })]);
  }
  connection.device = device;
  device.attach(connection, Date.now());
  simulator.stats.logins += 1;
  if (simulator.faults.peek('freeze', account?.number)) connection.freeze();
  connection.send(
    node('success', {
      t: Math.floor(Date.now() / 1000).toString(),
      lid: device.lidJid,
      props: '0',
      location: 'sim',
    }),
  );
}

/** The client asked to become active: what waited for it goes out, and at its first login the phone's keys. */
export function activate(connection: Connection): void {
  const { device, simulator } = connection;
  if (!device) return;
  device.goLive();
  if (device.bootstrapped) return;
  device.bootstrapped = true;
  simulator.registry.phone(device.account.user)?.bootstrap(device);
}

function banAttributes({ ban_code, expire_s }: FaultSpec): Record<string, string> {
  return {
    ...(ban_code === undefined ? {} : { code: String(ban_code) }),
    ...(expire_s === undefined ? {} : { expire: String(expire_s) }),
  };
}

function fail(connection: Connection, code: number, attributes: Record<string, string> = {}): void {
  connection.send(node('failure', { reason: String(code), location: 'sim', ...attributes }));
  connection.close();
}
