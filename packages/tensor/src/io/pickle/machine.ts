import { ArrayBuilder } from './array-builder.js';
import type { PickleInput } from './input.js';

const maxStackLength = 50_000_000;
const maxMarks = 10_000_000;
/** Memory that a pickle may ask for beside the size of its file, and per byte of it. */
const freeBytes = 128 * 2 ** 20;
const bytesPerFileByte = 16;

/** The stack, marks and memo of a pickle that is being read. */
export class PickleMachine {
  readonly arrays: ArrayBuilder;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #memoryLeft: number;

  constructor(readonly input: PickleInput) {
    this.arrays = new ArrayBuilder(input);
    this.#memoryLeft = freeBytes + bytesPerFileByte * input.bytesLeft;
  }

  /** An error that names the file and the place. */
  failure(what: string, help?: string): Error {
    return this.input.failure(what, help);
  }

  /** The error for everything that could run code. */
  refusal(what: string): Error {
    return this.input.refusal(what);
  }

  push(value: unknown): void {
    if (this.#stack.length >= maxStackLength) {
      throw this.failure(`keeps more than ${maxStackLength} values on its stack`);
    }
    this.#stack.push(value);
  }

  /**
   * Pushes a new container, text, byte string or array; the memory of all of them is bounded by the
   * size of the file, as two bytes can ask for an empty dict of 200.
   */
  pushObject(value: unknown): void {
    this.#memoryLeft -= memoryOf(value);
    if (this.#memoryLeft < 0) {
      throw this.failure('makes more objects than a file of its size should', 'Save arrays.');
    }
    this.push(value);
  }

  pop(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) {
      throw this.failure('takes a value from an empty stack');
    }
    return this.#stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  mark(): void {
    if (this.#marks.length >= maxMarks) throw this.failure('sets too many marks');
    this.#marks.push(this.#stack.length);
  }

  /** The values above the last mark, which is removed. */
  popToMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.failure('looks for a mark that was not set');
    return this.#stack.splice(mark);
  }

  /** Removes the last value, or the mark when there is none above it. */
  discard(): void {
    if (this.#marks.length > 0 && this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  remember(key: number): void {
    if (!Number.isSafeInteger(key) || key < 0) throw this.failure(`has memo key ${key}`);
    this.#memo.set(key, this.top());
  }

  /** Remembers under the next free number. */
  memoize(): void {
    this.remember(this.#memo.size);
  }

  recall(key: number): void {
    if (!this.#memo.has(key)) throw this.failure(`asks for memo ${key}, which is not there`);
    this.push(this.#memo.get(key));
  }

  /** The only value left. */
  result(): unknown {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) {
      throw this.failure('ends with values left on its stack');
    }
    return value;
  }
}

/** Bytes that V8 takes for a value, roughly. */
function memoryOf(value: unknown): number {
  if (typeof value === 'string') return 32 + value.length;
  if (Array.isArray(value)) return 48 + 8 * value.length;
  return value instanceof Uint8Array ? 160 + value.length : 200;
}
