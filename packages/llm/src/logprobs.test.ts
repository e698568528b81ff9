import { describe, expect, it } from 'vitest';
import { result } from '../test/chat-result.js';
import { presumedCapabilities } from './capabilities.js';
import type { ChatRequest, TokenLogprob } from './chat.js';
import { findLabel } from './labels.js';
import { askForLabel, labelProbabilities, labelShares, weightedScore } from './logprobs.js';

function token(text: string, shares: Readonly<Record<string, number>> = { [text]: 1 }) {
  const top = Object.entries(shares).map(([name, share]) => ({
    token: name,
    logprob: Math.log(share),
  }));
  return { token: text, logprob: Math.log(shares[text] ?? 0.01), top } satisfies TokenLogprob;
}

describe('findLabel', () => {
  it.each([
    ['The answer is B. Not A? No: A', ['A', 'B'], 'A'],
    ['SAFE', ['safe', 'unsafe'], 'safe'],
    ['It is unsafe.', ['safe', 'unsafe'], 'unsafe'],
    ['Score: 4', ['1', '4'], '4'],
    ['I give 4.5', ['4', '5'], undefined],
    ['10 of 10', ['1'], undefined],
    ['not at all (good)', ['very good', 'good'], 'good'],
    ['very good', ['good', 'very good'], 'very good'],
    ['a+b', ['a+b', 'a'], 'a+b'],
    ['C:\\ [x]', ['C:\\', '[x]'], '[x]'],
    ['所以答案是有害的。', ['有害', '无害'], '有害'],
  ])('reads %j', (answer, labels, expected) => {
    expect(findLabel(answer, labels)?.label).toBe(expected);
  });

  it('looks behind a mark where one is given', () => {
    expect(findLabel('A or B? Verdict: A', ['A', 'B'], 'Verdict:')).toMatchObject({ label: 'A' });
    expect(findLabel('A or B', ['A', 'B'], 'Verdict:')).toBeNull();
  });
});

describe('labelProbabilities', () => {
  it('adds variants up and tells the mass outside', () => {
    const tokens = [
      token('Verdict:'),
      token(' Yes', { ' Yes': 0.4, Yes: 0.1, ' yes': 0.1, ' No': 0.2, ' Perhaps': 0.1 }),
      token('.'),
    ];
    const found = labelProbabilities(tokens, ['yes', 'no'])!;
    expect(found.probabilities['yes']).toBeCloseTo(0.75, 12);
    expect(found.probabilities['no']).toBeCloseTo(0.25, 12);
    expect(found.outside).toBeCloseTo(0.2, 12);
    expect(found.source).toBe('logprobs');
  });

  it('takes the first token of a split label where it is unlike the others', () => {
    const labels = ['harmful', 'safe'];
    const tokens = [token('harm', { harm: 0.7, safe: 0.3 }), token('ful')];
    expect(labelProbabilities(tokens, labels)!.probabilities['harmful']).toBeCloseTo(0.7, 12);
    const shared = [token('un', { un: 1 }), token('safe')];
    expect(labelProbabilities(shared, ['unsafe', 'unclear'])).toBeNull();
  });

  it('knows 1 from the beginning of 10 only where 10 is a token', () => {
    const labels = ['1', '2', '10'];
    expect(labelProbabilities([token('1', { '1': 0.9, '2': 0.1 })], labels)).toBeNull();
    const known = labelProbabilities([token('1', { '1': 0.8, '2': 0.1, '10': 0.1 })], labels);
    expect(known!.probabilities['10']).toBeCloseTo(0.1, 12);
  });

  it('reads inside JSON and counts the token that was drawn', () => {
    const tokens = [token('{"verdict":'), token('"A', { '"B': 0.5 }), token('"}')];
    const found = labelProbabilities(tokens, ['A', 'B'], { after: '"verdict":' })!;
    expect(found.probabilities['A']).toBeCloseTo(0.01 / 0.51, 12);
  });

  it('has nothing where no label stands, and refuses labels that are the same', () => {
    expect(labelProbabilities([token('Hm')], ['A', 'B'])).toBeNull();
    expect(() => labelProbabilities([], ['A'])).toThrow(/not told apart/);
    expect(() => labelProbabilities([], ['A', 'a '])).toThrow(/not told apart/);
  });
});

describe('weightedScore', () => {
  it('is the expected value', () => {
    const tokens = [token('Score: '), token('4', { '4': 0.5, '5': 0.25, '3': 0.05 })];
    const { score, outside } = weightedScore(tokens, [1, 2, 3, 4, 5])!;
    expect(score).toBeCloseTo((4 * 0.5 + 5 * 0.25 + 3 * 0.05) / 0.8, 12);
    expect(outside).toBeCloseTo(0.2, 12);
  });
});

describe('askForLabel', () => {
  const request: ChatRequest = { messages: [{ role: 'user', content: 'A or B?' }] };

  it('asks once where logprobs tell', async () => {
    const requests: ChatRequest[] = [];
    const chat = (asked: ChatRequest) => {
      requests.push(asked);
      return Promise.resolve(result({ text: 'A', logprobs: [token('A', { A: 0.9, B: 0.1 })] }));
    };
    const { distribution, results } = await askForLabel({ chat }, request, ['A', 'B']);
    expect(distribution!.probabilities['A']).toBeCloseTo(0.9, 12);
    expect(results).toHaveLength(1);
    expect(requests[0]!.topLogprobs).toBe(20);
  });

  it('draws answers where they do not', async () => {
    const requests: ChatRequest[] = [];
    const chat = (asked: ChatRequest) => {
      requests.push(asked);
      return Promise.resolve(
        result({ text: ['A', 'B', 'A', 'neither'][(asked.sample ?? 0) % 4]! }),
      );
    };
    const options = { samples: 4 };
    const { distribution } = await askForLabel({ chat }, request, ['A', 'B'], options);
    expect(distribution).toMatchObject({ outside: 0.25, source: 'samples' });
    expect(distribution!.probabilities['A']).toBeCloseTo(2 / 3, 12);
    expect(requests.slice(1).map(({ temperature, sample }) => [temperature, sample])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
      [1, 3],
    ]);
    expect(labelShares(['?'], ['A', 'B'])).toBeNull();
  });

  it('asks for no more alternatives than the server lists, and for none of none', async () => {
    const requests: ChatRequest[] = [];
    const chat = (asked: ChatRequest) => {
      requests.push(asked);
      return Promise.resolve(result({ text: 'A' }));
    };
    for (const topLogprobs of [5, 0]) {
      const capabilities = { ...presumedCapabilities, topLogprobs };
      const { results } = await askForLabel({ chat, capabilities }, request, ['A', 'B'], {
        samples: 1,
      });
      expect(results).toHaveLength(topLogprobs === 0 ? 1 : 2);
    }
    expect(requests.map((asked) => asked.topLogprobs)).toEqual([5, undefined, undefined]);
  });
});
