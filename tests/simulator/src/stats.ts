/** Counters since the start. */
export class Stats {
  messages = 0;
  /** Message copies handed to linked companions. */
  delivered = 0;
  receipts = 0;
  iqs = 0;
  logins = 0;
  pairings = 0;
  /** Files that clients uploaded and downloaded, and asked their phones for anew. */
  uploads = 0;
  downloads = 0;
  mediaRequests = 0;
  /** IQs that nothing here handles, by namespace and first child: what a new Baileys asks for. */
  readonly unknownIqs = new Map<string, number>();

  countUnknownIq(name: string): void {
    this.unknownIqs.set(name, (this.unknownIqs.get(name) ?? 0) + 1);
  }
}
