/**
 * What a folder of answers holds, and its answers as one file.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, writeFileAtomic } from '@lab/core';
import { AnswerIndex } from './answer-index.js';
import { openAnswerStore } from './answer-store.js';
import { answerLine, listSegments, readAnswers } from './segment.js';

/** Answers of one model in a store. */
export interface ModelAnswers {
  readonly model: string;
  readonly answers: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** What {@link listAnswers} found. */
export interface AnswerListing {
  readonly dir: string;
  readonly answers: number;
  readonly segments: number;
  readonly bytes: number;
  readonly models: readonly ModelAnswers[];
}

/**
 * Counts of a folder of answers, by model, the largest first.
 *
 * @throws {DataError} when there is no such folder.
 */
export async function listAnswers(dir: string): Promise<AnswerListing> {
  assertStore(dir);
  const models = new Map<string, { answers: number; prompt: number; completion: number }>();
  const store = openAnswerStore(dir);
  for await (const { servedModel, usage } of store.iterate()) {
    const sum = models.get(servedModel) ?? { answers: 0, prompt: 0, completion: 0 };
    sum.answers += 1;
    sum.prompt += Number(usage['prompt'] ?? 0);
    sum.completion += Number(usage['completion'] ?? 0);
    models.set(servedModel, sum);
  }
  const answers = store.size;
  await store.close();
  const segments = listSegments(dir);
  return {
    dir,
    answers,
    segments: segments.length,
    bytes: segments.reduce((sum, { size }) => sum + size, 0),
    models: [...models]
      .map(([model, sum]) => ({
        model,
        answers: sum.answers,
        promptTokens: sum.prompt,
        completionTokens: sum.completion,
      }))
      .sort((a, b) => b.answers - a.answers),
  };
}

/**
 * Writes all answers of a folder into one JSON-lines file, each once; returns their number.
 *
 * @throws {DataError} when there is no such folder, or the disk is full.
 */
export function exportAnswers(dir: string, path: string): number {
  assertStore(dir);
  const seen = new AnswerIndex();
  writeFileAtomic(path, allLines(dir, seen));
  return seen.size;
}

/** The newest segment first: of doubled answers its one counts. */
function* allLines(dir: string, seen: AnswerIndex): Generator<string> {
  for (const { name } of listSegments(dir).reverse()) {
    for (const { answer } of readAnswers(join(dir, name))) {
      if (seen.rowOf(answer.hash) >= 0) continue;
      seen.set(answer.hash, { segment: 0, offset: 0, length: 0 });
      yield answerLine(answer);
    }
  }
}

function assertStore(dir: string): void {
  if (existsSync(dir)) return;
  throw new DataError(`${dir}: no such folder of answers.`, {
    file: dir,
    help: 'give the folder of a cache with --cache-dir.',
  });
}
