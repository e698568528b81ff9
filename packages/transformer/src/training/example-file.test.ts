import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import type { Tokenizer } from '../tokenizer.js';
import { readExampleFile } from './example-file.js';
import type { ExampleRules } from './training-examples.js';

const tokenizer = {
  encode: (text: string) => Array.from(text, (letter) => letter.charCodeAt(0)),
  ...{ endId: 0, chat: { names: [] } },
} as unknown as Tokenizer;

const rules: ExampleRules = {
  ...{ kind: 'decoder', tokenizer, vocabularySize: 200, maxTokens: 64 },
  ...{ tooLong: 'refuse', template: 'auto' },
};

async function read(name: string, text: string) {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  const { examples } = await readExampleFile(path, rules);
  return examples.map(({ ids, origin }) => [origin, String.fromCharCode(...ids.slice(0, -1))]);
}

describe('readExampleFile', () => {
  it('reads texts, pairs and lines, with the lines they come from', async () => {
    const lines = '{"text": "ab", "id": 7}\n\n{"prompt": "c", "answer": "d"}\r\n';
    expect(await read('a.jsonl', lines)).toEqual([
      [1, 'ab'],
      [3, 'cd'],
    ]);
    expect(await read('a.txt', 'ab\n \ncd')).toEqual([
      [1, 'ab'],
      [3, 'cd'],
    ]);
  });

  it.each([
    ['{"text": 3}', /a.jsonl line 1: text is not a text/, 'text'],
    ['\n{"prompt": "a"}', /a.jsonl line 2: has no answer/, 'answer'],
    ['{"answer": "a"}', /has no prompt/, 'prompt'],
    ['{"prompt": "a", "answer": null}', /answer is not a text/, 'answer'],
    ['{"text": "a", "messages": []}', /has text and messages, which are two examples/, 'messages'],
    ['{"messages": [{"role": "user"}]}', /messages is no list of/, 'messages'],
    ['{"id": 3}', /has neither text, nor prompt and answer, nor messages/, 'text'],
    ['[1]', /line 1: is no object/, undefined],
    ['{"text": "a"', /line 1: is not JSON/, undefined],
    ['\n\n', /has no examples/, undefined],
  ])('says where %s is wrong', async (text, message, field) => {
    const wrong = await read('a.jsonl', text).catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: 'LAB_DATA' });
    expect((wrong as Error).message).toMatch(message);
    expect((wrong as { field?: string }).field).toBe(field);
  });
});
