/** A run with its scores: by one judge, by the mean of several, or by rule. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ConfigError, DataError } from '@lab/core';
import type { EvaluateOptions } from '../evaluate.js';
import {
  judgementFolders,
  judgementsFolder,
  readAnswers,
  readJudgements,
  settingsOfRun,
} from '../read-run.js';
import { type ScoredRecord, scoreRecords } from '../scored-record.js';
import { type JudgedRun, type JudgePair, judgePairs, meanOfJudges } from '../several-judges.js';
import { flagsOfRun, selectedRecords } from './data-options.js';

/** A run and how it is scored. */
export interface ScoreSource {
  readonly dir: string;
  /** Judges by their models or the folders of their judgements; default the only one. */
  readonly judges?: readonly string[] | undefined;
  /** The questions, where they are not where they were. */
  readonly data?: string | undefined;
  /** Scores by rule in place of a judge. */
  readonly ruleScores: boolean;
  /** Overrides the run's setting. */
  readonly missing?: 'exclude' | 'zero' | undefined;
}

/** The questions of a run with their scores. */
export interface ScoredRun {
  readonly scored: readonly ScoredRecord[];
  /** Folders of judgements; null for scores by rule. */
  readonly judges: readonly string[] | null;
  /** Every two judges side by side; none for one judge. */
  readonly pairs: readonly JudgePair[];
}

/**
 * The scored questions of a run; of several judges with the mean of their scores.
 *
 * @throws {ConfigError} where the run is not judged, or by several and none is named.
 * @throws {DataError} for a judge that there is not.
 */
export async function scoredRun(source: ScoreSource): Promise<ScoredRun> {
  const { dir, data, ruleScores } = source;
  settingsOfRun(dir);
  const judges = judgesOf(source);
  const records = await selectedRecords(flagsOfRun(dir, data));
  const answers = readAnswers(dir);
  if (judges === null) {
    const scored = await scoreRecords({ records, answers, judgements: null, ruleScores });
    return { scored, judges, pairs: [] };
  }
  const runs: JudgedRun[] = [];
  for (const folder of judges) {
    const judgements = readJudgements(folder);
    const scored = await scoreRecords({ records, answers, judgements, ruleScores });
    runs.push({ judge: basename(folder).replace(/^judged-by-/, ''), scored });
  }
  const pairs = judgePairs(runs, evaluateOptionsOf(source));
  return { scored: meanOfJudges(runs), judges, pairs };
}

/** How a run is evaluated by its own settings. */
export function evaluateOptionsOf({
  dir,
  missing,
}: Pick<ScoreSource, 'dir' | 'missing'>): EvaluateOptions {
  const { settings } = settingsOfRun(dir);
  const { evaluation, seed } = settings;
  return { seed, resamples: evaluation.resamples, missing: missing ?? evaluation.missing };
}

/** The folders of judgements that a run is scored by, or null for rules. */
function judgesOf({ dir, judges = [], ruleScores }: ScoreSource): string[] | null {
  if (ruleScores) return null;
  const folders = judgementFolders(dir);
  if (judges.length > 0) return judges.map((judge) => judgeFolder(dir, judge, folders));
  if (folders.length === 1) return folders;
  if (folders.length === 0)
    throw new ConfigError(`${dir} is not judged yet.`, { help: howTo(dir) });
  throw new ConfigError(`${dir} is judged by ${folders.length} judges.`, {
    help: `name one with --judge, or several for their mean: ${folders.join(', ')}.`,
  });
}

const howTo = (dir: string): string =>
  `"loong judge ${dir} --model JUDGE" has it judged; --rule-scores needs no judge.`;

/** The folder of a judge that is named by its path, its place in the run, or its model. */
function judgeFolder(dir: string, judge: string, folders: readonly string[]): string {
  const places = [judge, join(dir, judge), judgementsFolder(dir, judge)];
  const found = places.find((place) => existsSync(join(place, 'run.json')));
  if (found !== undefined) return found;
  throw new DataError(`${dir}: there is no judge ${JSON.stringify(judge)}.`, {
    file: dir,
    help: folders.length === 0 ? howTo(dir) : `there are ${folders.join(', ')}.`,
  });
}
