/** What is made of answers and judgements: numbers, a file, a page, an exit code. */
import { join } from 'node:path';
import { exitCodes, LabError, writeFileAtomic } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import { evaluateScores, type Evaluation } from '../evaluate.js';
import { type ReportFacts, writeReport } from '../report/run-page.js';
import { scoreLines, scoresFile } from '../score-rows.js';
import type { ScoredRecord } from '../scored-record.js';
import { evaluateOptionsOf, type ScoreSource, scoredRun } from './scored-run.js';
import { evaluationText, judgesText } from './texts.js';

/** The name of the file with the scores of a run. */
const evaluationFile = 'evaluation.json';

/**
 * Evaluates a run, writes `evaluation.json`, `scores.jsonl` and its page, prints the result, and
 * gives the exit code: 7 where more than half of the questions have no score.
 */
export async function concludeRun(context: CliContext, source: ScoreSource): Promise<number> {
  const { dir } = source;
  context.progress.update('evaluating');
  const { scored, judges, pairs } = await scoredRun(source);
  const evaluation = evaluateScores(scored, evaluateOptionsOf(source));
  const rows = writeScores(dir, scored, evaluation);
  const report = pageOf(context, dir, { scored, evaluation, judges, pairs });
  context.progress.done();
  context.print(evaluationText(evaluation));
  if (pairs.length > 0) context.print(judgesText(pairs));
  context.print(`run     ${dir}\nscores  ${rows}\n${report === null ? '' : `report  ${report}\n`}`);
  const { overall } = evaluation;
  const metrics = {
    averageScore: overall.averageScore?.value ?? null,
    perfectRate: overall.perfectRate?.value ?? null,
    scored: overall.scored,
    n: overall.n,
  };
  const facts = { metrics, evaluation, judges: pairs, report, scores: rows };
  context.printJson({ run: dir, status: 'success', ...facts });
  if (2 * overall.scored >= overall.n) return 0;
  context.note(`error: ${overall.missing} of ${overall.n} questions have no score.`);
  return exitCodes.tooManyFailed;
}

/** Writes scores of groups and of questions into the folder of a run; the path of the latter. */
export function writeScores(
  dir: string,
  scored: readonly ScoredRecord[],
  evaluation: Evaluation,
): string {
  writeFileAtomic(join(dir, evaluationFile), `${JSON.stringify(evaluation, null, 2)}\n`);
  const path = join(dir, scoresFile);
  writeFileAtomic(path, scoreLines(scored));
  return path;
}

/** Writes the page of a run; null, and a remark, where it cannot be written: the run stands. */
export function pageOf(context: CliContext, dir: string, facts: ReportFacts): string | null {
  try {
    return writeReport(dir, facts);
  } catch (error) {
    if (!LabError.is(error)) throw error;
    context.note(`no page was written: ${error.message}`);
    return null;
  }
}
