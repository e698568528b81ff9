/**
 * What a run folder holds, as far as a page can show it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, readJsonLines, readRunRecord, type RunRecord } from '@lab/core';
import { ablateFiles } from '../ablate-run.js';
import { type HeadPatternFile, loadPatterns, patternFile } from '../pattern-file.js';
import { type ResponseLine, readResponseLines } from '../response-line.js';
import { runFiles } from '../run-folder.js';
import {
  loadScores,
  type PromptScoreLine,
  promptScoresSchema,
  type ScoreFile,
} from '../score-file.js';
import type { StepFile } from './score-sections.js';

/** A run and its files. */
export interface RunContents {
  readonly dir: string;
  readonly record: RunRecord;
  /** Scores of all heads; of a search those of its first step, with the group that it picked. */
  readonly scores: ScoreFile | null;
  /** Scores prompt by prompt, of a scan that kept them apart. */
  readonly promptScores: readonly PromptScoreLine[];
  /** Scores of prompts that are answered. */
  readonly harmlessScores: ScoreFile | null;
  /** Steps of a search, in their order. */
  readonly steps: readonly StepFile[];
  /** Judged responses. */
  readonly responses: readonly ResponseLine[];
  /** Those to harmless prompts. */
  readonly harmless: readonly ResponseLine[];
  readonly patterns: HeadPatternFile | null;
}

/** Verbs whose predictions are judged responses. */
const responseVerbs = new Set(['ablate', 'demo', 'neurons']);

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
  const scoresOf = (name: string) => (has(name) ? loadScores(at(name)) : null);
  const { responses, harmless } = ablateFiles;
  // Predictions of other verbs are scores.
  const isAblation = responseVerbs.has(record.label);
  const linesOf = (name: string) => (isAblation && has(name) ? readResponseLines(at(name)) : []);
  return {
    ...{ dir, record },
    scores: scoresOf(runFiles.scores),
    promptScores: record.label === 'ships' ? promptScoresIn(at(runFiles.prompts)) : [],
    harmlessScores: scoresOf(runFiles.harmlessScores),
    steps: stepNames(dir).map((name) => stepOf(at(name))),
    responses: linesOf(responses),
    harmless: linesOf(harmless),
    patterns: has(patternFile) ? loadPatterns(at(patternFile)) : null,
  };
}

function promptScoresIn(path: string): PromptScoreLine[] {
  if (!existsSync(path)) return [];
  return readJsonLines(path).rows.map((row) => promptScoresSchema.parse(row));
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
