import { createRequire } from 'node:module';
import * as grpc from '@grpc/grpc-js';
import { closings } from './close-reason.js';
import { EventStream } from './event-stream.js';
import {
  BridgeService,
  type Closed,
  type HoldRequest,
  type HoldResponse,
  type OpenSession,
  type SessionCommand,
  type SessionEvent,
  type StatusResponse,
} from './generated/ponte/bridge/v1/bridge.js';
import { Holders } from './holders.js';
import { describeError, log } from './logger.js';
import { Session } from './session.js';

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const GRACE_MS = 500;

type SessionCall = grpc.ServerDuplexStream<SessionCommand, SessionEvent>;

const baileysVersion: string = createRequire(import.meta.url)('@whiskeysockets/baileys/package.json').version;

/** The gRPC service: one session per stream, and never two sockets for one session id. */
export class BridgeServer {
  readonly #server = new grpc.Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });
  readonly #sessions = new Map<string, Session>();
  readonly #holderOf = new WeakMap<Session, string>();
  readonly #holders = new Holders((holder) => this.#endSessionsOf(holder));
  readonly #streams = new Set<EventStream>();
  #stopping = false;

  constructor() {
    this.#server.addService(BridgeService, {
      session: (call: SessionCall) => this.#accept(call),
      status: (_call: unknown, callback: grpc.sendUnaryData<StatusResponse>) =>
        callback(null, this.#status()),
      hold: (
        { request }: grpc.ServerUnaryCall<HoldRequest, HoldResponse>,
        callback: grpc.sendUnaryData<HoldResponse>,
      ) => {
        this.#holders.extend(request.holder, request.validForMs);
        callback(null, {});
      },
    });
  }

  /** Resolves with the port (meaningless for a unix socket); rejects when the address cannot be bound. */
  listen(address: string, credentials: grpc.ServerCredentials): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
  }

  /** Closes every session with reason `ended`, then the server. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#holders.stop();
    const sessions = [...this.#sessions.values()];
    const closing = Promise.all(sessions.map((session) => session.close(closings.ended('the bridge stops'))));
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, GRACE_MS))]);
    for (const stream of this.#streams) stream.end(closings.ended('the bridge stops'));
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, GRACE_MS / 2);
      this.#server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }

  #accept(call: SessionCall): void {
    let session: Session | undefined;
    const stream: EventStream = new EventStream(call, () =>
      close(closings.failed('the event queue is full')),
    );
    const close = (closed: Closed) => void (session ? session.close(closed) : stream.end(closed));
    this.#streams.add(stream);
    const open = async ({ command }: SessionCommand) => {
      if (command?.$case !== 'open') return close(closings.failed('the first command must be open'));
      call.pause();
      try {
        session = await this.#open(command.open, stream);
      } catch (error) {
        close(closings.failed(describeError(error)));
      }
      call.resume();
    };
    call.on('data', (command: SessionCommand) => (session ? session.handle(command) : open(command)));
    call.on('end', () => close(closings.ended('the stream ended')));
    call.on('cancelled', () => close(closings.ended('the stream was cancelled')));
    call.on('error', () => close(closings.ended('the stream broke')));
    call.on('close', () => this.#streams.delete(stream));
  }

  async #open(open: OpenSession, stream: EventStream): Promise<Session | undefined> {
    const { sessionId } = open;
    if (!sessionId || !open.companyId) throw new Error('open needs session_id and company_id');
    // Written before its gateway or this process was frozen: another gateway may hold the session by now.
    if (this.#holders.isOver(open.holder)) throw new Error('its lease may have ended');
    // A loop: another stream may have opened the session while this one waited.
    for (let held = this.#sessions.get(sessionId); held; held = this.#sessions.get(sessionId)) {
      if (held.fence > open.fence) throw new Error('a stream with a newer fence holds the session');
      await held.close(closings.ended('a newer stream took over'));
      if (this.#sessions.get(sessionId) === held) this.#sessions.delete(sessionId);
    }
    if (this.#stopping || !stream.isOpen) {
      stream.end(closings.ended('the stream ended'));
      return undefined;
    }
    const session = new Session(open, stream);
    this.#sessions.set(sessionId, session);
    this.#holderOf.set(session, open.holder);
    log('info', 'session opened', { session_id: sessionId, company_id: open.companyId });
    void session.closed.then(() => {
      if (this.#sessions.get(sessionId) === session) this.#sessions.delete(sessionId);
    });
    return session;
  }

  #endSessionsOf(holder: string): void {
    const sessions = [...this.#sessions.values()].filter((session) => this.#holderOf.get(session) === holder);
    if (sessions.length)
      log('warn', 'a gateway went silent, its sessions are ended', { count: sessions.length });
    for (const session of sessions) void session.close(closings.holdOver());
  }

  #status(): StatusResponse {
    return {
      baileysVersion,
      nodeVersion: process.versions.node,
      residentBytes: process.memoryUsage.rss(),
      sessionIds: [...this.#sessions.keys()],
      sessions: [...this.#sessions.values()].map((session) => session.held),
    };
  }
}
