/**
 * A collection: a run folder with the hidden states of prompts.
 */
import { join } from 'node:path';
import { DataError, readJsonLines, readRunRecord, type RunRecord } from '@lab/core';
import type { Config } from './config.js';
import type { LabelledPrompt } from './prompt-set.js';
import { promptsFile } from './run-files.js';
import { openStateStore, type StateStore } from './state-store.js';

/** A finished collection; see {@link openCollection}. */
export interface Collection {
  readonly dir: string;
  readonly record: RunRecord;
  /** Settings that it was made with. */
  readonly config: Config;
  readonly store: StateStore;
  /** Prompts in the order of the rows (with positions `tokens`, of their first rows). */
  readonly prompts: readonly LabelledPrompt[];
}

/**
 * Opens what `weak-probe collect` made.
 *
 * @param dir - the run folder.
 * @throws {DataError} where it is none, or not finished.
 */
export function openCollection(dir: string): Collection {
  const record = readRunRecord(dir);
  if (record.method !== 'weak-probe') {
    throw new DataError(`${dir}: is a run of ${record.method}, not of weak-probe.`, {
      file: dir,
      help: 'Name a folder that "weak-probe collect" made.',
    });
  }
  return {
    ...{ dir, record, config: record.config.resolved as Config },
    store: openStateStore(dir),
    prompts: readJsonLines(join(dir, promptsFile)).rows as LabelledPrompt[],
  };
}
