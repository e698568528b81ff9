/**
 * A growing list of 32-bit integers in one typed array, for readers that do not know the
 * number of lines in advance.
 */
export class IntList {
  #values: Int32Array;
  #length = 0;

  /** @param capacity - room for this many integers before the first copy, default 1,024. */
  constructor(capacity = 1024) {
    this.#values = new Int32Array(Math.max(1, capacity));
  }

  /** Integers in the list. */
  get length(): number {
    return this.#length;
  }

  /** Adds `value` at the end. */
  push(value: number): void {
    if (this.#length === this.#values.length) this.#grow();
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  /** The integer at `index`, 0 behind the end. */
  at(index: number): number {
    return index < this.#length ? (this.#values[index] as number) : 0;
  }

  /** A copy of exact length. */
  toArray(): Int32Array {
    return this.#values.slice(0, this.#length);
  }

  #grow(): void {
    const larger = new Int32Array(this.#values.length * 2);
    larger.set(this.#values);
    this.#values = larger;
  }
}
