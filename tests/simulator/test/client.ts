import makeWASocket, {
  type AnyMessageContent,
  type AuthenticationCreds,
  type AuthenticationState,
  type BaileysEventMap,
  initAuthCreds,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type UserFacingSocketConfig,
  type WAMessage,
  type WASocket,
} from '@whiskeysockets/baileys';
import pino from 'pino';
import { waitUntil } from './wait.ts';

/** Keys in memory, for an unmodified Baileys. */
export class MemoryAuth {
  readonly creds: AuthenticationCreds = initAuthCreds();
  private readonly rows = new Map<string, unknown>();

  get state(): AuthenticationState {
    const keys: SignalKeyStore = {
      get: async (type, ids) => {
        const found: Record<string, SignalDataTypeMap[typeof type]> = {};
        for (const id of ids) {
          const row = this.rows.get(`${type}/${id}`);
          if (row !== undefined) found[id] = row as SignalDataTypeMap[typeof type];
        }
        return found;
      },
      set: async (data) => {
        for (const [type, rows] of Object.entries(data)) {
          for (const [id, row] of Object.entries(rows ?? {})) {
            if (row === null) this.rows.delete(`${type}/${id}`);
            else this.rows.set(`${type}/${id}`, row);
          }
        }
      },
    };
    return { creds: this.creds, keys };
  }
}

/** An unmodified Baileys client that remembers what it was told. */
export class Client {
  readonly auth: MemoryAuth;
  readonly upserts: BaileysEventMap['messages.upsert'][] = [];
  readonly updates: BaileysEventMap['messages.update'] = [];
  readonly updatesOfConnection: BaileysEventMap['connection.update'][] = [];
  readonly acks: Record<string, string>[] = [];
  socket!: WASocket;
  private readonly url: string;
  private readonly options: Partial<UserFacingSocketConfig>;
  private readonly sent = new Map<string, WAMessage['message']>();

  constructor(url: string, options: Partial<UserFacingSocketConfig> = {}, auth = new MemoryAuth()) {
    this.url = url;
    this.options = options;
    this.auth = auth;
  }

  connect(): WASocket {
    const socket = makeWASocket({
      waWebSocketUrl: this.url,
      auth: this.auth.state,
      logger: pino({ level: process.env.BAILEYS_LOG ?? 'silent' }),
      markOnlineOnConnect: false,
      getMessage: async ({ id }) => (id ? (this.sent.get(id) ?? undefined) : undefined),
      ...this.options,
    });
    this.socket = socket;
    socket.ev.on('creds.update', (update) => Object.assign(this.auth.creds, update));
    socket.ev.on('connection.update', (update) => this.updatesOfConnection.push(update));
    socket.ev.on('messages.upsert', (upsert) => this.upserts.push(upsert));
    socket.ev.on('messages.update', (updates) => this.updates.push(...updates));
    socket.ws.on('CB:ack,class:message', (ack: { attrs: Record<string, string> }) =>
      this.acks.push(ack.attrs),
    );
    return socket;
  }

  /** Pairs by QR code and waits until the client is in and has its first history. */
  async pair(scan: (qr: string) => Promise<unknown> | unknown): Promise<void> {
    this.connect();
    const qr = await waitUntil(() => this.updatesOfConnection.findLast((update) => update.qr)?.qr, 'QR code');
    await scan(qr);
    await waitUntil(() => this.closeCode() === 515, 'restart after pairing');
    await this.login();
    await waitUntil(() => this.auth.creds.accountSyncCounter > 0, 'first history');
  }

  /** Connects again with the credentials at hand and waits until the offline stanzas are announced. */
  async login(): Promise<void> {
    this.updatesOfConnection.length = 0;
    this.connect();
    await waitUntil(() => this.updatesOfConnection.some((u) => u.receivedPendingNotifications), 'login');
  }

  async sendText(number: string, text: string, id?: string): Promise<string> {
    const sent = await this.socket.sendMessage(
      `${number.slice(1)}@s.whatsapp.net`,
      { text },
      id ? { messageId: id } : {},
    );
    this.sent.set(sent?.key.id ?? '', sent?.message);
    return sent?.key.id ?? '';
  }

  /** Sends any content to any chat, and keeps it for those who ask for it again. */
  async sendTo(jid: string, content: AnyMessageContent): Promise<string> {
    const sent = await this.socket.sendMessage(jid, content);
    this.sent.set(sent?.key.id ?? '', sent?.message);
    return sent?.key.id ?? '';
  }

  /** Texts received or copied, in order. */
  texts(type?: 'notify' | 'append'): string[] {
    return this.upserts
      .filter((upsert) => type === undefined || upsert.type === type)
      .flatMap((upsert) => upsert.messages)
      .map((message) => message.message?.conversation ?? message.message?.extendedTextMessage?.text)
      .filter((text) => typeof text === 'string');
  }

  /** Highest status reported for a message, by an update or inside its own upsert. */
  status(id: string): number {
    const inUpserts = this.upserts.flatMap((u) => u.messages).filter((m) => m.key.id === id);
    const inUpdates = this.updates.filter((update) => update.key.id === id);
    return Math.max(
      0,
      ...inUpserts.map((m) => m.status ?? 0),
      ...inUpdates.map((update) => update.update.status ?? 0),
    );
  }

  /** Code with which the last socket closed. */
  closeCode(): number | undefined {
    const error = this.updatesOfConnection.findLast((u) => u.connection === 'close')?.lastDisconnect?.error;
    return (error as { output?: { statusCode: number } } | undefined)?.output?.statusCode;
  }

  async close(): Promise<void> {
    await this.socket?.end(undefined);
  }
}
