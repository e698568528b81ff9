/**
 * What a run folder holds, as far as a page can show it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, readRunRecord, type RunRecord } from '@lab/core';
import { ablateFiles } from '../ablate-run.js';
import { type HeadPatternFile, loadPatterns, patternFile } from '../pattern-file.js';
import { type ResponseLine, readResponseLines } from '../response-line.js';
import { runFiles } from '../run-folder.js';
import { loadScores, type ScoreFile } from '../score-file.js';
import type { StepFile } from './score-sections.js';

/** A run and its files. */
export interface RunContents {
  readonly dir: string;
  readonly record: RunRecord;
  /** Scores of all heads; of a search those of its first step. */
  readonly scores: ScoreFile | null;
  /** Steps of a search, in their order. */
  readonly steps: readonly StepFile[];
  /** Judged responses. */
  readonly responses: readonly ResponseLine[];
  /** Those to harmless prompts. */
  readonly harmless: readonly ResponseLine[];
  readonly patterns: HeadPatternFile | null;
}

/** Verbs whose predictions are judged responses. */
const responseVerbs = new Set(['ablate', 'demo']);

/**
 * Reads a run folder, finished or not.
 *
 * @throws {DataError} for a folder without `run.json`, and for files that are no files of this
 *   package.
 */
export function readRunContents(dir: string): RunContents {
  if (!existsSync(join(dir, 'run.json'))) {
    throw new DataError(`${dir}: is no run folder: it has no run.json.`, {
      file: join(dir, 'run.json'),
      help: 'Give a folder that a command with --out has written, such as runs/2026-...',
    });
  }
  const record = readRunRecord(dir);
  const at = (name: string) => join(dir, name);
  const has = (name: string) => existsSync(at(name));
  const { responses, harmless } = ablateFiles;
  // Predictions of other verbs are scores.
  const isAblation = responseVerbs.has(record.label);
  const linesOf = (name: string) => (isAblation && has(name) ? readResponseLines(at(name)) : []);
  return {
    ...{ dir, record },
    scores: has(runFiles.scores) ? loadScores(at(runFiles.scores)) : null,
    steps: stepNames(dir).map((name) => stepOf(at(name))),
    responses: linesOf(responses),
    harmless: linesOf(harmless),
    patterns: has(patternFile) ? loadPatterns(at(patternFile)) : null,
  };
}

/** Files of steps by their number. */
function stepNames(dir: string): string[] {
  const numberOf = (name: string) => Number(/^step-(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN);
  return readdirSync(dir)
    .filter((name) => Number.isInteger(numberOf(name)))
    .sort((a, b) => numberOf(a) - numberOf(b));
}

function stepOf(path: string): StepFile {
  const file = loadScores(path);
  const { group } = file;
  if (group !== undefined && group.length > 0) return { ...file, group };
  throw new DataError(`${path}: is a step of a search without its group.`, {
    ...{ file: path, field: 'group', help: 'Run the search again, or delete the file.' },
  });
}
