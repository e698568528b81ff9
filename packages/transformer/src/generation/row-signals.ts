/**
 * Rows that end when a signal aborts.
 */

/** What a signal ends. */
interface Ended {
  readonly stream: { readonly ended: Promise<unknown> };
  finish(reason: 'aborted'): void;
}

/** Watches signals, each with one listener however many rows it ends: Node warns of many. */
export class RowSignals {
  private readonly rows = new Map<AbortSignal, Set<Ended>>();

  /** Ends the row when the signal aborts, unless it ended before. */
  watch(row: Ended, signal: AbortSignal): void {
    const known = this.rows.get(signal);
    if (known === undefined) signal.addEventListener('abort', this.abort);
    const own = known ?? new Set();
    this.rows.set(signal, own.add(row));
    void row.stream.ended.then(() => {
      own.delete(row);
      if (own.size === 0) this.forget(signal);
    });
  }

  private readonly abort = ({ target }: Event): void => {
    const signal = target as AbortSignal;
    const ended = this.rows.get(signal) ?? [];
    this.forget(signal);
    for (const row of ended) row.finish('aborted');
  };

  private forget(signal: AbortSignal): void {
    signal.removeEventListener('abort', this.abort);
    this.rows.delete(signal);
  }
}
