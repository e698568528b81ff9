/**
 * Examples from a file, a line each.
 */
import { DataError, eachLine } from '@lab/core';
import { isConversation } from '../commands/prompt-file.js';
import { isJsonObject } from '../json-file.js';
import {
  addExample,
  type EncodedExamples,
  type ExampleRules,
  noExamples,
  type TrainingExample,
} from './training-examples.js';

const FORM =
  'Write { "text": "..." }, { "prompt": "...", "answer": "..." } or ' +
  '{ "messages": [{ "role": "user", "content": "..." }, ...] }.';

/**
 * Reads a text a line, or in a file `*.jsonl` an object with `text`, with `prompt` and `answer`, or
 * with `messages`. Other fields are left alone; blank lines are no examples.
 *
 * @throws {DataError} with file, line and field for a line that is no example, and for a file
 *   without any.
 */
export async function readExampleFile(
  path: string,
  rules: ExampleRules,
  signal?: AbortSignal,
): Promise<EncodedExamples> {
  const isJson = /\.(jsonl|ndjson)(\.gz)?$/.test(path);
  const all = noExamples();
  const onLine = (text: string, line: number) => {
    if (text.trim() === '') return;
    const example = isJson ? parsedExample(text, path, line) : { text };
    addExample(all, example, rules, {
      ...{ where: `${path} line ${line}`, file: path, line, origin: line },
    });
  };
  await eachLine(path, onLine, { ...(signal && { signal }) });
  if (all.examples.length > 0) return all;
  throw new DataError(`${path}: has no examples.`, { file: path, help: FORM });
}

function parsedExample(text: string, file: string, line: number): TrainingExample {
  const wrong = (what: string, field?: string, cause?: unknown) =>
    new DataError(`${file} line ${line}: ${what}.`, {
      ...{ file, line, text, help: FORM, field, cause },
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong(`is not JSON (${(cause as Error).message})`, undefined, cause);
  }
  if (!isJsonObject(value)) throw wrong('is no object');
  const textOf = (field: string): string => {
    const own = value[field];
    if (typeof own === 'string') return own;
    throw wrong(own === undefined ? `has no ${field}` : `${field} is not a text`, field);
  };
  const forms = ['text', 'prompt', 'messages'].filter((field) => value[field] !== undefined);
  if (forms.length > 1) throw wrong(`has ${forms.join(' and ')}, which are two examples`, forms[1]);
  if (forms[0] === 'text') return { text: textOf('text') };
  if (forms[0] === 'messages') {
    const { messages } = value;
    if (isConversation(messages)) return { messages };
    throw wrong('messages is no list of { role, content }', 'messages');
  }
  if (forms[0] === 'prompt' || value['answer'] !== undefined) {
    return { prompt: textOf('prompt'), answer: textOf('answer') };
  }
  throw wrong('has neither text, nor prompt and answer, nor messages', 'text');
}
