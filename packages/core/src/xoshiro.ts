import { createHash } from 'node:crypto';

/** The four 32-bit words of a xoshiro128** generator. */
export type XoshiroState = Int32Array;

/** A state from the first 128 bits of the SHA-256 of a text. */
export function seedState(text: string): XoshiroState {
  const digest = createHash('sha256').update(text).digest();
  const state = new Int32Array(4);
  for (let i = 0; i < 4; i += 1) state[i] = digest.readInt32LE(4 * i);
  return state;
}

/**
 * The next 32 bits, as a signed integer; moves the state on.
 *
 * Source: Blackman & Vigna, "Scrambled linear pseudorandom number generators" (2021), xoshiro128**.
 */
export function nextBits(state: XoshiroState): number {
  const b = state[1]!;
  const product = Math.imul(b, 5);
  const c = state[2]! ^ state[0]!;
  const d = state[3]! ^ b;
  state[1] = b ^ c;
  state[0] = state[0]! ^ d;
  state[2] = c ^ (b << 9);
  state[3] = (d << 11) | (d >>> 21);
  return Math.imul((product << 7) | (product >>> 25), 9);
}

/** A number in [0, 1) of 53 random bits. */
export function unitInterval(state: XoshiroState): number {
  return ((nextBits(state) >>> 5) * 67108864 + (nextBits(state) >>> 6)) / 9007199254740992;
}
