/** What can go wrong on purpose. The README says what each one does. */
export const FAULT_KINDS = [
  'cut',
  'cut_before_message',
  'cut_after_message',
  'freeze',
  'refuse',
  'login_failure',
  'stream_error',
  'ack_error',
  'lost_ack',
  'late_ack',
  'lost_message',
  'latency',
  'iq_error',
  'iq_silence',
  'corrupt',
  'no_keys',
  'media_upload',
  'media_download',
  'media_gone',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** A request for a fault. */
export interface FaultSpec {
  kind: FaultKind;
  /** Only for this account, E.164; every account without it. */
  number?: string;
  /** How many times it strikes; until it is cleared without it. */
  count?: number;
  /** HTTP status, stream error, login failure, ack error or IQ error code, by kind. */
  code?: number;
  /** Milliseconds: of latency or lateness. */
  ms?: number;
  /** IQ namespace, for the IQ faults. */
  xmlns?: string;
  /** Seconds that a temporary ban lasts, and why it was given, for a login failure with code 402. */
  expire_s?: number;
  ban_code?: number;
}

export interface Fault extends FaultSpec {
  id: number;
  struck: number;
}

/** The faults in force. Costs nothing while there are none of a kind. */
export class FaultTable {
  private readonly byKind = new Map<FaultKind, Fault[]>();
  private lastId = 0;

  add(spec: FaultSpec): Fault {
    const fault = { ...spec, id: ++this.lastId, struck: 0 };
    const others = this.byKind.get(spec.kind);
    if (others) others.push(fault);
    else this.byKind.set(spec.kind, [fault]);
    return fault;
  }

  /** The first fault of the kind that fits, counted as having struck; undefined when there is none. */
  take(kind: FaultKind, number?: string, xmlns?: string): Fault | undefined {
    const fault = this.peek(kind, number, xmlns);
    if (!fault) return undefined;
    fault.struck += 1;
    if (fault.count !== undefined && fault.struck >= fault.count) this.remove(fault.id);
    return fault;
  }

  /** The first fault of the kind that fits, left as it is. */
  peek(kind: FaultKind, number?: string, xmlns?: string): Fault | undefined {
    return this.byKind
      .get(kind)
      ?.find(
        (fault) =>
          (fault.number === undefined || fault.number === number) &&
          (fault.xmlns === undefined || fault.xmlns === xmlns),
      );
  }

  list(): Fault[] {
    return [...this.byKind.values()].flat().sort((a, b) => a.id - b.id);
  }

  remove(id: number): boolean {
    for (const [kind, faults] of this.byKind) {
      const index = faults.findIndex((fault) => fault.id === id);
      if (index < 0) continue;
      faults.splice(index, 1);
      if (faults.length === 0) this.byKind.delete(kind);
      return true;
    }
    return false;
  }

  clear(): void {
    this.byKind.clear();
  }
}
