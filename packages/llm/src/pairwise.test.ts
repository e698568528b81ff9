import { describe, expect, it } from 'vitest';
import {
  createPairJudge,
  judgeBothOrders,
  type PairChoice,
  pairVerdict,
  positionBias,
  winRates,
} from './pairwise.js';
import { createScriptedClient } from './scripted.js';

const choices: readonly PairChoice[] = ['first', 'second', 'tie'];

describe('judgeBothOrders', () => {
  it('lets an answer win only in both orders', () => {
    const winners = choices.map((forward) =>
      choices.map((backward) => pairVerdict(forward, backward).winner),
    );
    expect(winners).toEqual([
      ['tie', 'a', 'tie'],
      ['b', 'tie', 'tie'],
      ['tie', 'tie', 'tie'],
    ]);
    expect(pairVerdict('tie', 'tie').isConsistent).toBe(true);
    expect(pairVerdict('first', 'tie').isConsistent).toBe(false);
  });

  it('asks once in each order', async () => {
    const seen: string[] = [];
    const verdict = await judgeBothOrders(
      async (first: string, second: string) => {
        seen.push(first + second);
        return first > second ? 'first' : 'second';
      },
      'x',
      'y',
    );
    expect(seen).toEqual(['xy', 'yx']);
    expect(verdict).toMatchObject({ winner: 'b', isConsistent: true });
  });
});

describe('positionBias and winRates', () => {
  it('count places and sides', () => {
    const verdicts = [
      pairVerdict('first', 'first'),
      pairVerdict('first', 'first'),
      pairVerdict('second', 'second'),
      pairVerdict('first', 'second'),
    ];
    expect(positionBias(verdicts)).toEqual({
      ...{ n: 4, consistent: 0.25, first: 0.5, second: 0.25, bias: 0.25 },
    });
    expect(winRates(verdicts)).toEqual({ n: 4, a: 0.25, b: 0, ties: 0.75, score: 0.625 });
    expect(positionBias([]).bias).toBeNaN();
  });
});

describe('createPairJudge', () => {
  it('shows question and answers as data, and reads the verdict', async () => {
    const prompts: string[] = [];
    const client = createScriptedClient({
      answer: ({ messages }) => {
        prompts.push(messages.map(({ content }) => content).join('\n'));
        const isFirstLonger =
          messages[1]!.content.indexOf('long') < messages[1]!.content.indexOf('b!');
        return `{"reason":"longer","verdict":"${isFirstLonger ? 'first' : 'second'}"}`;
      },
    });
    const judge = createPairJudge(client, { criterion: 'length' });
    const verdict = await judgeBothOrders((x, y) => judge('Q?', x, y), 'long answer', 'b!');
    expect(verdict).toMatchObject({ winner: 'a', isConsistent: true });
    expect(prompts[0]).toMatch(/What counts is length\..*<<<DATA question\nQ\?\nDATA question>>>/s);
  });
});
