import type { EventStream } from './event-stream.js';
import type { CallContent } from './events/calls.js';
import type { ReceiptContent } from './events/receipts.js';
import type { OpenSession, SessionCommand } from './generated/ponte/bridge/v1/bridge.js';
import type { HistoryChunk } from './generated/ponte/bridge/v1/history.js';
import type { GroupChange } from './groups/group-changes.js';
import type { InboundContent } from './inbound.js';
import { PendingAnswers } from './pending-answers.js';
import { Slots } from './slots.js';

const TIMEOUT_MS = 10_000;
const MAX_PENDING = 1000;
/** Together with the stanzas that are recorded at a time (StanzaRecorder) fewer than may be pending. */
const COLLECTED_AT_A_TIME = 100;

/** Messages of a history; the session adds whose they are. */
export type HistoryPart = Pick<HistoryChunk, 'messages' | 'isLast' | 'onDemand'>;

/** Whose stream it is. */
type Owner = Pick<OpenSession, 'companyId' | 'sessionId'>;

/**
 * What the gateway makes durable before WhatsApp gets its ack: each resolves once it is, and rejects where it
 * could not be. A rejection while the session lives is told to `onFailure`, which has to end it.
 */
export class Recordings {
  readonly #inbound = new PendingAnswers<string>('InboundMessage', TIMEOUT_MS, MAX_PENDING);
  readonly #receipts = new PendingAnswers<string>('Receipt', TIMEOUT_MS, MAX_PENDING);
  readonly #calls = new PendingAnswers<string>('Call', TIMEOUT_MS, MAX_PENDING);
  readonly #groups = new PendingAnswers<string>('GroupChanged', TIMEOUT_MS, MAX_PENDING);
  /** Of a group's collected receipts, one stanza may bring a thousand. */
  readonly #collected = new Slots(COLLECTED_AT_A_TIME);
  readonly #history = new PendingAnswers<string>('HistoryChunk', TIMEOUT_MS, MAX_PENDING);
  readonly #owner: Owner;
  #ended: Error | undefined;

  constructor(
    { companyId, sessionId }: Owner,
    readonly stream: Pick<EventStream, 'emit'>,
    readonly onFailure: (what: string, error: unknown) => void,
  ) {
    this.#owner = { companyId, sessionId };
  }

  inbound(content: InboundContent): Promise<void> {
    return this.#record('inbound', this.#inbound, (requestId) =>
      this.stream.emit({ $case: 'inbound', inbound: { requestId, ...this.#owner, ...content } }),
    );
  }

  /** The receipts of one stanza. */
  async receipts(contents: readonly ReceiptContent[]): Promise<void> {
    const [only] = contents;
    if (contents.length === 1 && only) return this.#receipt(only);
    await Promise.all(contents.map((content) => this.#collected.run(() => this.#receipt(content))));
  }

  call(content: CallContent): Promise<void> {
    return this.#record('call', this.#calls, (requestId) =>
      this.stream.emit({ $case: 'call', call: { requestId, ...this.#owner, ...content } }),
    );
  }

  group(change: GroupChange): Promise<void> {
    return this.#record('group change', this.#groups, (requestId) => this.#emitGroup(requestId, change));
  }

  history(part: HistoryPart): Promise<void> {
    return this.#record('history', this.#history, (requestId) =>
      this.stream.emit({ $case: 'historyChunk', historyChunk: { requestId, ...this.#owner, ...part } }),
    );
  }

  /** Tells of a receipt for which WhatsApp waits for nothing. */
  tellReceipt(content: ReceiptContent): void {
    this.#emitReceipt(0, content);
  }

  /** Tells of a group for which WhatsApp waits for nothing. */
  tellGroup(change: GroupChange): void {
    this.#emitGroup(0, change);
  }

  /** Takes the gateway's answer; false for a command that is none. */
  answer(command: SessionCommand['command']): boolean {
    switch (command?.$case) {
      case 'inboundRecorded':
        this.#inbound.answer(command.inboundRecorded.requestId, command.inboundRecorded.errorCode);
        return true;
      case 'receiptRecorded':
        for (const requestId of command.receiptRecorded.requestIds)
          this.#receipts.answer(requestId, command.receiptRecorded.errorCode);
        return true;
      case 'callRecorded':
        this.#calls.answer(command.callRecorded.requestId, command.callRecorded.errorCode);
        return true;
      case 'groupRecorded':
        this.#groups.answer(command.groupRecorded.requestId, command.groupRecorded.errorCode);
        return true;
      case 'historyRecorded':
        this.#history.answer(command.historyRecorded.requestId, command.historyRecorded.errorCode);
        return true;
      default:
        return false;
    }
  }

  /** Rejects what waits and what comes from now on. */
  end(error: Error): void {
    this.#ended = error;
    for (const answers of [this.#inbound, this.#receipts, this.#calls, this.#groups, this.#history])
      answers.rejectAll(error);
  }

  async #record(
    what: string,
    answers: PendingAnswers<string>,
    ask: (requestId: number) => void,
  ): Promise<void> {
    if (this.#ended) throw this.#ended;
    try {
      const errorCode = await answers.ask(ask);
      if (errorCode) throw new Error(errorCode);
    } catch (error) {
      if (!this.#ended) this.onFailure(what, error);
      throw error;
    }
  }

  #receipt(content: ReceiptContent): Promise<void> {
    return this.#record('receipt', this.#receipts, (requestId) => this.#emitReceipt(requestId, content));
  }

  #emitReceipt(requestId: number, content: ReceiptContent): void {
    this.stream.emit({ $case: 'receipt', receipt: { requestId, ...this.#owner, ...content } });
  }

  #emitGroup(requestId: number, change: GroupChange): void {
    this.stream.emit({ $case: 'groupChanged', groupChanged: { requestId, ...this.#owner, ...change } });
  }
}
