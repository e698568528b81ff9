/**
 * Who waits, in an order in which nobody waits for ever.
 */

/** A queue of queues: each name gets its turn, and first come are first served within a name. */
export interface FairQueue<T> {
  readonly size: number;
  /**
   * Adds one.
   *
   * @param isFirst - before all others: for what has waited already.
   */
  add(name: string, item: T, isFirst?: boolean): void;
  /** The next one, left where it is. */
  peek(): T | undefined;
  /** Takes what `peek` shows. */
  take(): T | undefined;
  remove(item: T): void;
}

interface Line<T> {
  readonly name: string;
  items: T[];
  head: number;
}

/** An empty queue. */
export function createFairQueue<T>(): FairQueue<T> {
  return new RoundRobin<T>();
}

class RoundRobin<T> implements FairQueue<T> {
  readonly #first: Line<T> = { name: '', items: [], head: 0 };
  readonly #lines = new Map<string, Line<T>>();
  /** Names in the order of their turns; the first is next. */
  #turns: Line<T>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(name: string, item: T, isFirst = false): void {
    this.#size += 1;
    if (isFirst) {
      this.#first.items.push(item);
      return;
    }
    let line = this.#lines.get(name);
    if (line === undefined) {
      line = { name, items: [], head: 0 };
      this.#lines.set(name, line);
      this.#turns.push(line);
    }
    line.items.push(item);
  }

  peek(): T | undefined {
    const line = this.#next();
    return line?.items[line.head];
  }

  take(): T | undefined {
    const line = this.#next();
    if (line === undefined) return undefined;
    const item = line.items[line.head];
    this.#size -= 1;
    line.head += 1;
    compact(line);
    if (line !== this.#first) this.#passTurn(line);
    return item;
  }

  remove(item: T): void {
    for (const line of [this.#first, ...this.#turns]) {
      const index = line.items.indexOf(item, line.head);
      if (index === -1) continue;
      line.items.splice(index, 1);
      this.#size -= 1;
      if (line !== this.#first && isEmpty(line)) this.#drop(line);
      return;
    }
  }

  #next(): Line<T> | undefined {
    return isEmpty(this.#first) ? this.#turns[0] : this.#first;
  }

  #passTurn(line: Line<T>): void {
    if (isEmpty(line)) this.#drop(line);
    else if (this.#turns.length > 1) {
      this.#turns.shift();
      this.#turns.push(line);
    }
  }

  #drop(line: Line<T>): void {
    this.#lines.delete(line.name);
    this.#turns = this.#turns.filter((other) => other !== line);
  }
}

function isEmpty<T>(line: Line<T>): boolean {
  return line.head >= line.items.length;
}

/** Shifting each item would take time with the square of the length. */
function compact<T>(line: Line<T>): void {
  if (line.head < 1024 || line.head * 2 < line.items.length) return;
  line.items = line.items.slice(line.head);
  line.head = 0;
}
