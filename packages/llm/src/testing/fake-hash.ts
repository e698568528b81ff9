/**
 * Choices that depend on a prompt alone, never on order or time.
 */
import { hash as digest } from 'node:crypto';

/** SHA-256 of a text, in lower-case hexadecimal. */
export function textHash(text: string): string {
  return digest('sha256', text);
}

/** 32 bits of a hash, mixed with a salt: equal inputs, equal bits. */
export function mixBits(hash: string, salt: number): number {
  return scramble(Number.parseInt(hash.slice(0, 8), 16) ^ salt);
}

/** A number in [0, 1) that depends on a hash and a salt only. */
export function shareOf(hash: string, salt: number): number {
  return mixBits(hash, salt) / 4_294_967_296;
}

/** 32 bits of a short text, for salts. */
export function saltOf(text: string): number {
  let bits = 2_166_136_261;
  for (let i = 0; i < text.length; i += 1) {
    bits = Math.imul(bits ^ text.charCodeAt(i), 16_777_619);
  }
  return scramble(bits);
}

/** Spreads every bit over all; the finaliser of MurmurHash3, which is in the public domain. */
export function scramble(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
