/**
 * The last things that a server was asked.
 */

const mostEntries = 1000;
const mostCharacters = 64_000_000;

/** Keeps the last 1,000 entries, fewer where they are long. */
export class RequestLog<T> {
  /** Undefined where an entry was let go. */
  #entries: ({ readonly entry: T; readonly characters: number } | undefined)[] = [];
  #first = 0;
  #characters = 0;

  /** The entries, oldest first. */
  entries(): T[] {
    return this.#entries.flatMap((kept) => (kept === undefined ? [] : [kept.entry]));
  }

  /** Adds an entry of so many characters. */
  add(entry: T, characters: number): void {
    this.#entries.push({ entry, characters });
    this.#characters += characters;
    while (this.#isOver()) {
      this.#characters -= this.#entries[this.#first]?.characters ?? 0;
      this.#entries[this.#first] = undefined;
      this.#first += 1;
    }
    // Their places leave the list many at a time, as taking one off its start moves all.
    if (this.#first < mostEntries) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }

  #isOver(): boolean {
    const count = this.#entries.length - this.#first;
    return count > mostEntries || (this.#characters > mostCharacters && count > 1);
  }

  clear(): void {
    this.#entries = [];
    this.#first = 0;
    this.#characters = 0;
  }
}
