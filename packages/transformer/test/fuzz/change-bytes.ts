/**
 * Changes of bytes that know nothing of their meaning.
 */
import type { Random } from '@lab/core';
import { oneOf } from './change-json.js';

const KINDS = ['bit', 'bit', 'byte', 'byte', 'digit', 'insert', 'delete', 'copy', 'cut', 'zero'];
const DIGITS = Buffer.from('0123456789-+.eE,:[]{}" ');

/**
 * Bytes with one to three changes.
 *
 * @param focus - leading bytes that get half of the changes.
 */
export function changedBytes(random: Random, bytes: Uint8Array, focus: number): Uint8Array {
  let changed: Buffer = Buffer.from(bytes);
  const count = 1 + random.integer(3);
  for (let at = 0; at < count && changed.length > 0; at += 1)
    changed = once(random, changed, focus);
  return changed;
}

function once(random: Random, bytes: Buffer, focus: number): Buffer {
  const reach = random.uniform() < 0.5 ? Math.min(focus, bytes.length) : bytes.length;
  const at = random.integer(Math.max(reach, 1));
  const run = 1 + random.integer(oneOf(random, [1, 4, 64]));
  const after = bytes.subarray(at + run);
  switch (oneOf(random, KINDS)) {
    case 'bit':
      bytes[at]! ^= 1 << random.integer(8);
      return bytes;
    case 'byte':
      bytes[at] = oneOf(random, [0, 0x7f, 0x80, 0xff, random.integer(256)]);
      return bytes;
    case 'digit':
      bytes[at] = oneOf(random, [...DIGITS]);
      return bytes;
    case 'insert': {
      const own = Buffer.from(Array.from({ length: run }, () => random.integer(256)));
      return Buffer.concat([bytes.subarray(0, at), own, bytes.subarray(at)]);
    }
    case 'delete':
      return Buffer.concat([bytes.subarray(0, at), after]);
    case 'copy': {
      const from = random.integer(bytes.length);
      const own = bytes.subarray(from, from + run);
      return Buffer.concat([bytes.subarray(0, at), own, bytes.subarray(at)]);
    }
    case 'zero':
      bytes.fill(0, at, Math.min(at + run, bytes.length));
      return bytes;
    default:
      return bytes.subarray(0, at);
  }
}
