import type { Companion } from '../accounts/companion.ts';
import { ApiError } from './errors.ts';
import type { Call, Route } from './http.ts';

export const deviceRoutes: Route[] = [
  { method: 'GET', path: /^\/devices$/, run: ({ simulator }) => simulator.companions().map(deviceView) },
  { method: 'DELETE', path: /^\/devices\/([^/]+)$/, run: unlinkDevice },
];

function deviceView(device: Companion) {
  return {
    phone_number: device.account.number,
    jid: device.jid,
    lid: device.lidJid,
    connected: device.connection !== undefined,
    sockets: device.connection ? 1 : 0,
    connected_at: device.connectedAtMs ? new Date(device.connectedAtMs).toISOString() : null,
    pending: device.pendingCount,
    pre_keys: device.preKeyCount,
  };
}

function unlinkDevice({ simulator, params }: Call) {
  const device = simulator.companions().find(({ jid, lidJid }) => jid === params[0] || lidJid === params[0]);
  if (!device) throw new ApiError(404, 'DEVICE_NOT_FOUND', 'There is no linked device with this address.');
  simulator.unlink(device);
  return deviceView(device);
}
