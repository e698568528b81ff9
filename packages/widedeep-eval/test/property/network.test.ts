import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aggregate } from '../../src/aggregate.js';
import type { Layer, Review } from '../../src/judgement.js';
import { krippendorffAlpha } from '../../src/jury-agreement.js';
import { neighbours } from '../../src/network.js';
import { swapLabels } from '../../src/position.js';
import { swapVerdict, type Verdict, verdicts } from '../../src/verdict.js';

const scores = fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 10 }));
const judge = fc.tuple(scores, scores);
const network = fc.array(fc.array(judge, { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 3,
});

const review = (u: number, v: number): Review => ({
  ...{ text: '', u, v, finish: 'stop', requestHash: null, usage: { in: 0, out: 0 } },
});

type Scores = readonly (readonly (readonly [
  readonly [number, number],
  readonly [number, number],
])[])[];

function layersOf(all: Scores, isSwapped = false): Layer[] {
  return all.map((judges, at) => ({
    layer: at + 1,
    neurons: judges.map(([forward, backward], j) => {
      const [one, two] = isSwapped
        ? [review(backward[1], backward[0]), review(forward[1], forward[0])]
        : [review(...forward), review(...backward)];
      return { j, roles: [], orders: { '12': one, '21': two } };
    }),
  }));
}

const options = fc.record({
  primary: fc.constantFrom('average' as const, 'vote' as const),
  scope: fc.constantFrom('all' as const, 'last' as const),
  tieBreak: fc.constantFrom('average' as const, 'tie' as const),
  perOrderVotes: fc.boolean(),
  tau: fc.constantFrom(0, 0.5, 2),
});

test('with the answers swapped the verdict is swapped', () => {
  fc.assert(
    fc.property(network, options, (all, how) => {
      const verdict = aggregate(layersOf(all), how).verdict;
      const swapped = aggregate(layersOf(all, true), how).verdict;
      expect(swapped).toBe(verdict === null ? null : swapVerdict(verdict));
    }),
  );
});

test('the order of judges within a layer changes nothing', () => {
  fc.assert(
    fc.property(network, options, (all, how) => {
      const turned = all.map((judges) => [...judges].reverse());
      expect(aggregate(layersOf(turned), how)).toEqual(aggregate(layersOf(all), how));
    }),
  );
});

test('labels swapped twice are the text', () => {
  const words = fc.constantFrom(
    ...[
      'Assistant 1',
      'assistant two',
      'the first answer',
      'Response #2',
      '助手1',
      '1.',
      'Answer 2',
    ],
    ...['the second one', 'and', '\n', '2 of 3', 'Ассистент 2', '第一个助手', 'ASSISTANT 1'],
  );
  fc.assert(
    fc.property(fc.array(words), (parts) => {
      const text = parts.join(' ');
      expect(swapLabels(swapLabels(text))).toBe(text);
    }),
  );
});

test('a judge reads itself, and who reads whom is symmetrical', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 4 }), (n, window) => {
      const reads = Array.from({ length: n }, (_, j) =>
        neighbours(j, n, { connectivity: 'window', window }),
      );
      for (const [j, own] of reads.entries()) {
        expect(own).toContain(j);
        for (const i of own) expect(reads[i]).toContain(j);
      }
    }),
  );
});

test("agreement does not exceed 1, and renaming verdicts doesn't change it", () => {
  const votes = fc.array(fc.array(fc.constantFrom(...verdicts), { maxLength: 5 }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(votes, (all) => {
      const alpha = krippendorffAlpha(all);
      if (alpha === null) return;
      expect(alpha).toBeLessThanOrEqual(1);
      const renamed = all.map((sample) => sample.map((verdict): Verdict => swapVerdict(verdict)));
      expect(krippendorffAlpha(renamed)).toBeCloseTo(alpha, 12);
    }),
  );
});
