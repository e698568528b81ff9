// What is expected here was written by hand from lm-sys/FastChat, fastchat/conversation.py: version
// 0.2.36 (2024-02) for llama-2, mistral, vicuna_v1.1 and falcon (its separators, templates of the
// system's text and roles, and how their styles join them), pull request #3259 (2024-04) for
// llama-3.
import { describe, expect, it } from 'vitest';
import { type ChatMessage, fastChatFormats, fastChatText } from './index.js';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const system = (content: string): ChatMessage => ({ role: 'system', content });

const question = user('How tall is it?');
const rest = [assistant('Tall.'), user('In m?')];
const whole = [system('Be brief.'), question, ...rest];

const headed = (role: string, text: string) =>
  `<|start_header_id|>${role}<|end_header_id|>\n\n${text}`;

/** By format: one question with a text of the system, a longer conversation with and without. */
const expected: Readonly<Record<string, readonly [one: string, all: string, plain: string]>> = {
  'llama-2': [
    '[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHow tall is it? [/INST]',
    '[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHow tall is it? [/INST] Tall. </s>' +
      '<s>[INST] In m? [/INST]',
    '[INST] How tall is it? [/INST] Tall. </s><s>[INST] In m? [/INST]',
  ],
  mistral: [
    '[INST] Be brief.\nHow tall is it? [/INST]',
    '[INST] Be brief.\nHow tall is it? [/INST] Tall.</s>[INST] In m? [/INST]',
    '[INST] How tall is it? [/INST] Tall.</s>[INST] In m? [/INST]',
  ],
  'vicuna_v1.1': [
    'Be brief. USER: How tall is it? ASSISTANT:',
    'Be brief. USER: How tall is it? ASSISTANT: Tall.</s>USER: In m? ASSISTANT:',
    ' USER: How tall is it? ASSISTANT: Tall.</s>USER: In m? ASSISTANT:',
  ],
  falcon: [
    'Be brief.User: How tall is it?\n\nAssistant:',
    'Be brief.User: How tall is it?\n\nAssistant: Tall.\n\nUser: In m?\n\nAssistant:',
    'User: How tall is it?\n\nAssistant: Tall.\n\nUser: In m?\n\nAssistant:',
  ],
  'llama-3': [
    `<|begin_of_text|>${headed('system', 'Be brief.<|eot_id|>')}` +
      `${headed('user', 'How tall is it?<|eot_id|>')}${headed('assistant', '')}`,
    `<|begin_of_text|>${headed('system', 'Be brief.<|eot_id|>')}` +
      `${headed('user', 'How tall is it?<|eot_id|>')}${headed('assistant', 'Tall.<|eot_id|>')}` +
      `${headed('user', 'In m?<|eot_id|>')}${headed('assistant', '')}`,
    `<|begin_of_text|>${headed('user', 'How tall is it?<|eot_id|>')}` +
      `${headed('assistant', 'Tall.<|eot_id|>')}` +
      `${headed('user', 'In m?<|eot_id|>')}${headed('assistant', '')}`,
  ],
};

describe('fastChatText', () => {
  it.each(Object.entries(expected))('%s writes conversations', (format, [one, all, plain]) => {
    expect(fastChatText(format, whole.slice(0, 2))).toBe(one);
    expect(fastChatText(format, whole)).toBe(all);
    expect(fastChatText(format, whole.slice(1))).toBe(plain);
    expect(fastChatFormats).toContain(format);
  });

  it.each([
    ['llama-2', '[INST] How tall is it? [/INST] Tall. </s><s>'],
    ['mistral', '[INST] How tall is it? [/INST] Tall.</s>'],
    ['vicuna_v1.1', ' USER: How tall is it? ASSISTANT: Tall.</s>'],
    ['falcon', 'User: How tall is it?\n\nAssistant: Tall.\n\n'],
    [
      'llama-3',
      `<|begin_of_text|>${headed('user', 'How tall is it?<|eot_id|>')}` +
        headed('assistant', 'Tall.<|eot_id|>'),
    ],
  ])('%s leaves a finished conversation closed', (format, text) => {
    expect(fastChatText(format, [question, rest[0]!])).toBe(text);
  });

  it.each([
    ['llama-2', '[INST] How tall is it? [/INST][INST] In m? [/INST]'],
    ['mistral', '[INST] How tall is it? [/INST][INST] In m? [/INST]'],
    ['vicuna_v1.1', ' USER: How tall is it? ASSISTANT:USER: In m? ASSISTANT:'],
    ['falcon', 'User: How tall is it?\n\nAssistant:User: In m?\n\nAssistant:'],
    [
      'llama-3',
      `<|begin_of_text|>${headed('user', 'How tall is it?<|eot_id|>')}${headed('assistant', '')}` +
        `${headed('user', 'In m?<|eot_id|>')}${headed('assistant', '')}`,
    ],
  ])('%s takes empty texts for none', (format, text) => {
    expect(fastChatText(format, [system(''), question, assistant(''), user('In m?')])).toBe(text);
  });

  it('falcon halves empty lines, llama-3 strips as Python does', () => {
    expect(fastChatText('falcon', [user('a\r\n\r\nb\n\n\nc')])).toBe(
      'User: a\nb\n\nc\n\nAssistant:',
    );
    expect(fastChatText('llama-3', [user(' \u001c\u0085\n a b \u3000')])).toBe(
      `<|begin_of_text|>${headed('user', 'a b<|eot_id|>')}${headed('assistant', '')}`,
    );
    expect(fastChatText('llama-3', [user('\ufeffa ')])).toContain('\n\n\ufeffa<|eot_id|>');
    expect(fastChatText('llama-3', [system(' s '), user('a')])).toContain('\n\n s <|eot_id|>');
  });

  it('refuses other formats and orders', () => {
    expect(() => fastChatText('llama2', [question])).toThrow(
      'no format is called llama2; near: llama',
    );
    expect(() => fastChatText('falcon', [system('a')])).toThrow('roles are system.');
    expect(() => fastChatText('falcon', [question, question])).toThrow('roles are user, user.');
    expect(() => fastChatText('falcon', [])).toThrow('roles are none.');
  });
});
