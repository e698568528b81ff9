/**
 * One question to a model: its prompt, and its answer.
 */
import { ConfigError, sha256 } from '@lab/core';
import { type ChatRequest, type LlmClient, LlmFailure, type RowContext } from '@lab/llm';
import { answerStatuses, type LoongAnswer } from './answers.js';
import {
  type AssembledPrompt,
  type AssembleOptions,
  assemblePrompt,
  questionText,
} from './assemble.js';
import type { LoongConfig } from './config.js';
import type { DocumentLibrary } from './library.js';
import { goOn } from './prompts/continue-prompts.js';
import { type Retriever, retrievedPrompt } from './rag.js';
import type { LoongRecord } from './record.js';
import { cl100kCounter, type TokenCounter } from './tokens.js';

/** What prompts are made of. */
export interface PromptSource {
  readonly config: LoongConfig;
  readonly library: DocumentLibrary;
  /** Finds chunks where `config.rag.retriever` is not `off`. */
  readonly retriever?: Retriever | undefined;
  /** Counts where `config.window.tokenizer` is `server`: see `createServerCounter`. */
  readonly counter?: TokenCounter | undefined;
}

/** What answers are made of. */
export interface AnswerSource extends PromptSource {
  /** Called with each request about documents before it is sent, e.g. to look at the server. */
  readonly beforeAsk?: ((request: ChatRequest) => Promise<void> | undefined) | undefined;
}

/** A prompt, with chunks where they were retrieved. */
export type MadePrompt = AssembledPrompt & Pick<LoongAnswer, 'chunks'>;

/** How prompts of a run are made, for a window of so many tokens. */
export function assembleOptionsOf(
  { config, library, counter }: PromptSource,
  maxLength: number = config.window.maxLength,
): AssembleOptions {
  const { window, assembly, seed } = config;
  return {
    library,
    window: { maxLength, reserveOutput: window.reserveOutput, slack: window.slack },
    verdictFix: assembly.verdictFix,
    shuffle: assembly.shuffle,
    seed,
    stableDocOrder: assembly.stableDocOrder,
    counter: counterOf(config, counter),
  };
}

/** @throws {ConfigError} where the server is to count, and no way to ask it is given. */
function counterOf({ window }: LoongConfig, counter: TokenCounter | undefined): TokenCounter {
  if (window.tokenizer === 'cl100k_base') return cl100kCounter;
  if (counter !== undefined) return counter;
  throw new ConfigError('loong: window.tokenizer is server, and no counter is given.', {
    help: 'pass `counter: createServerCounter(client)`, whose server counts tokens.',
  });
}

/** The prompt of a record under the settings of a run. */
export async function promptOf(
  record: LoongRecord,
  source: PromptSource,
  maxLength: number = source.config.window.maxLength,
): Promise<MadePrompt> {
  const { config, retriever } = source;
  const options = assembleOptionsOf(source, maxLength);
  if (config.assembly.closedBook) {
    const prompt = questionText(record);
    const promptTokens = await (options.counter ?? cl100kCounter).joined([prompt]);
    return { prompt, promptTokens, docsUsed: [], docsDropped: [], positions: [] };
  }
  if (retriever === undefined) return assemblePrompt(record, options);
  return retrievedPrompt(record, { ...options, retriever, rag: config.rag });
}

/** The request that asks a prompt: one message of the user. */
export function requestOf(prompt: string, { generation }: LoongConfig): ChatRequest {
  const { temperature, topP, maxTokens } = generation;
  return { messages: [{ role: 'user', content: prompt }], temperature, topP, maxTokens };
}

/** The answer to a record; where a server finds its prompt too long, one for a smaller window. */
export async function answerRecord(
  record: LoongRecord,
  context: Pick<RowContext, 'client' | 'setStatus'>,
  source: AnswerSource,
): Promise<LoongAnswer> {
  const { shrink, maxShrinks, maxLength: window } = source.config.window;
  let maxLength = window;
  for (let shrinks = 0; ; shrinks += 1) {
    const made = await promptOf(record, source, maxLength);
    const facts = factsOf(made, maxLength);
    if (made.docsUsed.length === 0 && !source.config.assembly.closedBook) {
      context.setStatus(answerStatuses.noDocsFit);
      return { response: '', ...facts, finishReason: null };
    }
    const request = requestOf(made.prompt, source.config);
    try {
      await source.beforeAsk?.(request);
      const answer = await wholeAnswer(request, record, { client: context.client, source });
      if (answer.finishReason === 'length') context.setStatus('length');
      const { response, finishReason, ...more } = answer;
      return { response, ...facts, finishReason, ...more };
    } catch (error) {
      if (!isTooLong(error) || shrinks >= maxShrinks || shrink === 0) throw error;
      maxLength = Math.floor(maxLength * (1 - shrink));
    }
  }
}

const isTooLong = (error: unknown): boolean =>
  error instanceof LlmFailure && error.kind === 'context-length';

interface Asking {
  readonly client: Pick<LlmClient, 'chat'>;
  readonly source: AnswerSource;
}

type AnswerText = Pick<LoongAnswer, 'continuations' | 'finishReason' | 'response'>;

/**
 * An answer, gone on with where it was cut, as often as the settings say: the model sees its own
 * beginning and writes on.
 */
async function wholeAnswer(
  request: ChatRequest,
  { language }: LoongRecord,
  { client, source }: Asking,
): Promise<AnswerText> {
  let { text, finish } = await client.chat(request);
  let continuations = 0;
  while (finish === 'length' && continuations < source.config.generation.continuations) {
    const more = await furtherText(client, {
      ...request,
      messages: [
        ...request.messages,
        { role: 'assistant', content: text },
        { role: 'user', content: goOn[language] },
      ],
    });
    if (more === null || more.text === '') break;
    text += more.text;
    finish = more.finish;
    continuations += 1;
  }
  const answer = { response: text, finishReason: finish };
  return continuations === 0 ? answer : { ...answer, continuations };
}

/** The next part of an answer; null where there is no room for it: what there is stands. */
async function furtherText(client: Pick<LlmClient, 'chat'>, request: ChatRequest) {
  try {
    return await client.chat(request);
  } catch (error) {
    if (isTooLong(error)) return null;
    throw error;
  }
}

type PromptFacts = Omit<LoongAnswer, 'continuations' | 'finishReason' | 'response'>;

function factsOf(made: MadePrompt, maxLength: number): PromptFacts {
  const { prompt, promptTokens, docsUsed, docsDropped, positions, chunks } = made;
  const facts: PromptFacts = {
    promptHash: sha256(prompt),
    promptTokens,
    docsUsed,
    docsDropped,
    positions,
    maxLength,
  };
  return chunks === undefined ? facts : { ...facts, chunks };
}
