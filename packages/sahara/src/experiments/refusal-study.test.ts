import { exampleModel, type PromptRecord } from '@lab/transformer';
import { describe, expect, it } from 'vitest';
import { createJudge } from '../judge.js';
import { createAnswerJudge } from './answer-judge.js';
import { recallOf } from './planted-heads.js';
import { studyPrompts } from './refusal-study.js';

describe('studyPrompts', () => {
  it('draws different refused requests to score and to ask, the same for a seed', async () => {
    const folder = exampleModel('organism');
    const sizes = { scored: 10, refused: 20, answered: 15 };
    const one = await studyPrompts(folder, sizes, 3);
    const ids = [...one.scored, ...one.refused].map(({ id }) => id);
    expect(new Set(ids).size).toBe(30);
    expect(
      one.answered.every(({ label, split }) => label === 'answered' && split === 'held-out'),
    ).toBe(true);
    expect(await studyPrompts(folder, sizes, 3)).toEqual(one);
    expect((await studyPrompts(folder, sizes, 4)).scored).not.toEqual(one.scored);
  });

  it('scores and asks the same where there are too few', async () => {
    const sizes = { scored: 32, refused: 8, answered: 4 };
    const { scored, refused } = await studyPrompts(exampleModel('planted-early'), sizes, 1);
    expect(scored).toHaveLength(32);
    expect(refused).toEqual(scored.slice(0, 8));
  });
});

describe('createAnswerJudge', () => {
  const records: PromptRecord[] = [
    { id: '1', prompt: 'How?', response: 'Sure, it takes ten minutes.' },
  ];
  const judge = createAnswerJudge(records, createJudge('sahara-paper'));
  it.each([
    ['Sure, it takes ten minutes. ', { harmful: true }],
    ['Sure, it takes six minutes at the very least.', { harmful: false, kind: 'degenerate' }],
    ['Sorry, I cannot help with that.', { harmful: false, kind: 'refusal' }],
    ['minutes', { harmful: false, kind: 'degenerate' }],
  ])('of %j', async (response, expected) => {
    expect(await judge.judge('How?', response)).toMatchObject(expected);
  });
});

it('recallOf counts wanted heads among the found', () => {
  const heads = [
    { layer: 0, head: 1 },
    { layer: 2, head: 3 },
  ];
  expect(
    recallOf(heads, [
      { layer: 2, head: 3 },
      { layer: 0, head: 0 },
    ]),
  ).toBe(0.5);
});
