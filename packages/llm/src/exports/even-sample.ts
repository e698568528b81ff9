/**
 * Some of many, evenly spaced, of a stream whose length is not known.
 */

/** Keeps every first, second, fourth ... entry, so that at most twice the limit are in memory. */
export class EvenSample<T> {
  readonly #limit: number;
  #stride = 1;
  #seen = 0;
  #kept: T[] = [];

  /** @param limit - entries that {@link entries} gives at most. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Entries that were offered. */
  get seen(): number {
    return this.#seen;
  }

  /** Offers an entry; it is made only when it is kept. */
  add(make: () => T): void {
    if (this.#seen % this.#stride === 0) this.#kept.push(make());
    this.#seen += 1;
    if (this.#kept.length <= 2 * this.#limit) return;
    this.#kept = this.#kept.filter((_, index) => index % 2 === 0);
    this.#stride *= 2;
  }

  /** The sample in the order of the stream: all where there are few. */
  entries(): T[] {
    const count = Math.min(this.#limit, this.#kept.length);
    const step = this.#kept.length / Math.max(1, count);
    return Array.from({ length: count }, (_, index) => this.#kept[Math.floor(index * step)] as T);
  }
}
