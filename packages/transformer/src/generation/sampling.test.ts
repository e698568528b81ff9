import { createRandom, ModelError } from '@lab/core';
import '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { mostProbable, nextToken, tokenLogprobs } from './sampling.js';

const barred: ReadonlySet<number> = new Set();
const logits = Float32Array.of(1, 3, 2, 3, -1);
const never = () => {
  throw new Error('drawn');
};

describe('nextToken', () => {
  it('takes the largest logit without a draw, of equal ones the lower id', () => {
    expect(nextToken({ logits, barred }, {}, never)).toBe(1);
    expect(nextToken({ logits, barred: new Set([1]) }, { temperature: 0 }, never)).toBe(3);
  });

  it('draws each token as often as its probability says', () => {
    const random = createRandom(3);
    const counts = new Float64Array(5);
    const draws = 20_000;
    for (let at = 0; at < draws; at += 1) {
      counts[nextToken({ logits, barred }, { temperature: 2 }, () => random.uniform())]! += 1;
    }
    const weights = Array.from(logits, (value) => Math.exp(value / 2));
    const sum = weights.reduce((all, weight) => all + weight, 0);
    // Four standard deviations of a share of a half.
    const atol = 4 * Math.sqrt(0.25 / draws);
    expect(Array.from(counts, (count) => count / draws)).toBeClose(
      weights.map((weight) => weight / sum),
      { atol, rtol: 0 },
    );
  });

  it.each([
    ['topK', { topK: 2 }, [1, 3]],
    ['topP', { topP: 0.8 }, [1, 2, 3]],
    ['a topP that one token reaches', { topP: 0.3 }, [1]],
    ['topP among topK', { topK: 3, topP: 0.99 }, [1, 2, 3]],
    ['nothing', {}, [0, 1, 2, 3, 4]],
  ])('with %s draws among the right tokens', (_, options, kept) => {
    const found = new Set(
      Array.from({ length: 999 }, (__, at) =>
        nextToken({ logits, barred }, { temperature: 1, ...options }, () => at / 999),
      ),
    );
    expect([...found].toSorted((a, b) => a - b)).toEqual(kept);
  });

  it('never takes a barred token', () => {
    const options = { temperature: 5, topP: 0.99 };
    const kept = new Set([0, 2, 4]);
    for (let at = 0; at < 100; at += 1) {
      const id = nextToken({ logits, barred: new Set([1, 3]) }, options, () => at / 100);
      expect(kept.has(id)).toBe(true);
    }
  });

  it('refuses logits that are not numbers', () => {
    const broken = Float32Array.of(1, Number.NaN, 2);
    expect(() => nextToken({ logits: broken, barred }, {}, never)).toThrow(ModelError);
  });
});

describe('mostProbable', () => {
  it.each([1, 2, 5, 40, 399, 400])('gives the %i largest in their order', (count) => {
    const random = createRandom(count);
    // Few values, so that many are equal.
    const values = Float32Array.from({ length: 400 }, () => random.integer(50));
    const wanted = Array.from(values, (_, id) => id)
      .toSorted((a, b) => values[b]! - values[a]! || a - b)
      .slice(0, count);
    expect(mostProbable(values, count)).toEqual(wanted);
  });
});

describe('tokenLogprobs', () => {
  it('are normalised in float64, whatever the size of the logits', () => {
    const large = Float32Array.of(1e4, 1e4 - 1);
    const { logprob, topLogprobs } = tokenLogprobs(large, 1, 2);
    expect(logprob).toBeCloseTo(-1 - Math.log1p(Math.exp(-1)), 12);
    expect(topLogprobs?.map(({ id }) => id)).toEqual([0, 1]);
    expect(Math.exp(topLogprobs![0]!.logprob) + Math.exp(logprob)).toBeCloseTo(1, 12);
  });
});
