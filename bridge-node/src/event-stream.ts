import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Closed, SessionCommand, SessionEvent } from './generated/ponte/bridge/v1/bridge.js';

/** More events than this waiting for a gateway that does not read: the session is given up. */
const MAX_QUEUED_EVENTS = 10_000;

type Event = NonNullable<SessionEvent['event']>;

/** The sending side of a session's stream. Emitting on a stream that is gone does nothing. */
export class EventStream {
  #ended = false;
  #readable = true;

  constructor(
    readonly call: ServerDuplexStream<SessionCommand, SessionEvent>,
    /** The gateway does not keep up. */
    readonly onOverflow: () => void,
  ) {
    call.on('end', () => {
      this.#readable = false;
    });
    call.on('cancelled', () => {
      this.#readable = false;
      this.#ended = true;
    });
  }

  /** Whether the gateway can still answer. */
  get isOpen(): boolean {
    return this.#readable && !this.#ended;
  }

  emit(event: Event): void {
    if (this.#ended) return;
    if (this.call.writableLength >= MAX_QUEUED_EVENTS) {
      this.onOverflow();
      return;
    }
    this.call.write({ event });
  }

  end(closed: Closed): void {
    if (this.#ended) return;
    this.#ended = true;
    this.call.write({ event: { $case: 'closed', closed } });
    this.call.end();
  }
}
