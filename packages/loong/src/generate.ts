/**
 * Every question to a model, as a run that loses nothing.
 */
import { sha256 } from '@lab/core';
import {
  type ChatRequest,
  describedFacts,
  type LlmClient,
  LlmFailure,
  type MethodRunOptions,
  type RowContext,
  rowSettingsOf,
  type RowsResult,
  runRows,
} from '@lab/llm';
import { answerStatuses, type LoongAnswer } from './answers.js';
import {
  type AssembledPrompt,
  type AssembleOptions,
  assemblePrompt,
  questionText,
} from './assemble.js';
import type { LoongConfig } from './config.js';
import { type DocumentLibrary, missingDocuments, missingError } from './library.js';
import { type Retriever, retrievedPrompt } from './rag.js';
import type { LoongRecord } from './record.js';
import { countTokens } from './tokens.js';
import { version } from './version.js';

/** Settings of {@link generateAnswers}. */
export interface GenerateOptions extends MethodRunOptions {
  readonly records: readonly LoongRecord[];
  readonly library: DocumentLibrary;
  readonly client: LlmClient;
  readonly config: LoongConfig;
  /** Finds chunks where `config.rag.retriever` is not `off`. */
  readonly retriever?: Retriever | undefined;
}

/** Prompts of a hundred thousand tokens are in memory for each row in flight. */
const rowsInFlight = 8;

/**
 * Asks a model every question; `predictions.jsonl` of the folder has a {@link LoongAnswer} for
 * each, in the order of the records. Cache, budget, shards and resuming are those of `@lab/llm`.
 *
 * @throws {DataError} when a document is missing, before anything is asked.
 * @throws {InterruptedError} {BudgetError} {FailedRowsError} {LlmFailure} as `runRows`.
 */
export async function generateAnswers(options: GenerateOptions): Promise<RowsResult> {
  const { records, library, client, config, facts = {} } = options;
  const missing = config.assembly.closedBook ? [] : missingDocuments(records, library);
  if (missing.length > 0) throw missingError(library.dir, missing);
  return runRows<LoongRecord, LoongAnswer>({
    ...rowSettingsOf(options),
    rows: records,
    total: records.length,
    step: (record, context) => answerRecord(record, context, options),
    client,
    description: {
      method: 'loong',
      label: facts.label ?? client.model,
      seed: config.seed,
      config: {
        kind: 'answers',
        model: client.model,
        server: facts.server ?? null,
        mode: facts.mode ?? null,
        preset: facts.preset ?? null,
        settings: config,
        retriever: options.retriever?.name ?? null,
        records: digestOf(records.map(({ id }) => id)),
        documents: config.assembly.closedBook ? null : documentsDigest(records, library),
      },
      ...describedFacts(facts),
      packages: { '@lab/loong': version },
    },
    concurrency: options.concurrency ?? rowsInFlight,
  });
}

const digestOf = (texts: readonly string[]): string => sha256(texts.join('\n')).slice(0, 16);

/** Digest of all documents that records name, so that a run goes on with the same ones alone. */
function documentsDigest(records: readonly LoongRecord[], library: DocumentLibrary): string {
  const digests = new Map<string, string>();
  for (const record of records) {
    for (const name of record.doc) {
      const place = library.placeOf(record, name);
      if (digests.has(place)) continue;
      digests.set(place, sha256(library.find(record, name)?.text ?? ''));
    }
  }
  return digestOf([...digests].map(([place, digest]) => `${place} ${digest}`).sort());
}

/** How prompts of a run are made, for a window of so many tokens. */
export function assembleOptionsOf(
  config: LoongConfig,
  library: DocumentLibrary,
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
  };
}

/** A prompt, with chunks where they were retrieved. */
export type MadePrompt = AssembledPrompt & Pick<LoongAnswer, 'chunks'>;

/** The prompt of a record under the settings of a run. */
export async function promptOf(
  record: LoongRecord,
  { config, library, retriever }: Pick<GenerateOptions, 'config' | 'library' | 'retriever'>,
  maxLength: number = config.window.maxLength,
): Promise<MadePrompt> {
  if (config.assembly.closedBook) {
    const prompt = questionText(record);
    const promptTokens = await countTokens(prompt);
    return { prompt, promptTokens, docsUsed: [], docsDropped: [], positions: [] };
  }
  const options = assembleOptionsOf(config, library, maxLength);
  if (retriever === undefined) return assemblePrompt(record, options);
  return retrievedPrompt(record, { ...options, retriever, rag: config.rag });
}

/** The request that asks a prompt: one message of the user. */
export function requestOf(prompt: string, { generation }: LoongConfig): ChatRequest {
  const { temperature, topP, maxTokens } = generation;
  return { messages: [{ role: 'user', content: prompt }], temperature, topP, maxTokens };
}

async function answerRecord(
  record: LoongRecord,
  context: RowContext,
  options: GenerateOptions,
): Promise<LoongAnswer> {
  const { shrink, maxShrinks, maxLength: window } = options.config.window;
  let maxLength = window;
  for (let shrinks = 0; ; shrinks += 1) {
    const made = await promptOf(record, options, maxLength);
    const facts = factsOf(made, maxLength);
    if (made.docsUsed.length === 0 && !options.config.assembly.closedBook) {
      context.setStatus(answerStatuses.noDocsFit);
      return { response: '', ...facts, finishReason: null };
    }
    try {
      const { text, finish } = await context.client.chat(requestOf(made.prompt, options.config));
      if (finish === 'length') context.setStatus('length');
      return { response: text, ...facts, finishReason: finish };
    } catch (error) {
      const isTooLong = error instanceof LlmFailure && error.kind === 'context-length';
      if (!isTooLong || shrinks >= maxShrinks || shrink === 0) throw error;
      maxLength = Math.floor(maxLength * (1 - shrink));
    }
  }
}

type PromptFacts = Omit<LoongAnswer, 'response' | 'finishReason'>;

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
