import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Child, startNode } from './child.js';

const FOLDER = fileURLToPath(new URL('../../../tests/simulator', import.meta.url));

interface Ready {
  ws_url: string;
  http_url: string;
  trust_anchor: string;
  media_certificate: string;
}

export interface PhoneMessage {
  id: string;
  from: string;
  to: string;
  text: string;
  duplicate: boolean;
  from_me: boolean;
  sent_here: boolean;
  status: 'received' | 'sent' | 'delivered' | 'read';
}

export interface Device {
  phone_number: string;
  jid: string;
  connected: boolean;
  pending: number;
}

/** The WhatsApp server simulator, driven through its control API. */
export class Simulator {
  #lastNumber = 5511900000000 + Math.floor(Math.random() * 1e6) * 100;

  private constructor(readonly child: Child<Ready>) {}

  static get isInstalled(): boolean {
    return existsSync(`${FOLDER}/src/main.ts`) && existsSync(`${FOLDER}/node_modules`);
  }

  static async start(): Promise<Simulator> {
    return new Simulator(
      await startNode<Ready>(FOLDER, ['--host', '127.0.0.1', '--ws-port', '0', '--http-port', '0']),
    );
  }

  get whatsappUrl(): string {
    return this.child.ready.ws_url;
  }

  /** Environment of a client that shall trust this server. */
  get clientEnvironment(): NodeJS.ProcessEnv {
    const { trust_anchor, media_certificate } = this.child.ready;
    return { NODE_OPTIONS: `--import ${trust_anchor}`, NODE_EXTRA_CA_CERTS: media_certificate };
  }

  async createPhone(): Promise<string> {
    this.#lastNumber += 1;
    const phone_number = `+${this.#lastNumber}`;
    await this.#call('POST', '/phones', { phone_number });
    return phone_number;
  }

  scan(phone: string, qr: string): Promise<{ jid: string }> {
    return this.#call('POST', `/phones/${phone}:scan`, { qr });
  }

  async send(phone: string, to: string, text: string): Promise<string> {
    return (await this.#call<{ id: string }>('POST', `/phones/${phone}:send`, { to, text })).id;
  }

  read(phone: string, from: string): Promise<unknown> {
    return this.#call('POST', `/phones/${phone}:read`, { from });
  }

  change(phone: string, settings: Record<string, unknown>): Promise<unknown> {
    return this.#call('PATCH', `/phones/${phone}`, settings);
  }

  received(phone: string, waitCount: number, timeoutMs = 10_000): Promise<PhoneMessage[]> {
    return this.#call('GET', `/phones/${phone}/messages?wait_count=${waitCount}&timeout_ms=${timeoutMs}`);
  }

  async sent(phone: string): Promise<PhoneMessage[]> {
    const all = await this.#call<PhoneMessage[]>('GET', `/phones/${phone}/messages?include_sent=true`);
    return all.filter((message) => message.sent_here);
  }

  async device(phone: string): Promise<Device | undefined> {
    const devices = await this.#call<Device[]>('GET', '/devices');
    return devices.find((device) => device.phone_number === phone);
  }

  async sockets(): Promise<number> {
    return (await this.#call<{ sockets: number }>('GET', '/stats')).sockets;
  }

  fault(fault: Record<string, unknown>): Promise<{ id: number }> {
    return this.#call('POST', '/faults', fault);
  }

  clearFaults(): Promise<unknown> {
    return this.#call('DELETE', '/faults');
  }

  stop(): Promise<number | null> {
    return this.child.stop();
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.child.ready.http_url}${path.replace('+', '%2B')}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }
}
