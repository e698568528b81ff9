import type { Heap } from '../ops/heap.js';

/** A field of a C struct: a whole number, a float, or an address. */
export type Word = number | { readonly float: number } | { readonly address: number };

/** The field that holds an address. */
export const addressWord = (address: number): Word => ({ address });

const isAddress = (word: Word): word is { readonly address: number } =>
  typeof word !== 'number' && 'address' in word;

const wholeUnits = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit;

/** Where each field of a struct begins, and its size, with its fields at multiples of their own. */
function layoutOf(words: readonly Word[], addressBytes: number) {
  let bytes = 0;
  const places = words.map((word) => {
    const size = isAddress(word) ? addressBytes : 4;
    const start = wholeUnits(bytes, size);
    bytes = start + size;
    return start;
  });
  return { places, bytes: wholeUnits(bytes, words.some(isAddress) ? addressBytes : 4) };
}

/** Puts C structs into the heap, one after the other; returns the address of the first. */
export function placeRecords(heap: Heap, records: readonly (readonly Word[])[]): number {
  const { bytes: addressBytes, base } = heap.addresses;
  const layouts = records.map((words) => layoutOf(words, addressBytes));
  const region = heap.ints(layouts.reduce((sum, { bytes }) => sum + bytes, 0) / 4);
  const values = region.view();
  const floats = new Float32Array(values.buffer, values.byteOffset, values.length);
  let start = 0;
  records.forEach((words, record) => {
    const { places, bytes } = layouts[record] as (typeof layouts)[number];
    words.forEach((word, field) => {
      const at = (start + (places[field] as number)) / 4;
      if (typeof word === 'number') values[at] = word;
      else if (!isAddress(word)) floats[at] = word.float;
      else {
        const address = word.address === 0 ? 0 : base + word.address;
        values[at] = address % 2 ** 32;
        if (addressBytes === 8) values[at + 1] = Math.floor(address / 2 ** 32);
      }
    });
    start += bytes;
  });
  return region.at();
}
