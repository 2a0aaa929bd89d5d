import { type BinaryNode, encodeBinaryNode, proto } from '@whiskeysockets/baileys';
import type { WebSocket } from 'ws';
import type { Companion } from './accounts/companion.ts';
import type { FaultTable } from './faults.ts';
import { dispatch } from './handlers/dispatch.ts';
import { admit } from './handlers/login.ts';
import type { Registration } from './handlers/registration.ts';
import type { Simulator } from './simulator.ts';
import type { ServerIdentity } from './wire/certificates.ts';
import { decodeNode, FrameReader, frame, takeHeader } from './wire/frames.ts';
import { node } from './wire/nodes.ts';
import { NoiseResponder, type Transport } from './wire/noise.ts';

type Stage = 'header' | 'hello' | 'finish' | 'open' | 'closed';

/** One client's socket: handshake, then encrypted stanzas both ways. */
export class Connection {
  readonly simulator: Simulator;
  /** Set once logged in. */
  device: Companion | undefined;
  /** Set while it waits for a phone to scan its QR code. */
  registration: Registration | undefined;
  /** The client's static Noise key, which it shows again at each login. */
  clientStatic: Buffer = Buffer.alloc(0);
  private readonly socket: WebSocket;
  private readonly identity: ServerIdentity;
  private readonly faults: FaultTable;
  private readonly frames = new FrameReader();
  private stage: Stage = 'header';
  private firstBytes: Buffer = Buffer.alloc(0);
  private noise: NoiseResponder | undefined;
  private transport: Transport | undefined;
  private frozen = false;
  private held: BinaryNode[] = [];
  private lastDueMs = 0;

  constructor(simulator: Simulator, socket: WebSocket, identity: ServerIdentity) {
    this.simulator = simulator;
    this.socket = socket;
    this.identity = identity;
    this.faults = simulator.faults;
    socket.on('message', (data: Buffer) => this.receive(data));
    socket.on('close', () => this.closed());
    socket.on('error', () => this.cut());
  }

  /** Number of the account that is logged in here, for faults that are meant for one account. */
  get number(): string | undefined {
    return this.device?.account.number;
  }

  /** Sends a stanza, later when latency is on; in order in any case. */
  send(stanza: BinaryNode): void {
    if (this.stage !== 'open') return;
    if (this.frozen) {
      this.held.push(stanza);
      if (this.held.length > this.simulator.options.maxPendingPerDevice) this.cut();
      return;
    }
    const latency = this.faults.peek('latency', this.number)?.ms ?? 0;
    const now = performance.now();
    const due = Math.max(now + latency, this.lastDueMs);
    if (due <= now) {
      this.write(stanza);
      return;
    }
    this.lastDueMs = due;
    setTimeout(() => this.write(stanza), due - now);
  }

  /** Ends the stream as WhatsApp does: an error stanza, then the close. */
  streamError(code: number | undefined, content?: BinaryNode[]): void {
    this.send(node('stream:error', code === undefined ? {} : { code: String(code) }, content));
    this.close();
  }

  /** Closes in an orderly way once what was sent has left. */
  close(): void {
    const wait = Math.max(0, this.lastDueMs - performance.now());
    if (wait > 0) setTimeout(() => this.socket.close(), wait);
    else this.socket.close();
  }

  /** Cuts the TCP connection. */
  cut(): void {
    this.socket.terminate();
    this.closed();
  }

  /** Stops reading and writing, with the connection open. */
  freeze(): void {
    this.frozen = true;
    this.socket.pause();
  }

  thaw(): void {
    if (!this.frozen) return;
    this.frozen = false;
    this.socket.resume();
    const held = this.held;
    this.held = [];
    for (const stanza of held) this.send(stanza);
  }

  private write(stanza: BinaryNode): void {
    if (!this.transport || this.stage !== 'open') return;
    this.socket.send(frame(this.transport.encrypt(encodeBinaryNode(stanza))));
  }

  private receive(data: Buffer): void {
    try {
      if (this.stage === 'header') this.readHeader(data);
      else for (const body of this.frames.push(data)) this.handle(body);
    } catch (error) {
      this.simulator.log(`connection dropped: ${error instanceof Error ? error.message : String(error)}`);
      this.cut();
    }
  }

  private readHeader(data: Buffer): void {
    this.firstBytes = Buffer.concat([this.firstBytes, data]);
    const taken = takeHeader(this.firstBytes);
    if (!taken) return;
    this.noise = new NoiseResponder(taken.header);
    this.stage = 'hello';
    for (const body of this.frames.push(taken.rest)) this.handle(body);
  }

  private handle(body: Buffer): void {
    if (this.stage === 'open' && this.transport) {
      dispatch(this, decodeNode(this.transport.decrypt(body)));
      return;
    }
    const { clientHello, clientFinish } = proto.HandshakeMessage.decode(body);
    if (this.stage === 'hello' && clientHello?.ephemeral) this.answerHello(clientHello.ephemeral);
    else if (this.stage === 'finish' && clientFinish) this.finish(clientFinish);
    else throw new Error(`unexpected handshake message in stage ${this.stage}`);
  }

  private answerHello(ephemeral: Uint8Array): void {
    const { staticKeys, certificateChain } = this.identity;
    const serverHello = this.noise?.hello(ephemeral, staticKeys, certificateChain);
    this.socket.send(frame(proto.HandshakeMessage.encode({ serverHello }).finish()));
    this.stage = 'finish';
  }

  private finish(message: proto.HandshakeMessage.IClientFinish): void {
    if (!this.noise || !message.static || !message.payload) throw new Error('incomplete handshake');
    const result = this.noise.finish({ static: message.static, payload: message.payload });
    this.clientStatic = result.clientStatic;
    this.transport = result.transport;
    this.noise = undefined;
    this.stage = 'open';
    admit(this, proto.ClientPayload.decode(result.payload));
  }

  private closed(): void {
    if (this.stage === 'closed') return;
    this.stage = 'closed';
    this.device?.detach(this);
    this.simulator.forget(this);
  }
}
