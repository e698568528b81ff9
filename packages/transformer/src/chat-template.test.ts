// What is expected here was made with jinja2 3.1.6 by `_compile_jinja_template` of transformers
// 5.18.0.
import { describe, expect, it } from 'vitest';
import { readChatTemplates } from './chat-template.js';

const rendered = (template: string, content: string): string => {
  const source = { folder: 'model', config: { chat_template: template }, special: {} };
  const now = new Date(2024, 6, 6, 9, 5, 7);
  return readChatTemplates(source).render([{ role: 'user', content }], { now });
};

const thought = '<think>\n a\n\n</think>\n\n    b \n\n';

describe('chat templates', () => {
  it.each([
    ["{{ messages[0].content.split('</think>')[-1].lstrip('\\n') }}", thought, '    b \n\n'],
    ["{{ messages[0].content.split('</think>')[0].rstrip('\\n') }}", thought, '<think>\n a'],
    ["[{{ messages[0].content.strip('\\n') }}]", '\n a \n', '[ a ]'],
    ["[{{ messages[0].content.strip('ab😀') }}]", 'ba😀 a x😀b', '[ a x]'],
    ["{{ 'a</think>b'.split('</think>')[1].strip('b').strip() }}", '', ''],
    ['[{{ messages[0].content.strip() }}]', '\u001c\u0085 a\u00a0\u3000', '[a]'],
    ['[{{ messages[0].content | trim }}]', '\ufeff a\u001f\n', '[\ufeff a]'],
    ['[{{ nothing | trim }}{{ (messages[0].content + " ") | trim | length }}]', ' ab ', '[2]'],
    ["{% macro f(x) %}<{{ x.strip('-') }}>{% endmacro %}{{ f('-a-') }}", '', '<a>'],
    ["{{ strftime_now('%-d/%-m/%y %j %H:%M') }}", '', '6/7/24 188 09:05'],
  ])('%s', (template, content, wanted) => {
    expect(rendered(template, content)).toBe(wanted);
  });

  it('strip nothing but texts', () => {
    expect(() => rendered('{{ messages | trim }}', 'a')).toThrow('only a text can be stripped');
    expect(() => rendered('{{ none.strip() }}', 'a')).toThrow('refuses the conversation');
  });
});
