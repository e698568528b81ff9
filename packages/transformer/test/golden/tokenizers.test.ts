import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ChatMessage, loadTokenizer } from '../../src/index.js';

const folder = join(import.meta.dirname, 'tokenizers');

interface Golden {
  readonly cases: readonly {
    readonly text: string;
    readonly addSpecialTokens: boolean;
    readonly ids: number[];
    readonly tokens: string[];
    readonly decoded: string;
    readonly decodedWithSpecial: string;
  }[];
  readonly chats?: readonly {
    readonly messages: ChatMessage[];
    readonly addGenerationPrompt: boolean;
    readonly template: string | null;
    readonly variables?: Record<string, unknown>;
    readonly tools?: unknown[];
    readonly rendered?: string;
    readonly ids?: number[];
    readonly error?: string;
  }[];
}

const { now, tokenizers } = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8')) as {
  now: string;
  tokenizers: Record<string, Golden>;
};

describe.each(Object.entries(tokenizers))('the tokenizer of %s', (name, { cases, chats = [] }) => {
  const tokenizer = loadTokenizer(join(folder, name));

  it.each(cases)('encodes and decodes $text, special tokens: $addSpecialTokens', (one) => {
    const { text, addSpecialTokens, ids } = one;
    expect(tokenizer.encode(text, { addSpecialTokens })).toEqual(ids);
    expect(ids.map((id) => tokenizer.tokenOf(id))).toEqual(one.tokens);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(one.decoded);
    expect(tokenizer.decode(ids)).toBe(one.decodedWithSpecial);
  });

  it('writes conversations as transformers does', () => {
    for (const { messages, addGenerationPrompt, rendered, ids, error, ...given } of chats) {
      const named = given.template === null ? {} : { template: given.template };
      const variables = { ...given.variables, tools: given.tools ?? null };
      const options = { addGenerationPrompt, now: new Date(now), variables, ...named };
      const render = () => tokenizer.chat.render(messages, options);
      if (error !== undefined) {
        expect(render).toThrow(expect.objectContaining({ code: 'LAB_DATA' }));
        expect(render).toThrow(error);
        continue;
      }
      expect(render()).toBe(rendered);
      expect(tokenizer.encode(render(), { addSpecialTokens: false })).toEqual(ids);
    }
    expect(tokenizer.chat.names.length > 0).toBe(chats.length > 0);
    expect(() => tokenizer.chat.render([], { template: 'none' })).toThrow('no chat template');
  });

  it('fills batches up on either side', () => {
    const texts = ['a b', 'a much longer text of many words'];
    const rows = texts.map((text) => tokenizer.encode(text));
    const rest = rows[1]!.length - rows[0]!.length;
    const filler = Array.from({ length: rest }, () => tokenizer.paddingId);
    const left = tokenizer.encodeBatch(texts);
    expect(left.ids).toEqual([[...filler, ...rows[0]!], rows[1]]);
    expect(left.mask[0]).toEqual([...filler.map(() => 0), ...rows[0]!.map(() => 1)]);
    const right = tokenizer.encodeBatch(texts, {
      padding: 'right',
      maxTokens: rows[0]!.length + 1,
    });
    expect(right.ids).toEqual([
      [...rows[0]!, tokenizer.paddingId],
      rows[1]!.slice(0, rows[0]!.length + 1),
    ]);
    expect(tokenizer.encode(texts[1]!, { maxTokens: 2, truncation: 'left' })).toEqual(
      rows[1]!.slice(-2),
    );
    expect(() => tokenizer.encode('a', { maxTokens: 0 })).toThrow('maxTokens must be at least 1');
  });

  it('begins texts where it is told to, or not', () => {
    const { beginId } = tokenizer;
    const text = 'a much longer text';
    const plain = tokenizer.encode(text);
    const own = beginId !== null && plain[0] === beginId ? plain.slice(1) : plain;
    expect(tokenizer.encode(text, { prependBos: false })).toEqual(own);
    const begun = (options: object) => tokenizer.encode(text, { prependBos: true, ...options });
    if (beginId === null) {
      expect(() => begun({})).toThrow('this tokenizer has no token that begins texts');
      return;
    }
    expect(begun({})).toEqual([beginId, ...own]);
    expect(begun({ maxTokens: 3 })).toEqual([beginId, ...own.slice(0, 2)]);
    expect(begun({ maxTokens: 3, truncation: 'left' })).toEqual([beginId, ...own.slice(-2)]);
    expect(begun({ maxTokens: 1, truncation: 'left' })).toEqual([beginId]);
  });
});
