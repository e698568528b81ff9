import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StopSearch } from '../../src/generation/stop-search.js';

const letters = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\u20ac'), minLength: 1, maxLength });
const parts = fc.array(fc.oneof(letters(3), fc.constant('')), { maxLength: 20 });

describe('StopSearch', () => {
  it('keeps the text before the first stop text exactly, wherever parts end', () => {
    fc.assert(
      fc.property(parts, fc.array(letters(4), { maxLength: 3 }), (given, stops) => {
        const search = new StopSearch(stops);
        let kept = '';
        let ended: string | null = null;
        let read = '';
        for (const part of given) {
          read += part;
          const { text, stop } = search.push(part);
          kept += text;
          // Nothing is given out that a stop text may still begin in.
          const open = stops.some((one) =>
            Array.from({ length: one.length - 1 }, (_, at) => one.slice(0, at + 1)).some(
              (begin) => kept.endsWith(begin) && kept.length === read.length,
            ),
          );
          expect(stop === null && open).toBe(false);
          ended = stop;
          if (stop !== null) break;
        }
        if (ended === null) {
          expect(kept + search.release()).toBe(read);
          expect(stops.some((stop) => read.includes(stop))).toBe(false);
        } else {
          const first = Math.min(
            ...stops.map((stop) => read.indexOf(stop)).filter((at) => at >= 0),
          );
          expect(kept).toBe(read.slice(0, first));
          expect(read.slice(first).startsWith(ended)).toBe(true);
        }
      }),
    );
  });
});
