import type { UserFacingSocketConfig } from '@whiskeysockets/baileys';
import { Simulator, type SimulatorOptions } from '../src/simulator.ts';
import { Client } from './client.ts';

/** A simulator on free ports, with the control API as its users call it. */
export class World {
  readonly simulator: Simulator;
  private readonly clients: Client[] = [];

  constructor(options: Partial<SimulatorOptions> = {}) {
    this.simulator = new Simulator({ receiptDelayMs: 0, ...options });
  }

  async start(): Promise<this> {
    await this.simulator.start();
    return this;
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await this.simulator.stop();
  }

  client(options: Partial<UserFacingSocketConfig> = {}): Client {
    const client = new Client(this.simulator.wsUrl, options);
    this.clients.push(client);
    return client;
  }

  /** A client that shares another one's credentials: a second socket of the same device. */
  twin(original: Client): Client {
    const client = new Client(this.simulator.wsUrl, {}, original.auth);
    this.clients.push(client);
    return client;
  }

  /** A new client, linked to the number's phone by QR. */
  async linked(number: string, options: Partial<UserFacingSocketConfig> = {}): Promise<Client> {
    const client = this.client(options);
    await client.pair((qr) => this.post(`/phones/${number}:scan`, { qr }));
    return client;
  }

  get = (path: string) => this.call('GET', path);
  post = (path: string, body: unknown) => this.call('POST', path, body);
  patch = (path: string, body: unknown) => this.call('PATCH', path, body);
  delete = (path: string) => this.call('DELETE', path);

  /** Status and JSON of any call, failed ones included. */
  async raw(method: string, path: string, body?: string): Promise<{ status: number; json: Json }> {
    const response = await fetch(this.simulator.httpUrl + path, { method, ...(body ? { body } : {}) });
    return { status: response.status, json: (await response.json()) as Json };
  }

  private async call(method: string, path: string, body?: unknown): Promise<Json> {
    const { status, json } = await this.raw(
      method,
      path,
      body === undefined ? undefined : JSON.stringify(body),
    );
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`);
    return json;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of the control API are compared field by field in tests
export type Json = any;
