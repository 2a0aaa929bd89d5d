import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { vi } from 'vitest';
import {
  type AuthKey,
  BridgeClient,
  type Closed,
  type InboundMessage,
  type Receipt,
  type SendResult,
  type SessionCommand,
  type SessionEvent,
  type StatusResponse,
} from '../../src/generated/ponte/bridge/v1/bridge.js';

import type { HistoryChunk } from '../../src/generated/ponte/bridge/v1/history.js';

type Command = NonNullable<SessionCommand['command']>;
type Event = NonNullable<SessionEvent['event']>;

/** What outlives streams and processes: a database in short. */
export class Vault {
  credentialsJson: string | undefined;
  readonly keys = new Map<string, string>();
  readonly sentMessages = new Map<string, Buffer>();
  writes = 0;
  reads = 0;

  store(credentialsJson: string | undefined, keys: AuthKey[]): void {
    this.writes += 1;
    if (credentialsJson !== undefined) this.credentialsJson = credentialsJson;
    for (const { type, id, valueJson } of keys) {
      if (valueJson === undefined) this.keys.delete(`${type} ${id}`);
      else this.keys.set(`${type} ${id}`, valueJson);
    }
  }

  /** Waits for the end of what a fresh login does by itself. */
  async quiet(): Promise<void> {
    let seen = -1;
    await vi.waitUntil(
      () => {
        const isQuiet = seen === this.writes + this.reads;
        seen = this.writes + this.reads;
        return isQuiet;
      },
      { interval: 500, timeout: 10_000 },
    );
  }

  load(type: string, ids: string[]): AuthKey[] {
    this.reads += 1;
    return ids.map((id) => ({ type, id, valueJson: this.keys.get(`${type} ${id}`) }));
  }
}

export interface Hooks {
  /** The error code that a write is answered with; empty makes it durable. */
  onStoreAuth?(): string | Promise<string>;
  /** False leaves a read without an answer. */
  onGetAuth?(type: string): boolean;
  /** The error code of a recording; undefined does not answer. */
  onInbound?(message: InboundMessage): string | undefined | Promise<string | undefined>;
  /** The same of a chunk of a history. */
  onHistory?(chunk: HistoryChunk): string | Promise<string>;
  /** The same of a receipt. */
  onReceipt?(receipt: Receipt): string | undefined | Promise<string | undefined>;
}

/** The gateway's end of one session stream, which answers what the bridge asks. */
export class GatewayStream {
  readonly events: Event[] = [];
  readonly inbound: InboundMessage[] = [];
  readonly receipts: Receipt[] = [];
  ended = false;
  readonly #results = new Map<string, (result: SendResult) => void>();

  constructor(
    readonly call: ClientDuplexStream<SessionCommand, SessionEvent>,
    readonly vault: Vault,
    readonly hooks: Hooks,
  ) {
    call.on('data', ({ event }: SessionEvent) => {
      if (event) void this.#on(event);
    });
    call.on('end', () => {
      this.ended = true;
    });
    call.on('error', () => {
      this.ended = true;
    });
  }

  command(command: Command): void {
    if (!this.call.writableEnded) this.call.write({ command });
  }

  send(waMessageId: string, chatJid: string, body: string): Promise<SendResult> {
    const content = { $case: 'text' as const, text: { body } };
    const sendMessage = {
      requestId: 1,
      waMessageId,
      chatJid,
      content,
      files: [],
      freshRecipient: false,
      typingMs: 0,
    };
    this.command({ $case: 'sendMessage', sendMessage });
    return new Promise((resolve) => this.#results.set(waMessageId, resolve));
  }

  /** The first event of a kind, waited for. */
  async event<K extends Event['$case']>(kind: K, timeout = 10_000): Promise<Extract<Event, { $case: K }>> {
    const find = () =>
      this.events.find((event): event is Extract<Event, { $case: K }> => event.$case === kind);
    return vi.waitUntil(find, { timeout, interval: 10 });
  }

  async closed(timeout = 10_000): Promise<Closed> {
    const { closed } = await this.event('closed', timeout);
    await vi.waitUntil(() => this.ended, { timeout: 2000 });
    return closed;
  }

  /** Ends the gateway's half and waits for the bridge's. */
  async end(): Promise<Closed> {
    this.call.end();
    return this.closed();
  }

  async #on(event: Event): Promise<void> {
    this.events.push(event);
    switch (event.$case) {
      case 'storeAuth': {
        const { requestId, credentialsJson, keys } = event.storeAuth;
        const errorCode = (await this.hooks.onStoreAuth?.()) ?? '';
        if (!errorCode) this.vault.store(credentialsJson, keys);
        return this.command({ $case: 'authStored', authStored: { requestId, errorCode } });
      }
      case 'getAuth': {
        const { requestId, type, ids } = event.getAuth;
        if (this.hooks.onGetAuth?.(type) === false) return;
        const keys = this.vault.load(type, ids);
        return this.command({ $case: 'authLoaded', authLoaded: { requestId, keys, errorCode: '' } });
      }
      case 'inbound': {
        const errorCode = this.hooks.onInbound ? await this.hooks.onInbound(event.inbound) : '';
        if (errorCode === undefined) return;
        if (!errorCode) this.inbound.push(event.inbound);
        const { requestId } = event.inbound;
        return this.command({ $case: 'inboundRecorded', inboundRecorded: { requestId, errorCode } });
      }
      case 'historyChunk': {
        const errorCode = this.hooks.onHistory ? await this.hooks.onHistory(event.historyChunk) : '';
        const { requestId } = event.historyChunk;
        return this.command({ $case: 'historyRecorded', historyRecorded: { requestId, errorCode } });
      }
      case 'getMessage': {
        const { requestId, waMessageId } = event.getMessage;
        const messageProto = this.vault.sentMessages.get(waMessageId);
        return this.command({ $case: 'storedMessage', storedMessage: { requestId, messageProto } });
      }
      case 'receipt': {
        const errorCode = this.hooks.onReceipt ? await this.hooks.onReceipt(event.receipt) : '';
        if (errorCode === undefined) return;
        if (!errorCode) this.receipts.push(event.receipt);
        const requestIds = [event.receipt.requestId];
        return this.command({ $case: 'receiptRecorded', receiptRecorded: { requestIds, errorCode } });
      }
      case 'sendResult':
        this.#results.get(event.sendResult.waMessageId)?.(event.sendResult);
        return;
    }
  }
}

export class Gateway {
  readonly #client: BridgeClient;

  constructor(
    address: string,
    readonly whatsappUrl: string,
  ) {
    this.#client = new BridgeClient(address, credentials.createInsecure());
  }

  open(
    sessionId: string,
    vault: Vault,
    hooks: Hooks = {},
    {
      fence = 1,
      connectTimeoutMs = 10_000,
      ackTimeoutMs = 5_000,
      keepAliveMs = 0,
      silenceTimeoutMs = 0,
      qrLifetimeMs = 0,
      qrCodes = 0,
      history = false,
    } = {},
  ): GatewayStream {
    const stream = new GatewayStream(this.#client.session(), vault, hooks);
    stream.command({
      $case: 'open',
      open: {
        sessionId,
        companyId: 'company',
        fence,
        credentialsJson: vault.credentialsJson,
        whatsappUrl: this.whatsappUrl,
        browserName: 'Ponte',
        connectTimeoutMs,
        ackTimeoutMs,
        keepAliveMs,
        silenceTimeoutMs,
        qrLifetimeMs,
        qrCodes,
        holder: '',
        history,
      },
    });
    return stream;
  }

  raw(): ClientDuplexStream<SessionCommand, SessionEvent> {
    return this.#client.session();
  }

  status(): Promise<StatusResponse> {
    return new Promise((resolve, reject) => {
      this.#client.status({}, (error, response) => (error ? reject(error) : resolve(response)));
    });
  }

  close(): void {
    this.#client.close();
  }
}
