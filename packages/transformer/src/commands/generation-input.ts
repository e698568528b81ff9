/**
 * What `transformer generate` continues, and how, as the flags say.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError } from '@lab/core';
import type { CliInput, CliOption } from '@lab/core/cli';
import type { ChatMessage } from '../chat-template.js';
import type { BeamOptions } from '../generation/beam-search.js';
import type { ContinuationOptions } from '../generation/engine.js';
import { promptList } from '../generation/generate.js';
import { DEFAULT_NEW_TOKENS } from '../generation/request-settings.js';
import { isGgufFile, withGguf } from '../gguf/gguf-file.js';
import { readInterventions } from '../intervention-file.js';
import { loadTokenizer, type Tokenizer } from '../tokenizer.js';
import { readIdFile } from './id-file.js';
import { isConversation } from './prompt-file.js';

/** What is continued. */
export interface GenerationInput {
  /** Token ids, without padding. */
  readonly prompts: readonly (readonly number[])[];
  /** Null where the folder has none. */
  readonly tokenizer: Tokenizer | null;
  /** Whether ids were given, which are printed, too. */
  readonly areIds: boolean;
}

/** Flags that say what is continued. */
export const promptOptions: readonly CliOption[] = [
  { flags: '--prompt <text>', summary: 'a text for the tokenizer of the model' },
  { flags: '--chat <file>', summary: 'JSON [{ "role": "user", "content": ".." }] in its place' },
  { flags: '--ids <file>', summary: 'JSON { "ids": [[..]], "mask": [[..]] } in its place' },
];

/** Flags that say how. */
export const samplingOptions: readonly CliOption[] = [
  {
    flags: '--max-new-tokens <n>',
    ...{ summary: 'new tokens, at most', kind: 'integer' },
    unit: `default ${DEFAULT_NEW_TOKENS}, or as many as there is room for`,
  },
  { flags: '--min-new-tokens <n>', summary: 'new tokens, at least', kind: 'integer', default: 0 },
  { flags: '--greedy', summary: 'the most probable token each time (default)', kind: 'boolean' },
  { flags: '--temperature <t>', summary: 'draw tokens, logits divided by it', kind: 'number' },
  { flags: '--top-k <n>', summary: 'draw among the n most probable', kind: 'integer' },
  { flags: '--top-p <p>', summary: 'draw among the first that make up p', kind: 'number' },
  { flags: '--seed <n>', summary: 'of the draws', kind: 'integer', default: 0 },
  {
    flags: '--stop <text>',
    summary: 'text that ends it; several times for more',
    kind: 'repeated',
  },
  { flags: '--ignore-eos', summary: 'go on behind tokens that end a text', kind: 'boolean' },
  {
    flags: '--context <n>',
    ...{ summary: 'tokens of prompt and continuation, at most', kind: 'integer' },
    unit: 'default those that the model was made for',
  },
];

/** Flags of a T5. */
export const beamOptions: readonly CliOption[] = [
  { flags: '--beams <n>', summary: 'of a T5: beams that are searched', kind: 'integer' },
  {
    flags: '--length-penalty <p>',
    summary: 'of beams: above 0 for longer texts, below for shorter ones',
    kind: 'number',
  },
  {
    flags: '--early-stopping <when>',
    summary:
      'of beams, when to end: once so many texts are whole as there are beams (true), where the ' +
      'best beam is worse by its present length (false), or by any (never)',
    choices: ['true', 'false', 'never'],
    unit: 'default false',
  },
];

/** How beams are searched, as the flags say. */
export function searchOptions({ options }: CliInput): BeamOptions {
  const when = options['earlyStopping'] as string | undefined;
  return {
    numBeams: options['beams'] as number | undefined,
    lengthPenalty: options['lengthPenalty'] as number | undefined,
    earlyStopping: when === 'never' ? when : when === 'true',
  };
}

/**
 * Refuses flags that are not for this kind of models.
 *
 * @throws {ConfigError} for beams of a decoder, and places of a T5.
 */
export function assertFlags({ options }: CliInput, folder: string, isT5: boolean): void {
  const others = isT5 ? ['context'] : ['beams', 'lengthPenalty', 'earlyStopping'];
  const given = others.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  const flag = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new ConfigError(
    `transformer/generate: --${flag} is for ${isT5 ? 'decoders' : 'a T5'}, not for ${folder}.`,
    { help: 'Leave it out.' },
  );
}

/** The texts that the flags name. */
export function generationInput({ options }: CliInput, folder: string): GenerationInput {
  const given = ['prompt', 'chat', 'ids'].filter((name) => options[name] !== undefined);
  if (given.length !== 1) {
    throw new ConfigError('transformer/generate: give one of --prompt, --chat and --ids.', {
      help: "transformer generate MODEL --prompt 'Once upon a time'",
    });
  }
  if (typeof options['ids'] === 'string') {
    const { ids, mask, decoderIds } = readIdFile(options['ids']);
    if (decoderIds !== undefined) {
      throw new DataError(`${options['ids']}: has decoderIds, which nothing goes on from.`, {
        ...{
          file: options['ids'],
          help: 'Leave decoderIds out; the decoder of a T5 begins itself.',
        },
      });
    }
    const prompts = promptList({ ids, mask }).map((row) => Array.from(row as ArrayLike<number>));
    return { prompts, tokenizer: tokenizerOf(folder), areIds: true };
  }
  const tokenizer = loadTokenizer(folder);
  const prompt =
    typeof options['chat'] === 'string'
      ? chatIds(options['chat'], tokenizer)
      : tokenizer.encode(options['prompt'] as string);
  return { prompts: [prompt], tokenizer, areIds: false };
}

/** The tokenizer, where the checkpoint has one. */
export function tokenizerOf(folder: string): Tokenizer | null {
  const hasOne = isGgufFile(folder)
    ? withGguf(folder, ({ metadata }) => metadata.has('tokenizer.ggml.tokens'))
    : existsSync(join(folder, 'tokenizer.json'));
  return hasOne ? loadTokenizer(folder) : null;
}

/** The ids of a conversation in a file, with the header of the answer. */
function chatIds(path: string, tokenizer: Tokenizer): number[] {
  const help = 'Write [{ "role": "user", "content": "..." }].';
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const isAbsent = (cause as { code?: string }).code === 'ENOENT';
    const what = isAbsent ? 'there is no such file' : `is not JSON (${(cause as Error).message})`;
    throw new DataError(`${path}: ${what}.`, { file: path, cause, help });
  }
  const messages = (value as { messages?: unknown } | null)?.messages ?? value;
  if (!isConversation(messages)) {
    throw new DataError(`${path}: is no list of messages.`, { file: path, help });
  }
  const text = tokenizer.chat.render(messages satisfies ChatMessage[]);
  return tokenizer.encode(text, { addSpecialTokens: false });
}

/** The settings of the flags. */
export function continuationOptions({ options }: CliInput): ContinuationOptions {
  const numberOf = (name: string) => options[name] as number | undefined;
  const [temperature, topK, topP] = [numberOf('temperature'), numberOf('topK'), numberOf('topP')];
  const isDrawn = [temperature, topK, topP].some((value) => value !== undefined);
  if (options['greedy'] === true && isDrawn) {
    throw new ConfigError('transformer/generate: --greedy draws nothing.', {
      help: 'Leave it out, or --temperature, --top-k and --top-p.',
    });
  }
  const changes = options['interventions'];
  return {
    ...{ topK, topP },
    temperature: temperature ?? (isDrawn ? 1 : 0),
    maxNewTokens: numberOf('maxNewTokens'),
    minNewTokens: numberOf('minNewTokens'),
    seed: numberOf('seed'),
    stop: (options['stop'] as string[] | undefined) ?? [],
    ignoreEos: options['ignoreEos'] === true,
    interventions: typeof changes === 'string' ? readInterventions(changes) : [],
  };
}
