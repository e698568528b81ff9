import { ConfigError } from './errors.js';
import type { Shufflable } from './random.js';

/**
 * The generator of `numpy.random.RandomState`, draw for draw: for results that must agree with
 * programs in Python. For everything else there is {@link createRandom}.
 */
export interface MersenneTwister {
  /** 32 random bits as an unsigned integer. */
  next32(): number;
  /** Uniform in [0, 1), 53 bits, as `random_sample`; times a width it gives `uniform`. */
  uniform(): number;
  /** Whole number in 0 .. largest: bits masked to the smallest 2^k - 1, drawn until they fit. */
  integerUpTo(largest: number): number;
  /** Shuffles in place and returns the same array, as `shuffle`. */
  shuffle<T extends Shufflable>(array: T): T;
  /** A random order of 0 .. n - 1, as `permutation(n)`. */
  permutation(n: number): Int32Array;
}

const SIZE = 624;
const SHIFT = 397;

/**
 * MT19937 with the seeding of `numpy.random.RandomState(seed)`.
 *
 * `s[i] = 1812433253 (s[i-1] xor (s[i-1] >> 30)) + i`, then the twist and the tempering.
 * Source: Matsumoto & Nishimura, "Mersenne twister" (1998), with the initialiser of 2002.
 *
 * @param seed - 0 .. 2^32 - 1.
 * @throws {ConfigError} when the seed is no such whole number.
 *
 * @example
 * Array.from(createMersenneTwister(42).permutation(10)); // => [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]
 */
export function createMersenneTwister(seed: number): MersenneTwister {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new ConfigError(`core/mersenne-twister: seed ${seed} is no whole number 0..4294967295.`, {
      help: 'use a seed that NumPy would take, such as 42.',
    });
  }
  return new Twister(seed);
}

class Twister implements MersenneTwister {
  readonly #state = new Uint32Array(SIZE);
  #at = SIZE;

  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < SIZE; i += 1) {
      const last = state[i - 1]!;
      state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
  }

  next32(): number {
    if (this.#at >= SIZE) this.#twist();
    let y = this.#state[this.#at]!;
    this.#at += 1;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < SIZE; i += 1) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % SIZE]! & 0x7fffffff);
      state[i] = state[(i + SHIFT) % SIZE]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#at = 0;
  }

  uniform(): number {
    return ((this.next32() >>> 5) * 67108864 + (this.next32() >>> 6)) / 9007199254740992;
  }

  integerUpTo(largest: number): number {
    if (!Number.isInteger(largest) || largest < 0 || largest > 0xffffffff) {
      throw new ConfigError(`core/mersenne-twister: integerUpTo(${largest}) is out of range.`, {
        help: 'give a whole number 0..4294967295.',
      });
    }
    if (largest === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(largest);
    for (;;) {
      const draw = (this.next32() & mask) >>> 0;
      if (draw <= largest) return draw;
    }
  }

  shuffle<T extends Shufflable>(array: T): T {
    for (let i = array.length - 1; i > 0; i -= 1) {
      const j = this.integerUpTo(i);
      const held = array[i];
      array[i] = array[j];
      array[j] = held;
    }
    return array;
  }

  permutation(n: number): Int32Array {
    return this.shuffle(Int32Array.from({ length: n }, (_, i) => i));
  }
}
