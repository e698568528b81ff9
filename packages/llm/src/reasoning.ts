/**
 * Takes what a model thought off what it answered.
 */

/** An answer without its reasoning. */
export interface SplitAnswer {
  readonly text: string;
  readonly reasoning: string | null;
  /** Characters of the content that stand before the text. */
  readonly textStart: number;
}

/** Opening and closing marks of reasoning within an answer. */
const marks: readonly (readonly [open: string, close: string])[] = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  ['<thought>', '</thought>'],
  ['<reasoning>', '</reasoning>'],
  ['◁think▷', '◁/think▷'],
  ['[THINK]', '[/THINK]'],
];

/**
 * Splits the content of a message. Marks count at its start only, so that an answer that speaks of
 * them stays whole; an end without a start counts when it stands on a line of its own, as some
 * templates put the start into the prompt. Without an end all is reasoning.
 *
 * @param content - as the server gave it.
 * @param field - what it gave beside it as `reasoning_content` or `reasoning`.
 */
export function splitReasoning(content: string, field: string | null = null): SplitAnswer {
  const start = content.length - content.trimStart().length;
  for (const [open, close] of marks) {
    if (content.startsWith(open, start)) return splitAt(content, start + open.length, close, field);
  }
  for (const [, close] of marks) {
    const end = endOnItsOwn(content, close);
    if (end !== -1) return joined(content, { from: 0, to: end, next: end + close.length }, field);
  }
  const reasoning = field === null || field === '' ? null : field;
  return { text: content, reasoning, textStart: 0 };
}

function splitAt(content: string, from: number, close: string, field: string | null): SplitAnswer {
  const end = content.indexOf(close, from);
  const to = end === -1 ? content.length : end;
  return joined(content, { from, to, next: end === -1 ? to : to + close.length }, field);
}

function joined(
  content: string,
  at: { readonly from: number; readonly to: number; readonly next: number },
  field: string | null,
): SplitAnswer {
  const inside = content.slice(at.from, at.to).trim();
  const parts = [field ?? '', inside].filter((part) => part !== '');
  const rest = content.slice(at.next);
  const text = rest.trimStart();
  return {
    text,
    reasoning: parts.length === 0 ? null : parts.join('\n\n'),
    textStart: at.next + rest.length - text.length,
  };
}

function endOnItsOwn(content: string, close: string): number {
  if (!content.includes(close)) return -1;
  const end = content.indexOf(`\n${close}`);
  if (end === -1) return -1;
  const next = content[end + 1 + close.length];
  return next === undefined || next === '\n' || next === '\r' ? end + 1 : -1;
}
