/**
 * The prompts of requests, as token ids.
 */
import { setImmediate } from 'node:timers/promises';
import { DataError, formatCount } from '@lab/core';
import { isJsonObject } from '../json-file.js';
import type { ChatMessage } from '../chat-template.js';
import { fastChatText } from '../fastchat-formats.js';
import type { EncodeOptions, Tokenizer } from '../tokenizer.js';
import { ApiProblem, invalid, tooLong, unsupported } from './api-problem.js';
import { type JsonObject, RequestFields, wrongType } from './request-fields.js';

/** Messages of a conversation, at most. */
const MOST_MESSAGES = 2048;
/** Prompts or texts of one request, at most. */
export const MOST_TEXTS = 2048;

const ROLES: readonly string[] = ['system', 'user', 'assistant'];

/** What prompts are read with. */
export interface PromptReader {
  readonly tokenizer: Tokenizer;
  /** Format of FastChat in the place of the chat template; null for the template. */
  readonly chatFormat: string | null;
  readonly vocabularySize: number;
  /** Tokens of a text, at most; longer ones are refused as soon as that is clear. */
  readonly mostTokens: number;
}

/**
 * The ids of a conversation, with the header of the answer.
 *
 * @param withHeader - whether the header is there; default true.
 */
export function chatIds(
  messages: readonly ChatMessage[],
  reader: PromptReader,
  withHeader = true,
): number[] {
  const { tokenizer, chatFormat } = reader;
  if (chatFormat === null && !tokenizer.chat.names.includes('default')) {
    throw new ApiProblem(
      400,
      'This model has no chat template. Start the server with --chat-format, or send a text to ' +
        '/v1/completions.',
      { param: 'messages', code: 'no_chat_template' },
    );
  }
  try {
    if (chatFormat !== null) return formatIds(fastChatText(chatFormat, messages), reader);
    const text = tokenizer.chat.render(messages, { addGenerationPrompt: withHeader });
    // A template writes the special tokens itself.
    return textIds(text, reader, { addSpecialTokens: false });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    // The message names files of the server; what the template said is behind it.
    const said = error.cause instanceof Error ? error.cause.message : error.message;
    throw invalid('messages', `The chat template refuses the conversation: ${said}`);
  }
}

/** Formats of FastChat leave the begin to the tokenizer, but for one that writes its token. */
function formatIds(text: string, reader: PromptReader): number[] {
  const ids = textIds(text, reader, { param: 'messages' });
  const { beginId } = reader.tokenizer;
  return beginId !== null && ids[0] === beginId && ids[1] === beginId ? ids.slice(1) : ids;
}

/** Letters of a token, at most, in texts that are no single letter over and over. */
const LETTERS_PER_TOKEN = 8;

/**
 * The ids of a text. Of a long one the beginning is looked at first: reading all of it would hold
 * up everybody for nothing.
 *
 * @throws {ApiProblem} for more tokens than there may be.
 */
export function textIds(
  text: string,
  { tokenizer, mostTokens }: Pick<PromptReader, 'mostTokens' | 'tokenizer'>,
  { param = 'messages', ...options }: EncodeOptions & { readonly param?: string } = {},
): number[] {
  for (let size = LETTERS_PER_TOKEN * mostTokens; size < text.length; size *= 2) {
    const { length } = tokenizer.encode(text.slice(0, size), options);
    // The cut may have taken a token apart.
    if (length - 8 > mostTokens) throw tooLong({ length, contextTokens: mostTokens, param });
  }
  return tokenizer.encode(text, options);
}

/** The messages of a chat. */
export function readMessages(fields: RequestFields): ChatMessage[] {
  const value = fields.value('messages');
  if (!Array.isArray(value)) throw wrongType('messages', 'a list of messages', value ?? null);
  if (value.length === 0 || value.length > MOST_MESSAGES) {
    throw invalid(
      'messages',
      `'messages' has ${formatCount(value.length)} messages, it needs 1 to ` +
        `${formatCount(MOST_MESSAGES)}.`,
    );
  }
  return value.map((message: unknown, at) => readMessage(message, `messages[${at}]`));
}

function readMessage(value: unknown, path: string): ChatMessage {
  if (!isJsonObject(value)) throw wrongType(path, 'an object', value);
  const fields = new RequestFields(withoutEmpty(value));
  const given = fields.text('role');
  // The newer name of the same role, which templates do not know.
  const role = given === 'developer' ? 'system' : given;
  if (role === undefined) throw wrongType(`${path}.role`, 'a string', null);
  if (role === 'tool' || role === 'function') throw unsupported(`${path}.role`, `Role '${role}'`);
  if (!ROLES.includes(role)) {
    throw invalid(`${path}.role`, `'${path}.role' must be one of ${ROLES.join(', ')}.`);
  }
  const content = contentOf(fields.value('content'), `${path}.content`);
  fields.assertAllRead(`${path}.`);
  return { role, content };
}

/** Answers of servers come back with fields that hold nothing. */
const withoutEmpty = (message: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(message).filter(
      ([name, value]) => name === 'content' || !(Array.isArray(value) && value.length === 0),
    ),
  );

function contentOf(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) throw wrongType(path, 'a string or a list of parts', value ?? null);
  const parts = value.map((part: unknown, at) => {
    const own = `${path}[${at}]`;
    if (!isJsonObject(part)) throw wrongType(own, 'an object', part);
    const { type, text } = part;
    if (type !== 'text') throw unsupported(own, `A part of type '${String(type).slice(0, 100)}'`);
    if (typeof text !== 'string') throw wrongType(`${own}.text`, 'a string', text ?? null);
    return text;
  });
  return parts.join('');
}

/**
 * The texts of a field, as ids: a text, a list of texts, a list of ids, or a list of these.
 *
 * @param name - of the field: `prompt` or `input`.
 */
export async function readTexts(
  fields: RequestFields,
  name: string,
  reader: PromptReader,
): Promise<number[][]> {
  const value = fields.value(name);
  const isOne = typeof value === 'string' || (Array.isArray(value) && typeof value[0] === 'number');
  const all: readonly unknown[] = isOne ? [value] : Array.isArray(value) ? value : [];
  if (all.length === 0) {
    throw wrongType(name, 'a text, a list of texts, or token ids', value ?? null);
  }
  if (all.length > MOST_TEXTS) {
    const [count, most] = [formatCount(all.length), formatCount(MOST_TEXTS)];
    throw invalid(name, `'${name}' has ${count} texts, at most ${most} are allowed.`);
  }
  const rows: number[][] = [];
  for (const one of all) {
    // Answers that are under way go on between two texts.
    await setImmediate();
    const isText = typeof one === 'string';
    const ids = isText
      ? textIds(one, reader, { param: name })
      : idsOf(one, name, reader.vocabularySize);
    if (ids.length === 0) throw invalid(name, `A text of '${name}' has no tokens.`);
    rows.push(ids);
  }
  return rows;
}

function idsOf(value: unknown, name: string, vocabularySize: number): number[] {
  if (!Array.isArray(value)) throw wrongType(name, 'a text, a list of texts, or token ids', value);
  const isId = (id: unknown) => Number.isSafeInteger(id) && (id as number) >= 0;
  if (value.every((id) => isId(id) && id < vocabularySize)) return value as number[];
  throw invalid(name, `'${name}' needs token ids from 0 to ${vocabularySize - 1}.`);
}
