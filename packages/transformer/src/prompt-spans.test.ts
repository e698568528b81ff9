import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import type { ChatMessage } from './chat-template.js';
import { promptSpans, type TokenSpan } from './prompt-spans.js';
import { loadTokenizer } from './tokenizer.js';

const tokenizers = join(import.meta.dirname, '../test/golden/tokenizers');
const llama3 = loadTokenizer(join(tokenizers, 'llama3'));
const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });

/** A tokenizer whose chat template is another one. */
function withTemplate(template: string) {
  const folder = join(temporaryFolder(), 'own');
  mkdirSync(folder);
  const content = readFileSync(join(tokenizers, 'llama3/tokenizer.json'));
  writeFileSync(join(folder, 'tokenizer.json'), content);
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ chat_template: template }));
  return loadTokenizer(folder);
}

const textOf = ({ ids }: { readonly ids: readonly number[] }, [start, end]: TokenSpan) =>
  llama3.decode(ids.slice(start, end));

describe('promptSpans', () => {
  it('takes words of the header for no instruction, and of equal ones the last', () => {
    const found = promptSpans(llama3, [user('a'), assistant('a'), user('a'), assistant('a')], {
      format: 'vicuna_v1.1',
    });
    expect(found.text).toBe(' USER: a ASSISTANT: a</s>USER: a ASSISTANT: a</s>');
    expect(textOf(found, found.instruction)).toBe(' a');
    expect(textOf(found, found.prompt)).toMatch(/<\/s>USER: a ASSISTANT:$/);
    expect(textOf(found, found.answer)).toBe(' a');
    expect(found.answer[0]).toBe(found.prompt[1]);
  });

  it('gives a token across the end of the prompt to the answer, not to the instruction', () => {
    const found = promptSpans(llama3, 'It is (so)', { format: 'direct', answer: '.\nYes' });
    const whole = promptSpans(llama3, 'It is (so', { format: 'direct', answer: ').\nYes' });
    expect(found.ids).toEqual(whole.ids);
    expect(textOf(whole, whole.answer)).toBe(').\nYes');
    // `)` and what follows are one word of this tokenizer, and one token each.
    for (const { prompt, answer, instruction, ids } of [found, whole]) {
      expect(instruction[1]).toBe(prompt[1]);
      expect(answer).toEqual([prompt[1], ids.length]);
    }
  });

  it('puts a space before an opening, none before an answer', () => {
    const rules = { format: 'direct' };
    const opened = promptSpans(llama3, 'Say it', { ...rules, opening: 'Sure' });
    expect([opened.text, textOf(opened, opened.answer)]).toEqual(['Say it Sure', ' Sure']);
    const alone = promptSpans(llama3, '  Say it \n', rules);
    expect(alone.answer).toEqual([alone.ids.length, alone.ids.length]);
    expect(textOf(alone, alone.instruction).trim()).toBe('Say it');
  });

  it('finds a message in a template that asks what the message is like', () => {
    const template =
      '{% for m in messages %}{% if "x" in m.content %}X{% else %}O{% endif %}' +
      '{{ m.content }}{% endfor %}';
    const found = promptSpans(withTemplate(template), [user('a x b')]);
    expect([found.text, textOf(found, found.instruction)]).toEqual(['Xa x b', 'a x b']);
    const upper = withTemplate('{% for m in messages %}{{ m.content | upper }};{% endfor %}');
    expect(promptSpans(upper, [user('ab')]).text).toBe('AB;');
    const dropped = withTemplate('{% for m in messages %}{{ m.role }}{% endfor %}');
    expect(() => promptSpans(dropped, [user('ab')])).toThrow('does not write a message');
  });

  it('refuses what is no prompt', () => {
    expect(() => promptSpans(llama3, ' ')).toThrow('the prompt is blank');
    expect(() => promptSpans(llama3, [])).toThrow('the last instruction is of no one');
    expect(() => promptSpans(llama3, [assistant('a')])).toThrow('is of no one');
    expect(() => promptSpans(llama3, [user('a')], { system: 'b' })).toThrow('text of the system');
    const both = { answer: 'a', opening: 'b' };
    expect(() => promptSpans(llama3, 'a', both)).toThrow('both an answer and its opening');
    const messages = [user('a'), assistant('b')];
    expect(() => promptSpans(llama3, messages, { answer: 'c' })).toThrow('is given beside');
    expect(() => promptSpans(llama3, messages, { format: 'other' })).toThrow('no format is called');
  });
});
