/** What is made of answers and judgements: numbers, a file, a page, an exit code. */
import { join } from 'node:path';
import { ConfigError, exitCodes, LabError, writeFileAtomic } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import { type EvaluateOptions, type Evaluation, evaluateScores } from '../evaluate.js';
import { judgementFolders, readAnswers, readJudgements, settingsOfRun } from '../read-run.js';
import { writeReport } from '../report/run-page.js';
import { type ScoredRecord, scoreRecords } from '../scored-record.js';
import { flagsOfRun, selectedRecords } from './data-options.js';
import { evaluationText } from './texts.js';

/** The name of the file with the scores of a run. */
export const evaluationFile = 'evaluation.json';

/** A run and how it is scored. */
export interface ScoreSource {
  readonly dir: string;
  /** Folder of judgements; default the only one of the run. */
  readonly judge?: string | undefined;
  /** The questions, where they are not where they were. */
  readonly data?: string | undefined;
  /** Scores by rule in place of a judge. */
  readonly ruleScores: boolean;
  /** Overrides the run's setting. */
  readonly missing?: 'exclude' | 'zero' | undefined;
}

/** What a run is scored by: a folder of judgements, or null for rules. */
export function judgeOf({ dir, judge, ruleScores }: ScoreSource): string | null {
  if (ruleScores) return null;
  if (judge !== undefined) return judge;
  const folders = judgementFolders(dir);
  const [only] = folders;
  if (only !== undefined && folders.length === 1) return only;
  const what = folders.length === 0 ? 'is not judged yet' : `is judged by ${folders.length} judges`;
  throw new ConfigError(`${dir} ${what}.`, {
    help:
      folders.length === 0
        ? `"loong judge ${dir} --model JUDGE" has it judged; --rule-scores needs no judge.`
        : `choose one of ${folders.join(', ')} with --judge.`,
  });
}

/** The scored questions of a run. */
export async function scoredRun(source: ScoreSource): Promise<ScoredRecord[]> {
  const { dir, data, ruleScores } = source;
  settingsOfRun(dir);
  const judge = judgeOf(source);
  const records = await selectedRecords(flagsOfRun(dir, data));
  const judgements = judge === null ? null : readJudgements(judge);
  return scoreRecords({ records, answers: readAnswers(dir), judgements, ruleScores });
}

/** How a run is evaluated by its own settings. */
export function evaluateOptionsOf({ dir, missing }: ScoreSource): EvaluateOptions {
  const { settings } = settingsOfRun(dir);
  const { evaluation, seed } = settings;
  return { seed, resamples: evaluation.resamples, missing: missing ?? evaluation.missing };
}

/**
 * Evaluates a run, writes `evaluation.json` and its page, prints the result, and gives the exit
 * code: 7 where more than half of the questions have no score.
 */
export async function concludeRun(context: CliContext, source: ScoreSource): Promise<number> {
  const { dir } = source;
  context.progress.update('evaluating');
  const scored = await scoredRun(source);
  const evaluation = evaluateScores(scored, evaluateOptionsOf(source));
  writeFileAtomic(join(dir, evaluationFile), `${JSON.stringify(evaluation, null, 2)}\n`);
  const report = await pageOf(context, source, { scored, evaluation });
  context.progress.done();
  context.print(evaluationText(evaluation));
  context.print(`run     ${dir}\n${report === null ? '' : `report  ${report}\n`}`);
  const { overall } = evaluation;
  const metrics = {
    averageScore: overall.averageScore?.value ?? null,
    perfectRate: overall.perfectRate?.value ?? null,
    scored: overall.scored,
    n: overall.n,
  };
  context.printJson({ run: dir, status: 'success', metrics, evaluation, report });
  if (2 * overall.scored >= overall.n) return 0;
  context.note(`error: ${overall.missing} of ${overall.n} questions have no score.`);
  return exitCodes.tooManyFailed;
}

/** Writes the page of a run; null, and a remark, where it cannot be written: the run stands. */
export async function pageOf(
  context: CliContext,
  source: ScoreSource,
  facts: { readonly scored: readonly ScoredRecord[]; readonly evaluation: Evaluation },
): Promise<string | null> {
  try {
    return writeReport(source.dir, { ...facts, judge: judgeOf(source) });
  } catch (error) {
    if (!LabError.is(error)) throw error;
    context.note(`no page was written: ${error.message}`);
    return null;
  }
}
