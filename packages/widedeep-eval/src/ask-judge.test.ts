import { type ChatRequest, createScriptedClient, type ScriptedAnswer } from '@lab/llm';
import { describe, expect, test } from 'vitest';
import { configWith, sampleWith, scored } from './__fixtures__/scripted-network.js';
import { askJudges } from './ask-judge.js';
import { builtInFamilies } from './families/built-in.js';
import type { JudgeQuestion } from './judge-request.js';

const family = builtInFamilies.get('qa')!;
const question: JudgeQuestion = {
  ...{ sample: sampleWith(), family, order: '12', roles: ['A'], history: null, replicate: 0 },
};

async function ask(answers: readonly (ScriptedAnswer | string)[], set: readonly string[] = []) {
  const asked: ChatRequest[] = [];
  const client = createScriptedClient({
    answer: (request) => answers[asked.push(request) - 1] ?? 'no more answers',
  });
  const [review] = await askJudges([{ question, client }], configWith(set));
  return { review: review!, asked, prompts: asked.map(({ messages }) => messages.at(-1)!.content) };
}

test('an answer that cannot be read is asked for again, with a word on the form', async () => {
  const { review, prompts, asked } = await ask(['no scores', scored(8, 6)]);
  expect(review).toMatchObject({ u: 8, v: 6 });
  expect(prompts[1]!.slice(prompts[0]!.length)).toContain('Keep to the form');
  expect(asked.map(({ sample }) => sample)).toEqual([0, 1]);
});

test('after so many attempts it is unparsed, and its text is kept', async () => {
  const { review, asked } = await ask(['one', 'two', 'three', scored(8, 6)]);
  expect(asked).toHaveLength(3);
  expect(review).toMatchObject({ u: null, v: null, problem: 'unparsed', text: 'three' });
});

test('a refusal is asked once more as an evaluation', async () => {
  const refusal = "I'm sorry, I can't help with that.";
  const { review, prompts } = await ask([refusal, refusal, scored(8, 6)]);
  expect(prompts).toHaveLength(2);
  expect(prompts[1]).toContain('This is an evaluation of texts that exist already.');
  expect(review.problem).toBe('refusal');
  expect((await ask([refusal, scored(8, 6)])).review).toMatchObject({ u: 8, v: 6 });
});

test('an answer that was cut before its scores is asked for with twice the tokens', async () => {
  const cut = { text: 'A long', finish: 'length' } as const;
  const { asked, review } = await ask([cut, cut, cut, cut, cut]);
  expect(asked.map(({ maxTokens }) => maxTokens)).toEqual([512, 1024, 1024, 1024]);
  expect(review.problem).toBe('length');
  const capped = await ask([cut, scored(8, 6)], ['judge.maxTokensAfterCut=600']);
  expect(capped.asked.map(({ maxTokens }) => maxTokens)).toEqual([512, 600]);
});

test('scores before a cut count', async () => {
  const { review } = await ask([{ text: `${scored(8, 6)}\nThe`, finish: 'length' }]);
  expect(review).toMatchObject({ u: 8, v: 6, finish: 'length' });
});

test.each(['1', '1.', '7/', '10'])(
  'an answer that ends in %j when it is cut is asked again',
  async (end) => {
    const cut = { text: scored(8, end), finish: 'length' } as const;
    const { review, asked } = await ask([cut, scored(8, 10)]);
    expect(asked.map(({ maxTokens }) => maxTokens)).toEqual([512, 1024]);
    expect(review).toMatchObject({ u: 8, v: 10 });
  },
);

test('reasons that are cut behind scores leave these whole', async () => {
  const text = 'Score of Assistant 1: 8\nScore of Assistant 2: 6\nOf mistakes it makes 1';
  const { review } = await ask([{ text, finish: 'length' }], ['judge.explanation=after']);
  expect(review).toMatchObject({ u: 8, v: 6 });
});

test('a heading with the angle of the judge is no part score', async () => {
  const { review } = await ask(['A:\nAssistant 1: 8\nAssistant 2: 6']);
  expect(review).toMatchObject({ u: 8, v: 6 });
});

test('all judges are asked before one of them is asked again', async () => {
  const order: string[] = [];
  const client = createScriptedClient({
    answer: ({ messages, sample }) => {
      const role = /angle: (.)/.exec(messages.at(-1)!.content)![1]!;
      order.push(`${role}${sample}`);
      return role === 'A' && sample === 0 ? 'no scores' : scored(8, 6);
    },
  });
  const questions = ['A', 'B', 'C'].map((role) => ({
    ...{ question: { ...question, roles: [role] }, client },
  }));
  await askJudges(questions, configWith());
  expect(order).toEqual(['A0', 'B0', 'C0', 'A1']);
});

describe('verdicts as data', () => {
  const set = ['judge.format=json'];
  const json = JSON.stringify({
    about1: 'Assistant 1 is right.',
    about2: 'It is not.',
    score1: 9,
    score2: 3,
  });

  test('have their reasons and scores', async () => {
    const { review } = await ask([json], set);
    expect(review).toMatchObject({ u: 9, v: 3 });
    expect(review.text).toBe(
      'About Assistant 1: Assistant 1 is right.\nAbout Assistant 2: It is not.',
    );
  });

  test('in the other order they are turned round', async () => {
    const client = createScriptedClient({ answer: () => json });
    const turned = { ...question, order: '21' as const };
    const [review] = await askJudges([{ question: turned, client }], configWith(set));
    expect(review).toMatchObject({ u: 3, v: 9 });
    expect(review!.text).toBe(
      'About Assistant 2: Assistant 2 is right.\nAbout Assistant 1: It is not.',
    );
  });

  test('outside the scale they are unparsed', async () => {
    const wrong = json.replace('9', '19');
    const { review } = await ask(
      Array.from({ length: 9 }, () => wrong),
      set,
    );
    expect(review).toMatchObject({ u: null, problem: 'unparsed' });
  });
});

describe('scores weighted by their probabilities', () => {
  const token = (text: string, shares: Readonly<Record<string, number>> = { [text]: 1 }) => ({
    ...{ token: text, logprob: Math.log(shares[text] ?? 1) },
    top: Object.entries(shares).map(([one, share]) => ({ token: one, logprob: Math.log(share) })),
  });
  const logprobs = [
    ...[token('Score of Assistant 1: '), token('8', { '8': 0.75, '6': 0.25 })],
    ...[token('\nScore of Assistant 2: '), token('3', { '3': 0.5, '4': 0.5 })],
  ];
  const text = logprobs.map((one) => one.token).join('');
  const weighted = ['judge.scores=weighted'];

  test('are the review, beside those that were written', async () => {
    const { review, asked } = await ask([{ text, logprobs }], weighted);
    expect(asked[0]!.topLogprobs).toBe(20);
    expect(review.u).toBeCloseTo(7.5, 12);
    expect(review.v).toBeCloseTo(3.5, 12);
    expect(review.written).toEqual({ u: 8, v: 3 });
  });

  test('are those written where the server lists none; none are asked for by default', async () => {
    const { review } = await ask([text], weighted);
    expect(review).toMatchObject({ u: 8, v: 3 });
    expect('written' in review).toBe(false);
    const plain = await ask([{ text, logprobs }]);
    expect(plain.review).toMatchObject({ u: 8, v: 3 });
    expect(plain.asked[0]!.topLogprobs).toBeUndefined();
  });
});

test('who the judge is stands in a message of its own, or at the head of the prompt', async () => {
  const own = await ask([scored(8, 6)]);
  expect(own.asked[0]!.messages.map(({ role }) => role)).toEqual(['system', 'user']);
  const within = await ask([scored(8, 6)], ['judge.system=prompt']);
  expect(within.asked[0]!.messages.map(({ role }) => role)).toEqual(['user']);
  expect(within.prompts[0]).toBe(
    `${own.asked[0]!.messages[0]!.content}\n\n${own.asked[0]!.messages[1]!.content}`,
  );
});
