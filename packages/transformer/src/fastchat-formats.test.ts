import { describe, expect, it } from 'vitest';
import { fastChatFormats, fastChatText } from './index.js';

const user = { role: 'user', content: 'How tall is it?' };
const system = { role: 'system', content: 'Be brief.' };
const rest = [
  { role: 'assistant', content: 'Tall.' },
  { role: 'user', content: 'In m?' },
];

describe('fastChatText', () => {
  it.each([
    ['llama-2', '[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHow tall is it? [/INST]'],
    ['mistral', '[INST] Be brief.\nHow tall is it? [/INST]'],
    ['vicuna_v1.1', 'Be brief. USER: How tall is it? ASSISTANT:'],
    ['falcon', 'Be brief.User: How tall is it?\n\nAssistant:'],
    [
      'llama-3',
      '<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>' +
        '<|start_header_id|>user<|end_header_id|>\n\nHow tall is it?<|eot_id|>' +
        '<|start_header_id|>assistant<|end_header_id|>\n\n',
    ],
  ])('%s opens the answer behind the last question', (format, text) => {
    expect(fastChatText(format, [system, user])).toBe(text);
    expect(fastChatFormats).toContain(format);
  });

  it('separates several turns, and leaves a finished conversation closed', () => {
    expect(fastChatText('llama-2', [user, ...rest])).toBe(
      '[INST] How tall is it? [/INST] Tall. </s><s>[INST] In m? [/INST]',
    );
    expect(fastChatText('vicuna_v1.1', [user, rest[0]!])).toBe(
      ' USER: How tall is it? ASSISTANT: Tall.</s>',
    );
    const double = { role: 'user', content: 'a\r\n\r\nb' };
    expect(fastChatText('falcon', [double])).toBe('User: a\nb\n\nAssistant:');
  });

  it('refuses other formats and orders', () => {
    expect(() => fastChatText('llama2', [user])).toThrow('no format is called llama2; near: llama');
    expect(() => fastChatText('falcon', [system])).toThrow('roles are system.');
    expect(() => fastChatText('falcon', [user, user])).toThrow('roles are user, user.');
    expect(() => fastChatText('falcon', [])).toThrow('roles are none.');
  });
});
