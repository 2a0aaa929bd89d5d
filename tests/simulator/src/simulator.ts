import { createServer, type Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { Channels } from './accounts/channels.ts';
import { Companion } from './accounts/companion.ts';
import { Groups } from './accounts/groups.ts';
import type { Behaviour, Phone } from './accounts/phone.ts';
import { Registry } from './accounts/registry.ts';
import { ActivityLog } from './activity.ts';
import { BoundedLog } from './bounded.ts';
import { Connection } from './connection.ts';
import { createControlServer } from './control/http.ts';
import { type FaultSpec, FaultTable } from './faults.ts';
import { GroupRouter } from './handlers/group-messages.ts';
import { type Arrival, Router } from './handlers/router.ts';
import { createMediaServer } from './media/server.ts';
import { MediaStore } from './media/store.ts';
import { Stats } from './stats.ts';
import { createServerIdentity, DEFAULT_ROOT_SEED } from './wire/certificates.ts';
import { node } from './wire/nodes.ts';

/** Limits and defaults of a simulator. */
export interface SimulatorOptions {
  host: string;
  /** 0 takes a free port. */
  wsPort: number;
  httpPort: number;
  rootSeed: string;
  /** Messages that each phone remembers. */
  maxMessagesPerPhone: number;
  /** Arrivals that the server remembers. */
  maxArrivals: number;
  /** Unacknowledged stanzas kept for each companion. */
  maxPendingPerDevice: number;
  /** Default wait before a phone's delivery receipt. */
  receiptDelayMs: number;
  log: (line: string) => void;
}

export const DEFAULT_OPTIONS: SimulatorOptions = {
  host: '127.0.0.1',
  wsPort: 0,
  httpPort: 0,
  rootSeed: DEFAULT_ROOT_SEED,
  maxMessagesPerPhone: 10_000,
  maxArrivals: 200_000,
  maxPendingPerDevice: 100_000,
  receiptDelayMs: 150,
  log: () => undefined,
};

const WEBSOCKET_PATH = '/ws/chat';
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** A WhatsApp server: numbers, sockets, faults, and the HTTP interface by which one drives it. */
export class Simulator {
  readonly options: SimulatorOptions;
  readonly registry = new Registry();
  readonly groups = new Groups();
  readonly channels = new Channels();
  readonly faults = new FaultTable();
  readonly stats = new Stats();
  readonly media = new MediaStore();
  readonly arrivals: BoundedLog<Arrival>;
  readonly activity: ActivityLog;
  readonly router: Router;
  readonly connections = new Set<Connection>();
  /** Clients that wait to be paired, by the references in their QR codes. */
  readonly waiting = new Map<string, Connection>();
  readonly rootPublicKey: Buffer;
  private readonly webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
  });
  private readonly webSocketServer: Server;
  private readonly controlServer: Server;
  private readonly mediaServer: TlsServer;
  private readonly identity;
  private lastId = 0;

  constructor(options: Partial<SimulatorOptions> = {}) {
    this.options = { ...DEFAULT_OPTIONS, ...options };
    this.identity = createServerIdentity(this.options.rootSeed);
    this.rootPublicKey = this.identity.rootPublicKey;
    this.arrivals = new BoundedLog(this.options.maxArrivals);
    this.activity = new ActivityLog(this.options.maxArrivals);
    const files = { store: this.media, url: () => this.mediaUrl };
    const groups = new GroupRouter(this.groups, this.registry, this.stats, this.faults);
    this.router = new Router(this.registry, this.arrivals, this.stats, this.faults, files, groups);
    this.webSocketServer = createServer((_request, response) => response.writeHead(404).end());
    this.webSocketServer.on('upgrade', (request, socket, head) => {
      if (request.url?.split('?')[0] !== WEBSOCKET_PATH) return refuse(socket, 404);
      const refusal = this.faults.take('refuse');
      if (refusal) return refuse(socket, refusal.code ?? 503);
      this.webSockets.handleUpgrade(request, socket, head, (client) => {
        this.connections.add(new Connection(this, client, this.identity));
      });
    });
    this.controlServer = createControlServer(this);
    this.mediaServer = createMediaServer(this);
  }

  get wsUrl(): string {
    return `ws://${this.options.host}:${portOf(this.webSocketServer)}${WEBSOCKET_PATH}`;
  }

  get httpUrl(): string {
    return `http://${this.options.host}:${portOf(this.controlServer)}`;
  }

  /** Where files are uploaded to and downloaded from. */
  get mediaUrl(): string {
    return `https://${this.options.host}:${portOf(this.mediaServer)}`;
  }

  /** Opens all ports. Rejects when one is taken. */
  async start(): Promise<this> {
    const { host, wsPort, httpPort } = this.options;
    await listen(this.webSocketServer, host, wsPort);
    await listen(this.controlServer, host, httpPort);
    await listen(this.mediaServer, host, 0);
    return this;
  }

  /** Cuts all sockets and closes all ports. */
  async stop(): Promise<void> {
    for (const connection of [...this.connections]) connection.cut();
    this.webSockets.close();
    await Promise.all([this.webSocketServer, this.controlServer, this.mediaServer].map(closeServer));
    await this.media.close();
  }

  createPhone(number: string, name = number): Phone {
    const behaviour: Behaviour = {
      auto_reply: { text: null, delay_ms: 0 },
      auto_delivery_receipt: true,
      auto_read: false,
      receipt_delay_ms: this.options.receiptDelayMs,
      addressing: 'pn',
    };
    return this.registry.create(number, name, this.router, behaviour, {
      maxMessages: this.options.maxMessagesPerPhone,
    });
  }

  /** All linked companions. */
  companions(): Companion[] {
    const companions: Companion[] = [];
    for (const phone of this.registry.all()) {
      for (const device of phone.account.devices.values()) {
        if (device instanceof Companion) companions.push(device);
      }
    }
    return companions;
  }

  /** The phone's owner removes a linked device: its socket is closed with 401, and so is each later login. */
  unlink(device: Companion): void {
    device.account.devices.delete(device.id);
    device.connection?.streamError(401, [node('conflict', { type: 'device_removed' })]);
  }

  /** Adds a fault; those that mean the present sockets strike at once. */
  addFault(spec: FaultSpec) {
    const meant = () => [...this.connections].filter((c) => !spec.number || c.number === spec.number);
    switch (spec.kind) {
      case 'cut':
        for (const connection of meant()) connection.cut();
        return { ...spec, id: 0, struck: 1 };
      case 'stream_error':
        for (const connection of meant()) connection.streamError(spec.code ?? 503);
        return { ...spec, id: 0, struck: 1 };
      case 'freeze':
        for (const connection of meant()) connection.freeze();
        return this.faults.add(spec);
      default:
        return this.faults.add(spec);
    }
  }

  /** Removes one fault, or all of them, and lets frozen sockets go on. */
  clearFaults(id?: number): boolean {
    const removed = id === undefined || this.faults.remove(id);
    if (id === undefined) this.faults.clear();
    for (const connection of this.connections) {
      if (!this.faults.peek('freeze', connection.number)) connection.thaw();
    }
    return removed;
  }

  forget(connection: Connection): void {
    this.connections.delete(connection);
    for (const ref of connection.registration?.refs ?? []) this.waiting.delete(ref);
  }

  /** Id for a stanza that the server itself begins. */
  nextId(): string {
    return `sim-${++this.lastId}`;
  }

  log(line: string): void {
    this.options.log(line);
  }
}

function refuse(socket: Duplex, status: number): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function portOf(server: Server | TlsServer): number {
  return (server.address() as AddressInfo).port;
}

function listen(server: Server | TlsServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closeServer(server: Server | TlsServer): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
