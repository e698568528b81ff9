import { describe, expect, it } from 'vitest';
import { splitReasoning } from './reasoning.js';

describe('splitReasoning', () => {
  it.each([
    ['<think>hm</think>\n\nblue', 'blue', 'hm'],
    ['\n <think>\nhm\n</think>blue', 'blue', 'hm'],
    ['<thinking>hm</thinking> blue', 'blue', 'hm'],
    ['<reasoning>hm</reasoning>blue', 'blue', 'hm'],
    ['◁think▷hm◁/think▷blue', 'blue', 'hm'],
    ['[THINK]hm[/THINK]blue', 'blue', 'hm'],
    ['<think></think>blue', 'blue', null],
    ['<think>never done', '', 'never done'],
    ['hm\n</think>\n\nblue', 'blue', 'hm'],
    ['hm\n</think>', '', 'hm'],
    ['blue', 'blue', null],
    ['', '', null],
    [' blue ', ' blue ', null],
    ['The tag <think>x</think> is used.', 'The tag <think>x</think> is used.', null],
    ['It ends with </think> there.', 'It ends with </think> there.', null],
    ['<think>a</think>b</think>c', 'b</think>c', 'a'],
  ])('splits %j', (content, text, reasoning) => {
    const split = splitReasoning(content);
    expect(split).toMatchObject({ text, reasoning });
    expect(content.slice(split.textStart)).toBe(text);
  });

  it('takes the field of the server', () => {
    expect(splitReasoning('blue', 'hm')).toEqual({ text: 'blue', reasoning: 'hm', textStart: 0 });
    expect(splitReasoning('blue', '').reasoning).toBeNull();
    expect(splitReasoning('<think>b</think>blue', 'a').reasoning).toBe('a\n\nb');
  });
});
