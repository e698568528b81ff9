/**
 * Chat templates as programs that strip texts as Python does: the library leaves the letters of
 * `strip('\n')` out of account, and takes away any white space.
 */
import { parse, tokenize } from '@huggingface/jinja';
import { type StripOptions, strippedText } from './stripped-text.js';

const sides = { strip: 'both', lstrip: 'begin', rstrip: 'end' } as const;

type Method = keyof typeof sides;

/** Names that no template can have for its own. */
const nameOf = (method: Method | 'trim') => `python ${method}`;

const strip =
  (side: StripOptions['side']) =>
  (text: unknown, letters?: unknown): string => {
    if (typeof text !== 'string') throw new Error('only a text can be stripped');
    return strippedText(text, typeof letters === 'string' ? { letters, side } : { side });
  };

/** As a filter: of what is not there nothing is left. */
const trim = (value: unknown): string =>
  strip('both')(typeof value === 'number' ? String(value) : (value ?? ''));

/** What programs call in the place of the library's own. */
export const programFunctions: Readonly<Record<string, unknown>> = {
  [nameOf('trim')]: trim,
  ...Object.fromEntries(
    Object.entries(sides).map(([method, side]) => [nameOf(method as Method), strip(side)]),
  ),
};

/** A node of a program; which fields it has depends on its type. */
type Node = Record<string, unknown> & { readonly type: string };

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/**
 * The program of a template, for an environment with {@link programFunctions}.
 *
 * @throws {Error} of the library where the template cannot be read.
 */
export function chatProgram(template: string): ReturnType<typeof parse> {
  const program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
  rewrite(program as unknown as Record<string, unknown>);
  return program;
}

/** Puts calls of our own functions in the place of methods and filters, in all fields of a node. */
function rewrite(fields: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value !== 'object' || value === null || value instanceof Map) continue;
    rewrite(value as Record<string, unknown>);
    const call = isNode(value) ? callOf(value) : null;
    if (call !== null) fields[name] = call;
  }
}

/** The call that stands for `TEXT.strip(LETTERS)` or `TEXT | trim`; null for another node. */
function callOf(node: Node): Node | null {
  const call = (method: Method | 'trim', args: readonly unknown[]): Node => ({
    type: 'CallExpression',
    callee: { type: 'Identifier', value: nameOf(method) },
    args,
  });
  const { callee, filter } = node;
  if (node.type === 'CallExpression' && isNode(callee) && callee.type === 'MemberExpression') {
    const method = callee['computed'] === true ? undefined : wordOf(callee['property']);
    const isOwn = method !== undefined && Object.hasOwn(sides, method);
    return isOwn
      ? call(method as Method, [callee['object'], ...(node['args'] as unknown[])])
      : null;
  }
  const isTrim = node.type === 'FilterExpression' && wordOf(filter) === 'trim';
  return isTrim ? call('trim', [node['operand']]) : null;
}

const wordOf = (node: unknown): string | undefined =>
  isNode(node) && node.type === 'Identifier' ? (node['value'] as string) : undefined;
