/** The end of a run: its evaluation, its page, its gates. */
import { join } from 'node:path';
import { exitCodes, LabError, readRunRecord, writeFileAtomic } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import type { WidedeepConfig } from '../config.js';
import { type EvaluateOptions, type Evaluation, evaluateJudgements } from '../evaluate.js';
import { failedGates, type FailedGate, type Gate, GateError } from '../gate.js';
import type { JudgedSample } from '../judged-sample.js';
import { readJudgedSamples } from '../read-run.js';
import { writeReport } from '../report/write-report.js';
import { evaluationText } from './result-text.js';

/** The name of the file with the metrics of a run. */
export const evaluationFile = 'evaluation.json';

/** What a run is concluded with. */
export interface ConcludeOptions {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly gates: readonly Gate[];
}

/** The settings of a run; undefined where its record has none. */
export function settingsOf(dir: string): WidedeepConfig | undefined {
  const { config } = readRunRecord(dir);
  return ((config.resolved ?? {}) as { readonly settings?: WidedeepConfig }).settings;
}

/** How a run is evaluated by its own settings. */
export function evaluateOptionsOf(dir: string): EvaluateOptions {
  const settings = settingsOf(dir);
  if (settings === undefined) return {};
  const { seed, evaluation, aggregation } = settings;
  const { resamples, human } = evaluation;
  return { seed: seed ?? 1, resamples, human, runTau: aggregation.tau };
}

/**
 * Evaluates a finished run, writes `evaluation.json` and its page, prints the result, and gives the
 * exit code: 8 below a gate, 7 where more than half of the pairs have no verdict.
 */
export async function concludeRun(
  context: CliContext,
  dir: string,
  { gates }: ConcludeOptions,
): Promise<number> {
  context.progress.update('evaluating');
  const samples = await readJudgedSamples(dir);
  const evaluation = evaluateJudgements(samples, evaluateOptionsOf(dir));
  writeEvaluation(dir, evaluation);
  const report = await pageOf(context, dir, { samples, evaluation });
  context.progress.done();
  context.print(evaluationText(evaluation));
  context.print(`run     ${dir}\n${report === null ? '' : `report  ${report}\n`}`);
  const failed = failedGates(evaluation, gates);
  printResult(context, { run: dir, evaluation, report, failed });
  if (failed.length > 0) return exitCodes.belowThreshold;
  const { judged, samples: all } = evaluation.network;
  if (2 * judged >= all) return 0;
  context.note(`error: ${all - judged} of ${all} pairs have no verdict.`);
  return exitCodes.tooManyFailed;
}

/** Writes the metrics of a run into its folder. */
export function writeEvaluation(dir: string, evaluation: Evaluation): void {
  writeFileAtomic(join(dir, evaluationFile), `${JSON.stringify(evaluation, null, 2)}\n`);
}

/** Writes the page of a run; null, and a remark, where it cannot be written: the run stands. */
export async function pageOf(
  context: CliContext,
  dir: string,
  facts: { readonly samples: readonly JudgedSample[]; readonly evaluation: Evaluation },
): Promise<string | null> {
  try {
    return await writeReport(dir, facts);
  } catch (error) {
    if (!LabError.is(error)) throw error;
    context.note(`no page was written: ${error.message}`);
    return null;
  }
}

interface Printed {
  readonly run: string | null;
  readonly evaluation: Evaluation;
  readonly report: string | null;
  readonly failed: readonly FailedGate[];
}

/** The result under `--json`, and the gates that were not passed as a remark. */
export function printResult(
  context: CliContext,
  { run, evaluation, report, failed }: Printed,
): void {
  const error = failed.length === 0 ? null : new GateError(failed);
  if (error !== null) context.note(`error: ${error.message}`);
  context.printJson({
    run,
    status: error === null ? 'success' : 'error',
    metrics: evaluation.agreement?.overall ?? null,
    evaluation,
    report,
    ...(error === null ? {} : { error: { code: error.code, message: error.message, help: null } }),
  });
}
