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

/** A map that forgets its oldest entries beyond a limit. */
export class BoundedMap<T> {
  private readonly entries = new Map<string, T>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  get(key: string): T | undefined {
    return this.entries.get(key);
  }

  set(key: string, value: T): void {
    this.entries.set(key, value);
    if (this.entries.size <= this.limit) return;
    const oldest = this.entries.keys().next();
    if (!oldest.done) this.entries.delete(oldest.value);
  }

  delete(key: string): boolean {
    return this.entries.delete(key);
  }
}

/** A set that forgets its oldest members beyond a limit. */
export class BoundedSet {
  private readonly members: BoundedMap<true>;

  constructor(limit: number) {
    this.members = new BoundedMap(limit);
  }

  /** Adds and says whether it was new. */
  add(member: string): boolean {
    if (this.members.get(member)) return false;
    this.members.set(member, true);
    return true;
  }

  delete(member: string): boolean {
    return this.members.delete(member);
  }
}
