import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ChatMessage, loadTokenizer, promptSpans } from '../../src/index.js';

const folder = join(import.meta.dirname, 'tokenizers');

type Range = [start: number, end: number];

interface Golden {
  readonly offsets: readonly [text: string, addSpecialTokens: boolean, ranges: (Range | null)[]][];
  readonly spans: readonly {
    readonly given:
      | { readonly messages: ChatMessage[] }
      | { readonly format: string; readonly prompt: string; readonly answer: string | null };
    readonly text: string;
    readonly instruction: Range;
    readonly prompt: Range;
    readonly answer: Range | null;
  }[];
}

const golden = JSON.parse(readFileSync(join(folder, 'offsets.json'), 'utf8')) as Record<
  string,
  Golden
>;

describe.each(Object.entries(golden))('offsets of %s', (name, { offsets }) => {
  const tokenizer = loadTokenizer(join(folder, name));

  it.each(offsets)('%j, special tokens: %s', (text, addSpecialTokens, ranges) => {
    const found = tokenizer.encodeWithOffsets(text, { addSpecialTokens });
    expect(found.ids).toEqual(tokenizer.encode(text, { addSpecialTokens }));
    expect(found.offsets).toEqual(ranges);
  });
});

describe.each(Object.entries(golden))('spans of %s', (name, { spans }) => {
  const tokenizer = loadTokenizer(join(folder, name));

  it.each(spans)('$given', ({ given, text, instruction, prompt, answer }) => {
    const found =
      'messages' in given
        ? promptSpans(tokenizer, given.messages)
        : promptSpans(tokenizer, given.prompt, {
            format: given.format,
            answer: given.answer ?? undefined,
          });
    expect(found.text).toBe(text);
    const none = [prompt[1], prompt[1]];
    expect(found).toMatchObject({ instruction, prompt, answer: answer ?? none });
  });
});
