/**
 * A pair of answers to be judged.
 */
import { DataError, sha256 } from '@lab/core';
import type { Verdict } from './verdict.js';

/** Two answers to one question, and which one people prefer, where that is known. */
export interface Sample {
  readonly id: string;
  /** Where the pair comes from, e.g. `webgpt`. */
  readonly dataset: string;
  /** Name of the task family, whose prompts are used. */
  readonly family: string;
  /** Question, document, record, sentence, context or problem; may be empty. */
  readonly question: string;
  readonly answer1: string;
  readonly answer2: string;
  /** What people say; null where nobody did. */
  readonly gold: Verdict | null;
  /** What single annotators say, in their order. */
  readonly annotators?: readonly Verdict[];
  /** Who wrote the answers, for rankings. */
  readonly system1?: string;
  readonly system2?: string;
}

const idDigits = 16;

/** The id of a pair that has none: the first 16 hexadecimal digits of the SHA-256 of its texts. */
export function sampleId(question: string, answer1: string, answer2: string): string {
  return sha256(`${question}|${answer1}|${answer2}`).slice(0, idDigits);
}

/** What becomes of pairs with the same id: an error, or the first or the last of them is kept. */
export type Dedupe = 'error' | 'first' | 'last';

/**
 * The samples, each id once.
 *
 * @throws {DataError} for a doubled id, unless `dedupe` says which one to keep.
 */
export function withUniqueIds(samples: readonly Sample[], dedupe: Dedupe): readonly Sample[] {
  const byId = new Map<string, Sample>();
  for (const sample of samples) {
    if (!byId.has(sample.id)) byId.set(sample.id, sample);
    else if (dedupe === 'last') byId.set(sample.id, sample);
    else if (dedupe === 'error') throw doubledId(sample.id, samples);
  }
  return byId.size === samples.length ? samples : [...byId.values()];
}

function doubledId(id: string, samples: readonly Sample[]): DataError {
  const places = samples.flatMap((sample, at) => (sample.id === id ? [at + 1] : []));
  return new DataError(
    `widedeep-eval: the id ${JSON.stringify(id)} occurs ${places.length} times ` +
      `(samples ${places.slice(0, 5).join(', ')}).`,
    { field: 'id', help: 'give each pair its own id, or keep one with --dedupe first or last.' },
  );
}
