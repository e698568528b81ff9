/**
 * Templates of a tokenizer: tokens around a text, and conversations.
 */
import type { GgufContent } from './gguf-file.js';
import type { Step } from './pre-tokenizers.js';

/** A post-processor that adds tokens before and behind a text. */
export function textTemplate(
  begin: readonly string[],
  end: readonly string[],
  ownId: (token: string) => number,
): Step {
  const added = (type: number) => (token: string) => ({
    SpecialToken: { id: token, type_id: type },
  });
  const text = (name: string, type: number) => [
    ...begin.map(added(type)),
    { Sequence: { id: name, type_id: type } },
    ...end.map(added(type)),
  ];
  return {
    type: 'TemplateProcessing',
    single: text('A', 0),
    pair: [...text('A', 0), ...text('B', 1)],
    special_tokens: Object.fromEntries(
      [...begin, ...end].map((token) => [
        token,
        { id: token, ids: [ownId(token)], tokens: [token] },
      ]),
    ),
  };
}

/** Field of tokenizer_config.json with the chat templates: one, or several with names. */
export function chatTemplates(gguf: GgufContent): Record<string, unknown> {
  const prefix = 'tokenizer.chat_template';
  const named = [...gguf.metadata].flatMap(([key, value]) => {
    if (value.type !== 'text' || !key.startsWith(prefix)) return [];
    const name = key === prefix ? 'default' : key.slice(prefix.length + 1);
    return [{ name, template: value.value }];
  });
  const [first] = named;
  if (first === undefined) return {};
  const isOne = named.length === 1 && first.name === 'default';
  return { chat_template: isOne ? first.template : named };
}
