/** Entries in order of arrival, each with its sequence number; the oldest go when there are too many. */
export class BoundedLog<T extends object> {
  private readonly entries: (T & { seq: number })[] = [];
  private readonly limit: number;
  private lastSeq = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Number of the newest entry; 0 before the first. */
  get last(): number {
    return this.lastSeq;
  }

  /** Numbers and keeps the entry itself: later changes to it show. */
  add(entry: T): T & { seq: number } {
    this.lastSeq += 1;
    const numbered = Object.assign(entry, { seq: this.lastSeq });
    this.entries.push(numbered);
    // Dropping a tenth at a time keeps the cost per entry constant.
    if (this.entries.length > this.limit * 1.1) this.entries.splice(0, this.entries.length - this.limit);
    return numbered;
  }

  /** Up to `limit` entries with a number above `seq`, oldest first. */
  after(seq: number, limit = Number.POSITIVE_INFINITY): (T & { seq: number })[] {
    const first = this.entries[0]?.seq ?? 1;
    const start = Math.max(0, seq - first + 1);
    return this.entries.slice(start, start + limit);
  }
}

/** A set that forgets its oldest members beyond a limit. */
export class BoundedSet {
  private readonly members = new Set<string>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Adds and says whether it was new. */
  add(member: string): boolean {
    if (this.members.has(member)) return false;
    this.members.add(member);
    if (this.members.size > this.limit) {
      const oldest = this.members.values().next();
      if (!oldest.done) this.members.delete(oldest.value);
    }
    return true;
  }
}
