/**
 * Every question to a model, as a run that loses nothing.
 */
import { sha256 } from '@lab/core';
import {
  describedFacts,
  type LlmClient,
  type MethodRunOptions,
  rowSettingsOf,
  type RowsResult,
  runRows,
} from '@lab/llm';
import { answerRecord, type AnswerSource } from './answer-record.js';
import type { LoongAnswer } from './answers.js';
import { type DocumentLibrary, missingDocuments, missingError } from './library.js';
import type { LoongRecord } from './record.js';
import { version } from './version.js';

/** Settings of {@link generateAnswers}. */
export interface GenerateOptions extends MethodRunOptions, AnswerSource {
  readonly records: readonly LoongRecord[];
  readonly client: LlmClient;
}

/** Prompts of a hundred thousand tokens are in memory for each row in flight. */
const rowsInFlight = 8;

/**
 * Asks a model every question; `predictions.jsonl` of the folder has a {@link LoongAnswer} for
 * each, in the order of the records. Cache, budget, shards and resuming are those of `@lab/llm`.
 *
 * @throws {DataError} when a document is missing, before anything is asked.
 * @throws {ConfigError} where the server is to count tokens and no counter is given.
 * @throws {InterruptedError} {BudgetError} {FailedRowsError} {LlmFailure} as `runRows`.
 */
export async function generateAnswers(options: GenerateOptions): Promise<RowsResult> {
  const { records, library, client, config, facts = {} } = options;
  assertDocuments(options);
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

/**
 * Nothing, when every document is there that prompts need.
 *
 * @throws {DataError} otherwise, with each that is missing.
 */
export function assertDocuments({
  records,
  library,
  config,
}: Pick<GenerateOptions, 'config' | 'library' | 'records'>): void {
  const missing = config.assembly.closedBook ? [] : missingDocuments(records, library);
  if (missing.length > 0) throw missingError(library.dir, missing);
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
