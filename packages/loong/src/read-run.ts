/**
 * Runs of answers and judgements, as their folders hold them.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, readJsonLines, readRunRecord } from '@lab/core';
import type { Prediction } from '@lab/llm';
import type { LoongAnswer } from './answers.js';
import type { LoongConfig } from './config.js';
import type { Judgement } from './judgement.js';

const filePattern = /^predictions(\.\d+-of-\d+)?\.jsonl$/;

/** The folder of judgements inside the folder of answers. */
export function judgementsFolder(run: string, judge: string): string {
  return join(run, `judged-by-${judge.replace(/[^\w.-]+/g, '-')}`);
}

/** Folders of judgements in the folder of answers, by name. */
export function judgementFolders(run: string): string[] {
  const names = existsSync(run) ? readdirSync(run) : [];
  return names
    .filter((name) => name.startsWith('judged-by-') && existsSync(join(run, name, 'run.json')))
    .sort()
    .map((name) => join(run, name));
}

/** What the record of a run says of its settings. */
export interface RunSettingsRecord {
  readonly kind: 'answers' | 'judgements';
  readonly model: string;
  readonly settings: LoongConfig;
  readonly retriever: string | null;
  readonly shard: { readonly index: number; readonly count: number } | null;
}

/**
 * The settings of a run of answers.
 *
 * @throws {DataError} for a folder that is none.
 */
export function settingsOfRun(dir: string): RunSettingsRecord {
  const { config, method } = readRunRecord(dir);
  const resolved = config.resolved as Partial<RunSettingsRecord> | null;
  if (method === 'loong' && resolved?.kind === 'answers') return resolved as RunSettingsRecord;
  const help =
    resolved?.kind === 'judgements'
      ? 'it holds judgements: give the folder above it.'
      : 'give the folder that "loong run --out" wrote.';
  throw new DataError(`${dir}: no run of answers.`, { file: dir, help });
}

/** The answers of a run by id, each once; a torn last line is left out. */
export function readAnswers(dir: string): Map<string, Prediction<LoongAnswer>> {
  return readPredictions<LoongAnswer>(dir);
}

/** The judgements of a folder by id. */
export function readJudgements(dir: string): Map<string, Prediction<Judgement>> {
  return readPredictions<Judgement>(dir);
}

function readPredictions<Output>(dir: string): Map<string, Prediction<Output>> {
  const names = existsSync(dir) ? readdirSync(dir).filter((name) => filePattern.test(name)) : [];
  if (names.length === 0) {
    throw new DataError(`${dir}: the folder holds no predictions of a run.`, {
      file: dir,
      help: 'give the folder that "loong run --out" wrote; merge shards first.',
    });
  }
  const found = new Map<string, Prediction<Output>>();
  for (const name of names.sort()) {
    for (const row of readJsonLines(join(dir, name)).rows as (Prediction<Output> | null)[]) {
      if (typeof row?.id === 'string' && !found.has(row.id)) found.set(row.id, row);
    }
  }
  return found;
}
