import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startNode } from './child.js';
import { Gateway, type GatewayStream, type Hooks, Vault } from './gateway.js';
import { Simulator } from './simulator.js';

const FOLDER = fileURLToPath(new URL('../..', import.meta.url));

/** A simulator, a bridge and a gateway that know each other. */
export class Bench {
  bridge!: Child<{ address: string }>;
  gateway!: Gateway;
  #lastSession = 0;

  private constructor(
    readonly simulator: Simulator,
    readonly folder: string,
  ) {}

  static async start(): Promise<Bench> {
    const bench = new Bench(await Simulator.start(), mkdtempSync(join(tmpdir(), 'bridge-')));
    await bench.startBridge();
    return bench;
  }

  get socketPath(): string {
    return join(this.folder, 'bridge.sock');
  }

  async startBridge(): Promise<void> {
    const listen = ['--listen', `unix:${this.socketPath}`];
    this.bridge = await startNode(FOLDER, listen, this.simulator.clientEnvironment);
    this.gateway = new Gateway(this.bridge.ready.address, this.simulator.whatsappUrl);
  }

  async stop(): Promise<void> {
    this.gateway.close();
    await this.bridge.stop();
    await this.simulator.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  newSessionId(): string {
    this.#lastSession += 1;
    return `session-${this.#lastSession}`;
  }

  /** Links a new phone by QR and gives the session that WhatsApp's restart asks for. */
  async linked(
    hooks: Hooks = {},
    options: { ackTimeoutMs?: number; keepAliveMs?: number; silenceTimeoutMs?: number } = {},
  ) {
    const phone = await this.simulator.createPhone();
    const vault = new Vault();
    const sessionId = this.newSessionId();
    const pairing = this.gateway.open(sessionId, vault);
    const { qr } = await pairing.event('qr');
    await this.simulator.scan(phone, qr.data);
    await pairing.closed();
    const stream = await this.reopened(sessionId, vault, hooks, options);
    return { phone, vault, sessionId, stream, pairing };
  }

  async reopened(
    sessionId: string,
    vault: Vault,
    hooks: Hooks = {},
    options: { ackTimeoutMs?: number; fence?: number; keepAliveMs?: number; silenceTimeoutMs?: number } = {},
  ): Promise<GatewayStream> {
    const stream = this.gateway.open(sessionId, vault, hooks, options);
    await stream.event('connected');
    return stream;
  }
}

export function jidOf(phone: string): string {
  return `${phone.replace('+', '')}@s.whatsapp.net`;
}
