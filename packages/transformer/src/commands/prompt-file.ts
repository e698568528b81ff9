/**
 * Prompts from a file, as a batch of token ids.
 */
import { ConfigError, DataError, eachLine } from '@lab/core';
import type { ChatMessage } from '../chat-template.js';
import type { EncodedBatch, Tokenizer } from '../tokenizer.js';

const FORM = 'Write { "text": "..." } or { "messages": [{ "role": "user", "content": "..." }] }.';

/**
 * Reads a prompt a line: plain text, or in a file `*.jsonl` an object with `text`, or with
 * `messages` for the chat template of the model. Other fields are left alone; blank lines are no
 * prompts.
 *
 * @returns ids and mask, filled up on the left.
 * @throws {DataError} for a line that is no prompt, and a file without any.
 */
export async function readPrompts(path: string, tokenizer: Tokenizer): Promise<EncodedBatch> {
  const isJson = /\.(jsonl|ndjson)(\.gz)?$/.test(path);
  const rows: number[][] = [];
  await eachLine(path, (text, line) => {
    if (text.trim() === '') return;
    const row = isJson ? jsonPrompt(text, { path, line, tokenizer }) : tokenizer.encode(text);
    if (row.length === 0) {
      throw lineError({ path, line }, 'has no tokens', 'Leave the line out.');
    }
    rows.push(row);
  });
  if (rows.length === 0) {
    throw new DataError(`${path}: has no prompts.`, { file: path, help: 'Write one a line.' });
  }
  const length = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const filled = (row: readonly number[], filling: number, own: (id: number) => number) => [
    ...Array.from({ length: length - row.length }, () => filling),
    ...row.map(own),
  ];
  return {
    ids: rows.map((row) => filled(row, tokenizer.paddingId, (id) => id)),
    mask: rows.map((row) => filled(row, 0, () => 1)),
  };
}

interface Line {
  readonly path: string;
  readonly line: number;
}

const lineError = ({ path, line }: Line, what: string, help: string, cause?: unknown) =>
  new DataError(`${path} line ${line}: ${what}.`, { file: path, line, help, cause });

function jsonPrompt(
  text: string,
  { tokenizer, ...at }: Line & { readonly tokenizer: Tokenizer },
): number[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw lineError(at, `is not JSON (${(cause as Error).message})`, FORM, cause);
  }
  const fields = (typeof value === 'object' && value !== null ? value : {}) as {
    readonly text?: unknown;
    readonly messages?: unknown;
  };
  if (typeof fields.text === 'string' && fields.messages === undefined) {
    return tokenizer.encode(fields.text);
  }
  if (!isConversation(fields.messages) || fields.text !== undefined) {
    throw lineError(at, 'has neither one text nor a list of messages', FORM);
  }
  try {
    // A template writes the special tokens itself.
    const rendered = tokenizer.chat.render(fields.messages);
    return tokenizer.encode(rendered, { addSpecialTokens: false });
  } catch (cause) {
    if (!(cause instanceof DataError || cause instanceof ConfigError)) throw cause;
    const { message, help = FORM } = cause;
    const what = message.replace(/\.$/, '');
    if (cause instanceof DataError) throw lineError(at, what, help, cause);
    // How it is asked is wrong, not the file: without a template there are no conversations.
    throw new ConfigError(`${at.path} line ${at.line}: has messages; ${what}.`, { help, cause });
  }
}

/** Whether a value is a list of messages. */
export function isConversation(value: unknown): value is ChatMessage[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (one: Partial<ChatMessage> | null) =>
        typeof one?.role === 'string' && typeof one.content === 'string',
    )
  );
}
