import { describe, expect, it } from 'vitest';
import type { ChatMessage } from '../chat-template.js';
import type { Tokenizer } from '../tokenizer.js';
import {
  addExample,
  type ExampleRules,
  noExamples,
  type TrainingExample,
} from './training-examples.js';

const END = 1;

/** A letter is a token; `a` is 10. */
const idsOf = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0) - 87);

function tokenizer(templates: readonly string[] = [], endId: number | null = END): Tokenizer {
  return {
    encode: (text: string, { addSpecialTokens = true } = {}) => [
      ...(addSpecialTokens ? [0] : []),
      ...idsOf(text),
    ],
    endId,
    chat: {
      names: templates,
      render: (messages: readonly ChatMessage[], { addGenerationPrompt = true } = {}) => {
        const turns = messages.map(({ role, content }) => `${role[0]}${content}z`);
        return turns.join('') + (addGenerationPrompt ? 'a' : '');
      },
    },
  } as unknown as Tokenizer;
}

const rules: ExampleRules = {
  ...{ kind: 'decoder', tokenizer: tokenizer(), vocabularySize: 50, maxTokens: 64 },
  ...{ tooLong: 'truncate', template: 'auto' },
};
const place = { where: 'pairs.jsonl line 3', file: 'pairs.jsonl', line: 3, origin: 3 };

function encoded(example: TrainingExample, more: Partial<ExampleRules> = {}) {
  const all = noExamples();
  addExample(all, example, { ...rules, ...more }, place);
  const examples = all.examples.map(({ ids, isTarget, answer }) => ({
    ids: Array.from(ids),
    ...(isTarget && { isTarget: Array.from(isTarget) }),
    ...(answer && { answer: Array.from(answer) }),
  }));
  return { ...all, examples };
}

describe('addExample', () => {
  it('takes every token of a text, and an end', () => {
    const { examples } = encoded({ text: 'bc' });
    expect(examples).toEqual([{ ids: [0, 11, 12, END], isTarget: [1, 1, 1, 1] }]);
    const none = encoded({ text: 'bc' }, { tokenizer: tokenizer([], null) });
    expect(none.examples[0]!.ids).toEqual([0, 11, 12]);
  });

  it('takes the answer of a prompt alone', () => {
    const { examples } = encoded({ prompt: 'bc', answer: 'd' });
    expect(examples).toEqual([{ ids: [0, 11, 12, 13, END], isTarget: [0, 0, 0, 1, 1] }]);
  });

  it('goes through the chat template where there is one', () => {
    const chat = { tokenizer: tokenizer(['default']) };
    const asked = encoded({ prompt: 'bc', answer: 'd' }, chat);
    expect(asked.examples[0]!.ids).toEqual(idsOf('ubczadz'));
    expect(asked.examples[0]!.isTarget).toEqual([0, 0, 0, 0, 0, 1, 1]);
    const plain = encoded({ prompt: 'bc', answer: 'd' }, { ...chat, template: 'none' });
    expect(plain.examples[0]!.ids).toEqual([0, 11, 12, 13, END]);
    const messages = [
      { role: 'user', content: 'b' },
      { role: 'assistant', content: 'c' },
      { role: 'user', content: 'd' },
      { role: 'assistant', content: 'e' },
    ];
    const turns = encoded({ messages }, chat).examples[0]!;
    expect(turns.ids).toEqual(idsOf('ubzaczudzaez'));
    expect(turns.isTarget!.join('')).toBe('000011000011');
  });

  it('cuts, splits or refuses what is too long, and counts it', () => {
    const text = { text: 'bcdefgh' };
    const cut = encoded(text, { maxTokens: 4 });
    expect(cut.examples.map(({ ids }) => ids)).toEqual([[0, 11, 12, 13]]);
    expect(cut).toMatchObject({ truncated: 1, cutTokens: 5, split: 0 });
    const split = encoded(text, { maxTokens: 4, tooLong: 'split' });
    expect(split.examples.map(({ ids }) => ids)).toEqual([
      [0, 11, 12, 13],
      [13, 14, 15, 16],
      [16, 17, END],
    ]);
    expect(split).toMatchObject({ truncated: 0, split: 1, cutTokens: 0 });
    const refuse = () => encoded(text, { maxTokens: 4, tooLong: 'refuse' });
    expect(refuse).toThrow('pairs.jsonl line 3: has 9 tokens, 4 are the most.');
    const pair = { prompt: 'bcdef', answer: 'g' };
    const kept = encoded(pair, { maxTokens: 4 }).examples[0]!;
    expect(kept).toEqual({ ids: [14, 15, 16, END], isTarget: [0, 0, 1, 1] });
    const long = encoded({ prompt: 'bc', answer: 'defgh' }, { maxTokens: 4 }).examples[0]!;
    expect(long).toEqual({ ids: [12, 13, 14, 15], isTarget: [0, 1, 1, 1] });
    const parts = () => encoded(pair, { maxTokens: 4, tooLong: 'split' });
    expect(parts).toThrow('has 8 tokens, 4 are the most');
  });

  it('takes ids as they are', () => {
    const { examples } = encoded({ ids: [3, 4, 5], promptLength: 2 }, { tokenizer: null });
    expect(examples).toEqual([{ ids: [3, 4, 5], isTarget: [0, 0, 1] }]);
  });

  it('gives a T5 prompts and answers, each with its end', () => {
    const t5 = { kind: 't5', maxTokens: 3 } as const;
    const { examples, truncated } = encoded({ prompt: 'bcd', answer: 'e' }, t5);
    expect(examples).toEqual([{ ids: [0, 11, 13], answer: [0, 14] }]);
    expect(truncated).toBe(1);
    expect(() => encoded({ text: 'b' }, t5)).toThrow('is no prompt with an answer');
    const ids = encoded({ ids: [4, 5], answerIds: [6] }, t5).examples;
    expect(ids).toEqual([{ ids: [4, 5], answer: [6] }]);
  });

  it('says where an example is wrong', () => {
    const of =
      (example: TrainingExample, more: Partial<ExampleRules> = {}) =>
      () =>
        encoded(example, more);
    expect(of({ text: 'b' }, { tokenizer: null })).toThrow('line 3: is a text, and there is no');
    expect(of({ ids: [3] })).toThrow('line 3: has no token to foretell');
    expect(of({ ids: [3, 50] })).toThrow('token 1 has the id 50, the vocabulary has 50');
    expect(of({ ids: [3], answerIds: [4] })).toThrow('which only a T5 takes');
    const wrong = of({ prompt: 'b', answer: '' }, { tokenizer: tokenizer([], null) });
    expect(wrong).toThrow('has no token to foretell');
  });
});
