/**
 * A prompt as the text and the ids that a model reads.
 */
import { ConfigError, DataError, formatCount, nearest } from '@lab/core';
import type { ChatMessage } from './chat-template.js';
import { fastChatFormats, fastChatText } from './fastchat-formats.js';
import type { Tokenizer } from './tokenizer.js';

/** How {@link encodePrompt} writes a prompt. */
export interface PromptFormatOptions {
  /**
   * `direct`: the prompt alone; `template`, a bare question and answer, and its three spellings in
   * published code; `chat`: the model's own template; a name of FastChat; or a text with `{prompt}`
   * in it, and `{system}` where it has a place for that. Default `template`.
   */
  readonly format?: string | undefined;
  /** Text of the system, for formats that have a place for it. */
  readonly system?: string | undefined;
  /** Begin of the answer, which the model goes on from. */
  readonly opening?: string | undefined;
  /** Tokens at most; a longer prompt is an error unless it may be cut. */
  readonly maxTokens?: number | undefined;
  /** Which end of a longer prompt is cut; default `none`. */
  readonly truncate?: 'left' | 'none' | 'right' | undefined;
}

/** A prompt ready to be read. */
export interface EncodedPrompt {
  readonly text: string;
  readonly ids: number[];
  /** Tokens that were cut away. */
  readonly cutTokens: number;
}

/** Spellings of one bare template; the three others are published side by side. */
const templates: Readonly<Record<string, string>> = {
  direct: '{prompt}',
  template: '## Query:{prompt} \n## Answer:',
  'official-query': '## Query:{prompt} \n## Answer:',
  'official-generation': '## Query: {prompt}\n## Answer:',
  'official-dataset': '## Query:{prompt}\n## Answer:',
};

/** Names of the formats, beside texts with `{prompt}`. */
export const promptFormats: readonly string[] = [
  ...Object.keys(templates),
  'chat',
  ...fastChatFormats,
];

/** The day that chat templates are told, so that a prompt is the same tomorrow. */
const DAY = new Date(2024, 6, 26);

/**
 * The text of a prompt in a format, and its ids.
 *
 * Special tokens are added where the tokenizer adds them, never twice: a chat template writes them
 * itself, and of two at the begin one is left out. Templates that ask for today are told 26 July
 * 2024. An opening stands behind a space, unless the text before it ends in white space. A cut on
 * the left keeps the first token where it is the one that begins texts.
 *
 * Source of `template`: Zhou et al., On the Role of Attention Heads in Large Language Model Safety;
 * of the spellings `official-...`: ydyjya/SafetyHeadAttribution, scoring by query, generation by
 * query, and scoring of a data set, one each.
 *
 * @throws {ConfigError} for a format that is not known, `chat` where the model has no template, and
 *   a text of the system where the format has no place for it.
 * @throws {DataError} for a blank prompt, a conversation that the template refuses, and a prompt
 *   of more than `maxTokens` tokens that must not be cut.
 */
export function encodePrompt(
  tokenizer: Tokenizer,
  prompt: string,
  options: PromptFormatOptions = {},
): EncodedPrompt {
  assertPrompt(prompt);
  const text = withOpening(promptText(tokenizer, prompt, options), options.opening);
  const ids = tokenizer.encode(text, { addSpecialTokens: options.format !== 'chat' });
  return {
    text,
    ...cut(isBegunTwice(ids, tokenizer) ? ids.slice(1) : ids, tokenizer, options),
  };
}

/**
 * Refuses a prompt without a word.
 *
 * @throws {DataError} as {@link encodePrompt}.
 */
export function assertPrompt(prompt: string): void {
  if (prompt.trim() !== '') return;
  throw new DataError('transformer/prompt: the prompt is blank.', {
    help: 'Leave it out, or write one.',
  });
}

/**
 * Refuses a text that has no tokens.
 *
 * @throws {DataError} for no ids.
 */
export function assertTokens(ids: readonly number[]): void {
  if (ids.length > 0) return;
  throw new DataError('transformer/prompt: the prompt has no tokens.', {
    help: 'Give a prompt with letters that the tokenizer knows.',
  });
}

/** A prompt with the begin of its answer. */
export function withOpening(prompt: string, opening: string | undefined): string {
  if (opening === undefined) return prompt;
  return /\s$/.test(prompt) ? `${prompt}${opening}` : `${prompt} ${opening}`;
}

/** Whether both the text and the tokenizer put the token that begins texts there. */
export const isBegunTwice = (ids: readonly number[], { beginId }: Pick<Tokenizer, 'beginId'>) =>
  beginId !== null && ids[0] === beginId && ids[1] === beginId;

/**
 * Refuses a format that a tokenizer cannot write, before any work.
 *
 * @throws {ConfigError} as {@link encodePrompt}.
 */
export function assertPromptFormat(tokenizer: Tokenizer, options: PromptFormatOptions): void {
  promptText(tokenizer, 'x', options);
}

/** A prompt in its format. */
export function promptText(
  tokenizer: Tokenizer,
  prompt: string,
  { format = 'template', system }: Pick<PromptFormatOptions, 'format' | 'system'>,
): string {
  if (format === 'chat' || fastChatFormats.includes(format)) {
    const first = system === undefined ? [] : [{ role: 'system', content: system }];
    return conversationText(tokenizer, [...first, { role: 'user', content: prompt }], format);
  }
  const template = Object.hasOwn(templates, format) ? templates[format]! : format;
  if (!template.includes('{prompt}')) throw unknownFormat(format);
  if (system !== undefined && !template.includes('{system}')) {
    throw new ConfigError(
      `transformer/prompt: the format ${shown(format)} has no place for a text of the system.`,
      { help: 'Leave the system out, take chat, or write a format with {system} in it.' },
    );
  }
  // In one pass: a prompt that has {system} in it stays as it is.
  return template.replace(/\{(prompt|system)\}/g, (_, name: string) =>
    name === 'prompt' ? prompt : (system ?? ''),
  );
}

/**
 * A conversation in `chat`, the model's own template, or a format of FastChat; with the header of
 * the answer, where the user has the last word.
 *
 * @throws {ConfigError} for another format.
 */
export function conversationText(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  format: string,
): string {
  return format === 'chat' ? chatText(tokenizer, messages) : fastChatText(format, messages);
}

function chatText(tokenizer: Tokenizer, messages: readonly ChatMessage[]): string {
  if (!tokenizer.chat.names.includes('default')) {
    const others = tokenizer.chat.names;
    const has = others.length === 0 ? 'none' : `only ${others.join(', ')}`;
    throw new ConfigError(
      `transformer/prompt: the model's chat template is missing; it has ${has}.`,
      {
        help: `Take another format: ${promptFormats.filter((name) => name !== 'chat').join(', ')}.`,
      },
    );
  }
  const addGenerationPrompt = messages.at(-1)?.role !== 'assistant';
  return tokenizer.chat.render(messages, { now: DAY, addGenerationPrompt });
}

const shown = (format: string): string =>
  format.length > 40 ? `${JSON.stringify(format.slice(0, 37))}...` : JSON.stringify(format);

function unknownFormat(format: string): ConfigError {
  const like = nearest(format, promptFormats);
  const hint = like === undefined ? '' : `; near: ${like}`;
  return new ConfigError(`transformer/prompt: no format is called ${shown(format)}${hint}.`, {
    help: `There are ${promptFormats.join(', ')}; or give a text with {prompt} in it.`,
  });
}

function cut(
  ids: number[],
  { beginId }: Tokenizer,
  { maxTokens, truncate = 'none' }: PromptFormatOptions,
): Pick<EncodedPrompt, 'cutTokens' | 'ids'> {
  assertTokens(ids);
  if (maxTokens === undefined || ids.length <= maxTokens) return { ids, cutTokens: 0 };
  if (truncate === 'none' || maxTokens < 2) {
    throw new DataError(
      `transformer/prompt: the prompt has ${formatCount(ids.length)} tokens, the model takes ` +
        `${formatCount(maxTokens)}.`,
      { help: 'Shorten it, or let it be cut on the left or on the right.' },
    );
  }
  const cutTokens = ids.length - maxTokens;
  if (truncate === 'right') return { ids: ids.slice(0, maxTokens), cutTokens };
  const begin = ids[0] === beginId ? [ids[0]!] : [];
  return { ids: [...begin, ...ids.slice(ids.length - maxTokens + begin.length)], cutTokens };
}
