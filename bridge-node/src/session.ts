import type { BinaryNode, ConnectionState, WASocket } from '@whiskeysockets/baileys';
import { AuthState } from './auth-state.js';
import { closeReason, closings } from './close-reason.js';
import { CloseSignal } from './close-signal.js';
import { actOnChat } from './commands/act-on-chat.js';
import { checkNumbers } from './commands/check-numbers.js';
import { downloadMedia } from './commands/download-media.js';
import { manageChannel } from './commands/manage-channel.js';
import { manageGroup } from './commands/manage-group.js';
import { markRead } from './commands/mark-read.js';
import { requestPairingCode } from './commands/pairing-code.js';
import { RecipientSessions } from './commands/recipient-sessions.js';
import { requestHistory } from './commands/request-history.js';
import { Sender } from './commands/send.js';
import { contactId } from './contact-id.js';
import type { EventStream } from './event-stream.js';
import { reportAccountStanding } from './events/account-standing.js';
import { readCall } from './events/calls.js';
import { Presences } from './events/presences.js';
import { QrClock } from './events/qr.js';
import { readReceipts } from './events/receipts.js';
import type {
  AuthKey,
  Closed,
  HeldSession,
  OpenSession,
  SendMessage,
  SessionCommand,
  StoredMessage,
} from './generated/ponte/bridge/v1/bridge.js';
import { readGroupChange } from './groups/group-changes.js';
import { GroupMemory } from './groups/group-memory.js';
import { GroupQueries } from './groups/group-queries.js';
import { History } from './history/history.js';
import { InboundRecorder, type Me } from './inbound.js';
import { Liveness } from './liveness.js';
import { describeError, type LogFields, log } from './logger.js';
import { PendingAnswers } from './pending-answers.js';
import { Recordings } from './recordings.js';
import { cutStalledClose, endSocket, openSocket } from './socket.js';
import { StanzaRecorder } from './stanza-recorder.js';
import { within } from './within.js';

const AUTH_TIMEOUT_MS = 15_000;
const GET_MESSAGE_TIMEOUT_MS = 5_000;
const MAX_PENDING = 1000;
const DEFAULT_CONNECT_TIMEOUT_MS = 20_000;
const DEFAULT_ACK_TIMEOUT_MS = 30_000;
/** Baileys' own keep-alive of 30 s, and 10 s for the answer. */
const DEFAULT_SILENCE_TIMEOUT_MS = 40_000;
/** How long closing waits for writes on their way: credentials of a number that was just linked. */
const FLUSH_MS = 5_000;
const STALL_CHECK_MS = 1_000;

/** One WhatsApp socket and the stream that is its life. Closes exactly once, whoever ends it. */
export class Session {
  readonly #open: OpenSession;
  readonly #stream: EventStream;
  readonly #sock: WASocket;
  readonly #auth: AuthState;
  readonly #sender: Sender;
  readonly #closeSignal = new CloseSignal();
  readonly #authWrites = new PendingAnswers<string>('StoreAuth', AUTH_TIMEOUT_MS, MAX_PENDING);
  readonly #authReads = new PendingAnswers<{ keys: AuthKey[]; errorCode: string }>(
    'GetAuth',
    AUTH_TIMEOUT_MS,
    MAX_PENDING,
  );
  readonly #recordings: Recordings;
  readonly #stored = new PendingAnswers<StoredMessage>('GetMessage', GET_MESSAGE_TIMEOUT_MS, MAX_PENDING);
  readonly #sends = new Set<Promise<void>>();
  readonly #presences: Presences;
  readonly #qr: QrClock;
  readonly #liveness: Liveness;
  readonly #connectTimeoutMs: number;
  #watchdog: NodeJS.Timeout | undefined;
  readonly #stallCheck: NodeJS.Timeout;
  #connected = false;
  #codeOffered = false;
  #closing = false;
  #onClosed: () => void = () => undefined;
  /** Resolves when the socket is gone and `closed` was said. */
  readonly closed = new Promise<void>((resolve) => {
    this.#onClosed = resolve;
  });

  constructor(open: OpenSession, stream: EventStream) {
    this.#open = open;
    this.#stream = stream;
    const connectTimeoutMs = open.connectTimeoutMs || DEFAULT_CONNECT_TIMEOUT_MS;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#qr = new QrClock(open.qrLifetimeMs, open.qrCodes || undefined);
    this.#auth = new AuthState(
      open.credentialsJson,
      {
        store: (credentials, keys) => this.#storeAuth(credentials, keys),
        load: (type, ids) => this.#loadAuth(type, ids),
      },
      (error) => this.close(closings.authStoreFailed(describeError(error))),
    );
    this.#recordings = new Recordings(open, stream, (what, error) => this.#onNotRecorded(what, error));
    const storedMessage = (id: string) => this.#storedMessage(id);
    const history = new History((part) => this.#recordings.history(part), open.history);
    const recorder = new InboundRecorder(
      () => this.#me(),
      (content) => this.#recordings.inbound(content),
      storedMessage,
      (padded) => history.take(padded),
    );
    const receipts = new StanzaRecorder(
      'CB:receipt',
      (stanza) => readReceipts(stanza, this.#me()),
      (contents) => this.#recordings.receipts(contents),
    );
    const calls = new StanzaRecorder(
      'CB:call',
      (stanza) => readCall(stanza, this.#me()),
      (content) => this.#recordings.call(content),
    );
    const groups = new GroupMemory((jid) => new GroupQueries(this.#sock, this.#closeSignal).readGroup(jid));
    const groupChanges = new StanzaRecorder(
      'CB:notification',
      (stanza) => {
        const change = readGroupChange(stanza);
        if (change) groups.forget(change.groupJid);
        return change;
      },
      (change) => this.#recordings.group(change),
    );
    this.#sock = openSocket(
      { ...open, connectTimeoutMs },
      { auth: this.#auth, recorder, recorders: [receipts, calls, groupChanges], storedMessage, groups },
    );
    const recipients = new RecipientSessions(this.#sock, groups);
    this.#sender = new Sender(
      this.#sock,
      (work) => this.#auth.runAhead(work),
      () => this.#connected,
      this.#closeSignal,
      open.ackTimeoutMs || DEFAULT_ACK_TIMEOUT_MS,
      (ack) => this.#recordings.tellReceipt(ack),
      (chatJid, audience) => recipients.prepare(chatJid, audience),
      storedMessage,
      groups,
    );
    this.#presences = new Presences(this.#sock, (content) => {
      const { companyId, sessionId } = open;
      stream.emit({ $case: 'presenceTold', presenceTold: { ...content, companyId, sessionId } });
    });
    this.#listen();
    reportAccountStanding(this.#sock, this.#closeSignal, (event) => this.#stream.emit(event));
    this.#startWatchdog();
    const silenceMs = open.silenceTimeoutMs || DEFAULT_SILENCE_TIMEOUT_MS;
    this.#liveness = new Liveness(this.#sock.ws, silenceMs, () => this.close(closings.silent(silenceMs)));
    this.#stallCheck = setInterval(() => cutStalledClose(this.#sock), STALL_CHECK_MS);
  }

  get fence(): number {
    return this.#open.fence;
  }

  /** For audits: what is held, and whether its socket is open and logged in. */
  get held(): HeldSession {
    const { sessionId, companyId, fence } = this.#open;
    return { sessionId, companyId, fence, connected: this.#connected && this.#sock.ws.isOpen };
  }

  /** Acts on one command of the stream; `open` is not one of them, the session exists already. */
  handle({ command }: SessionCommand): void {
    if (this.#recordings.answer(command)) return;
    switch (command?.$case) {
      case 'authStored':
        this.#authWrites.answer(command.authStored.requestId, command.authStored.errorCode);
        return;
      case 'authLoaded':
        this.#authReads.answer(command.authLoaded.requestId, command.authLoaded);
        return;
      case 'storedMessage':
        this.#stored.answer(command.storedMessage.requestId, command.storedMessage);
        return;
      case 'sendMessage':
        this.#startSend(command.sendMessage);
        return;
      case 'checkNumbers':
        void checkNumbers(this.#sock, this.#closeSignal, command.checkNumbers).then((numbersChecked) =>
          this.#stream.emit({ $case: 'numbersChecked', numbersChecked }),
        );
        return;
      case 'markRead':
        void markRead(this.#sock, this.#closeSignal, command.markRead).then((markedRead) =>
          this.#stream.emit({ $case: 'markedRead', markedRead }),
        );
        return;
      case 'actOnChat':
        void actOnChat(
          this.#sock,
          (jid) => this.#presences.watch(jid),
          this.#closeSignal,
          command.actOnChat,
        ).then((chatActed) => this.#stream.emit({ $case: 'chatActed', chatActed }));
        return;
      case 'manageGroup':
        void manageGroup(this.#sock, this.#closeSignal, command.manageGroup, (group) =>
          this.#recordings.tellGroup(group),
        ).then((groupManaged) => this.#stream.emit({ $case: 'groupManaged', groupManaged }));
        return;
      case 'manageChannel':
        void manageChannel(this.#sock, this.#closeSignal, command.manageChannel).then((channelManaged) =>
          this.#stream.emit({ $case: 'channelManaged', channelManaged }),
        );
        return;
      case 'requestHistory':
        void requestHistory(this.#sock, this.#closeSignal, command.requestHistory).then((historyRequested) =>
          this.#stream.emit({ $case: 'historyRequested', historyRequested }),
        );
        return;
      case 'downloadMedia':
        void downloadMedia(this.#sock, this.#closeSignal, command.downloadMedia).then((mediaDownloaded) =>
          this.#stream.emit({ $case: 'mediaDownloaded', mediaDownloaded }),
        );
        return;
      case 'requestPairingCode':
        void requestPairingCode(this.#sock, this.#closeSignal, command.requestPairingCode).then(
          (pairingCode) => {
            this.#codeOffered ||= pairingCode.code !== '';
            this.#stream.emit({ $case: 'pairingCode', pairingCode });
          },
        );
        return;
      case 'logout':
        void this.#logout();
        return;
      default:
        void this.close(closings.failed(`unexpected command ${command?.$case ?? 'of a newer contract'}`));
    }
  }

  /** Ends the socket, then says `closed` as the last event and ends the stream. The first reason counts. */
  close(closed: Closed): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      void this.#close(closed);
    }
    return this.closed;
  }

  async #close(closed: Closed): Promise<void> {
    clearTimeout(this.#watchdog);
    this.#liveness.stop();
    clearInterval(this.#stallCheck);
    this.#connected = false;
    // The socket first: what rejects below must not leave as a receipt or a retry request.
    const ended = endSocket(this.#sock);
    this.#closeSignal.fire();
    this.#sender.end();
    const over = new Error('the session is closed');
    this.#recordings.end(over);
    this.#stored.rejectAll(over);
    this.#authReads.rejectAll(over);
    if (!this.#stream.isOpen) this.#authWrites.rejectAll(over);
    await Promise.all([ended, within(FLUSH_MS, this.#auth.flush())]);
    this.#authWrites.rejectAll(over);
    await Promise.all(this.#sends);
    log('info', 'session closed', { ...this.#logFields(), code: closed.code, reason: closed.reason });
    this.#stream.end(closed);
    this.#onClosed();
  }

  #listen(): void {
    const { ev, ws } = this.#sock;
    ev.on('creds.update', () => this.#auth.credentialsChanged());
    ev.on('connection.update', (update) => this.#onConnection(update));
    ev.on('lid-mapping.update', ({ pn, lid }) => {
      this.#stream.emit({ $case: 'contactMapping', contactMapping: { contacts: [contactId(pn, lid)] } });
    });
    ws.on('CB:ack,class:message', (node: BinaryNode) => this.#sender.handleAck(node));
    // Baileys waits for ever after an upgrade that was answered with an HTTP error.
    ws.on('unexpected-response', (_request: unknown, response: { statusCode?: number; resume(): void }) => {
      response.resume();
      void this.close(closings.upgradeRefused(response.statusCode ?? 0));
    });
  }

  #onConnection({ connection, qr, isNewLogin, lastDisconnect }: Partial<ConnectionState>): void {
    if (qr) this.#onQr(qr);
    if (isNewLogin) void this.#onPaired();
    if (connection === 'open') this.#onOpen();
    if (connection === 'close') void this.close(closeReason(lastDisconnect?.error, this.#qr.isShowing));
  }

  #startWatchdog(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(
      () => this.close(closings.connectTimeout(this.#connectTimeoutMs)),
      this.#connectTimeoutMs,
    );
  }

  #onQr(data: string): void {
    clearTimeout(this.#watchdog);
    const qr = this.#qr.show(data, Date.now());
    if (qr) this.#stream.emit({ $case: 'qr', qr });
    // A person may still be typing the code: WhatsApp ends its time.
    else if (!this.#codeOffered) void this.close(closings.qrExpired(this.#qr.most));
  }

  #onOpen(): void {
    clearTimeout(this.#watchdog);
    this.#connected = true;
    const { id, lid, name } = this.#auth.creds.me ?? { id: '' };
    this.#stream.emit({ $case: 'connected', connected: { me: contactId(id, lid), pushName: name ?? '' } });
    log('info', 'session connected', this.#logFields());
  }

  async #onPaired(): Promise<void> {
    this.#qr.hide();
    // WhatsApp asks for a restart at once; it must not be waited for without end.
    this.#startWatchdog();
    const { me, platform } = this.#auth.creds;
    try {
      await this.#auth.flush();
    } catch {
      return; // the failed write closes the session
    }
    this.#stream.emit({
      $case: 'paired',
      paired: { me: contactId(me?.id, me?.lid), platform: platform ?? '' },
    });
  }

  #startSend(command: SendMessage): void {
    const send: Promise<void> = this.#sender.send(command).then((sendResult) => {
      this.#sends.delete(send);
      this.#stream.emit({ $case: 'sendResult', sendResult });
    });
    this.#sends.add(send);
  }

  async #logout(): Promise<void> {
    const closed = closings.loggedOutOnRequest();
    try {
      // `logout` ends the socket by itself; only what was asked for counts as the reason.
      const done = this.#sock.logout();
      this.#sock.ev.removeAllListeners('connection.update');
      await this.#closeSignal.race(done);
    } catch (error) {
      closed.detail = `asked for, but not told to WhatsApp: ${describeError(error)}`;
    }
    await this.close(closed);
  }

  async #storeAuth(credentialsJson: string | undefined, keys: AuthKey[]): Promise<void> {
    const errorCode = await this.#authWrites.ask((requestId) =>
      this.#stream.emit({ $case: 'storeAuth', storeAuth: { requestId, credentialsJson, keys } }),
    );
    if (errorCode) throw new Error(errorCode);
  }

  async #loadAuth(type: string, ids: string[]): Promise<AuthKey[]> {
    if (this.#closing) throw new Error('the session is closed');
    const { keys, errorCode } = await this.#authReads.ask((requestId) =>
      this.#stream.emit({ $case: 'getAuth', getAuth: { requestId, type, ids } }),
    );
    if (errorCode) throw new Error(errorCode);
    return keys;
  }

  #onNotRecorded(what: string, error: unknown): void {
    log('warn', `${what} not recorded: ${describeError(error)}`, this.#logFields());
    // Baileys would ask the sender of a message for it anew, behind what comes meanwhile. Unacknowledged,
    // all of it comes in its order at the next login.
    void this.close(closings.inboundStoreFailed(describeError(error)));
  }

  async #storedMessage(waMessageId: string): Promise<Uint8Array | undefined> {
    const poll = this.#sender.recentPoll(waMessageId);
    if (poll) return poll;
    try {
      const { messageProto } = await this.#stored.ask((requestId) =>
        this.#stream.emit({ $case: 'getMessage', getMessage: { requestId, waMessageId } }),
      );
      return messageProto;
    } catch {
      return undefined;
    }
  }

  #me(): Me {
    const me = this.#auth.creds.me;
    return { id: me?.id ?? '', lid: me?.lid ?? '' };
  }

  #logFields(): LogFields {
    return { session_id: this.#open.sessionId, company_id: this.#open.companyId };
  }
}
