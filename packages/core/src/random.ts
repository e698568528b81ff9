import { ConfigError } from './errors.js';
import { portableExp, portableLog } from './portable-math.js';
import { fillZiggurat, ziggurat } from './ziggurat.js';
import { nextBits, seedState, unitInterval, type XoshiroState } from './xoshiro.js';

/** Anything with a length and writable elements: arrays and typed arrays. */
export interface Shufflable {
  readonly length: number;
  [index: number]: unknown;
}

/**
 * A stream of random numbers that depends on the seed and its own name only.
 *
 * Every draw is built from 32-bit integers and basic arithmetic, so a stream is the same on every
 * platform.
 */
export interface Random {
  /** Path of names from the root, e.g. `epoch/12/noise`; empty at the root. */
  readonly name: string;
  /**
   * A stream of its own: depends on the seed and the path of names, not on the draws made so far.
   * `fork('a').fork('b')` and `fork('a/b')` are the same stream from its start.
   */
  fork(name: string): Random;
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal (mean 0, deviation 1). */
  normal(): number;
  /** Uniform whole number in 0 .. below - 1, without bias; `below` in 1 .. 2^53. */
  integer(below: number): number;
  /** Beta distributed in [0, 1]; both parameters > 0. */
  beta(a: number, b: number): number;
  /** Shuffles in place (Fisher-Yates) and returns the same array. */
  shuffle<T extends Shufflable>(array: T): T;
  /** A random order of 0 .. n - 1. */
  permutation(n: number): Int32Array;
  /** Fills with uniform numbers in [low, high), default [0, 1); returns `out`. */
  fillUniform(out: Float32Array, low?: number, high?: number): Float32Array;
  /** Fills with normal numbers, default mean 0 and deviation 1; returns `out`. */
  fillNormal(out: Float32Array, mean?: number, deviation?: number): Float32Array;
  /** 32 random bits as an unsigned integer: a seed for counter-based kernels. */
  seed32(): number;
}

/**
 * The root stream of a seed: xoshiro128** whose state is the first 128 bits of the SHA-256 of
 * `seed`, a line feed, and the path of names.
 *
 * Source: Blackman & Vigna, "Scrambled linear pseudorandom number generators" (2021), xoshiro128**.
 *
 * @param seed - an integer or a text; `1` and `'1'` are the same seed.
 * @throws {ConfigError} when a numeric seed is not a safe integer.
 */
export function createRandom(seed: number | string): Random {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed)) {
    throw new ConfigError(`core/random: seed ${seed} is not a whole number.`, {
      help: 'use a whole number such as 2024.',
    });
  }
  return new Stream(String(seed), '');
}

/** Numbers that 32 bits, and the digits of a double, can tell apart. */
const wholeRange = 4294967296;
const safeRange = 9007199254740992;

class Stream implements Random {
  readonly name: string;
  readonly #seed: string;
  readonly #state: XoshiroState;
  #below = 0;
  #limit = 0;

  constructor(seed: string, name: string) {
    this.name = name;
    this.#seed = seed;
    this.#state = seedState(`${seed}\n${name}`);
  }

  fork(name: string): Random {
    return new Stream(this.#seed, this.name === '' ? name : `${this.name}/${name}`);
  }

  seed32(): number {
    return nextBits(this.#state) >>> 0;
  }

  uniform(): number {
    return unitInterval(this.#state);
  }

  normal(): number {
    return ziggurat(this.#state);
  }

  integer(below: number): number {
    if (below !== this.#below) this.#setBelow(below);
    const limit = this.#limit;
    if (below > wholeRange) {
      for (;;) {
        const draw = this.uniform() * safeRange;
        if (draw < limit) return draw % below;
      }
    }
    for (;;) {
      const draw = nextBits(this.#state) >>> 0;
      // The remainder as `draw % below` gives it, in a third of its time: the quotient of two
      // numbers below 2^32 is never rounded up to the next whole number.
      if (draw < limit) return draw - Math.floor(draw / below) * below;
    }
  }

  /** Notes below which draws are without bias: bounds seldom change from draw to draw. */
  #setBelow(below: number): void {
    if (!Number.isSafeInteger(below) || below < 1) {
      throw new ConfigError(`core/random: integer(${below}) needs a whole number of at least 1.`);
    }
    const range = below <= wholeRange ? wholeRange : safeRange;
    this.#limit = range - (range % below);
    this.#below = below;
  }

  beta(a: number, b: number): number {
    if (!(a > 0 && b > 0)) {
      throw new ConfigError(`core/random: beta(${a}, ${b}) needs two numbers above 0.`);
    }
    const x = logGamma(this, a);
    const y = logGamma(this, b);
    return x > y ? 1 / (1 + portableExp(y - x)) : 1 - 1 / (1 + portableExp(x - y));
  }

  shuffle<T extends Shufflable>(array: T): T {
    for (let i = array.length - 1; i > 0; i -= 1) {
      const j = this.integer(i + 1);
      const held = array[i];
      array[i] = array[j];
      array[j] = held;
    }
    return array;
  }

  permutation(n: number): Int32Array {
    const order = new Int32Array(n);
    for (let i = 0; i < n; i += 1) order[i] = i;
    return this.shuffle(order);
  }

  fillUniform(out: Float32Array, low = 0, high = 1): Float32Array {
    const scale = (high - low) / 16777216;
    const state = this.#state;
    for (let i = 0; i < out.length; i += 1) out[i] = low + (nextBits(state) >>> 8) * scale;
    return out;
  }

  fillNormal(out: Float32Array, mean = 0, deviation = 1): Float32Array {
    fillZiggurat(this.#state, out);
    if (mean === 0 && deviation === 1) return out;
    for (let i = 0; i < out.length; i += 1) out[i] = mean + deviation * out[i]!;
    return out;
  }
}

/**
 * The logarithm of a gamma variate with scale 1.
 *
 * Source: Marsaglia & Tsang, "A simple method for generating gamma variables" (2000); shapes below
 * one through `G(a) = G(a + 1) U^(1/a)`, in logarithms because small shapes underflow.
 */
function logGamma(random: Random, shape: number): number {
  if (shape < 1) {
    return logGamma(random, shape + 1) + portableLog(1 - random.uniform()) / shape;
  }
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const root = 1 + c * x;
    const v = root * root * root;
    if (v <= 0) continue;
    const logV = portableLog(v);
    if (portableLog(1 - random.uniform()) < 0.5 * x * x + d * (1 - v + logV)) {
      return portableLog(d) + logV;
    }
  }
}
