/**
 * What is made of a finished training: predictions, calibrated confidence, results and report.
 */
import {
  formatCount,
  checkOptions,
  ConfigError,
  type OptionFields,
  optionFields,
  type ResolvedConfig,
  readJsonLines,
  type Run,
  writeFileAtomic,
} from '@lab/core';
import { type Section, writeRunPage } from '@lab/report';
import { z } from 'zod';
import { calibrate, judgePairs } from './align.js';
import { type CandidateTable, candidateTable } from './candidate-table.js';
import { isAutomatic, validationText } from './automatic-seeds.js';
import { analysePairs, type PairAnalysis } from './analysis.js';
import { callFields } from './call-fields.js';
import { confidenceQuality, fitConfidence } from './confidence.js';
import type { AlignmentConfig } from './config-fields.js';
import { asInterruption } from './interruption.js';
import type { Encoding, Learner } from './learner.js';
import type { AlignmentMethod } from './method.js';
import { runPage } from './run-page.js';
import type { FittedConfidence, RunSummary } from './run-summary.js';
import type { EpochRecord } from './epoch-record.js';
import { selectionRule } from './selection.js';
import type { SearchWatch } from './search/search.js';
import type { TrainingState } from './training-state.js';
import type { TrainResult } from './training-options.js';
import { recordFailure } from './training-record.js';

/** A concluded run. */
export interface Conclusion {
  readonly run: string;
  readonly reportPath: string;
  readonly summary: RunSummary;
}

/** What the conclusion needs beside the training. */
export interface ConcludeOptions<C extends AlignmentConfig = AlignmentConfig> {
  readonly config: ResolvedConfig<C>;
  /** Wall seconds of the training. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
  /** While counterparts are searched by an index: of all entities, then of the test pairs. */
  readonly onProgress?: SearchWatch['onProgress'];
}

const concludeSchema = z.strictObject({
  config: callFields.resolved,
  seconds: z.number().min(0),
  signal: optionFields.signal,
  onProgress: optionFields.callback,
} satisfies OptionFields<ConcludeOptions>);

/**
 * Writes predictions, confidence and report, then the results into `run.json`.
 *
 * @throws {ConfigError} for options that are unknown or not of their kind, and for a training
 *   without a run folder.
 * @throws {InterruptedError} when the signal aborts; the training is saved, and resuming it
 *   concludes it.
 */
export async function conclude<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  trained: TrainResult<C, L>,
  options: ConcludeOptions<C>,
): Promise<Conclusion> {
  checkOptions(`${method.name}/conclude`, options, concludeSchema);
  const conclusion = await writeReport(method, trained, options).catch((cause: unknown) => {
    const stopped = { name: method.name, run: trained.run };
    const error = asInterruption(cause, { ...stopped, signal: options.signal });
    recordFailure(trained.run, error);
    throw error;
  });
  trained.run?.log(`done after epoch ${trained.state.epoch}`);
  trained.run?.finish({
    status: 'success',
    results: { ...conclusion.summary },
    usage: {
      seconds: options.seconds,
      peakTensorBytes: trained.peakTensorBytes,
      peakProcessBytes: process.resourceUsage().maxRSS * 1024,
    },
  });
  return conclusion;
}

/** Writes predictions, confidence and report of a training that has a run folder. */
export async function writeReport<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  trained: TrainResult<C, L>,
  options: ConcludeOptions<C>,
): Promise<Conclusion> {
  const { state, run } = trained;
  if (run === null) {
    throw new ConfigError(`${method.name}/conclude: the training has no run folder.`, {
      help: 'train with run: { parent, label, command, backend }',
    });
  }
  const { test } = state.task.split;
  const isJudged = state.epoch > 0 && state.config.evaluation.enabled && test.length > 0;
  const epochs = readJsonLines(run.path('metrics.jsonl')).rows as EpochRecord[];
  const describe = (encoding: Encoding | null) =>
    method.sections({ epochs, config: options.config, state, encoding });
  const judged = isJudged
    ? await judgeTestPairs(state, { ...options, folder: searchFolder(run), describe })
    : { confidence: null, pairs: [], sections: await describe(null) };
  const { confidence, pairs } = judged;
  if (confidence !== null) {
    writeFileAtomic(run.path('confidence.json'), `${JSON.stringify(confidence, null, 2)}\n`);
  }
  if (pairs.length > 0) writePredictions(run.path('predictions.jsonl'), state, pairs);
  const summary = summaryOf(trained, confidence, epochs);
  const reportPath = run.path('report.html');
  const page = { trained, summary, epochs, ...judged, ...options, record: run.record };
  writeRunPage(reportPath, runPage(method, page));
  return { run: run.dir, reportPath, summary };
}

/** Where rows and candidates of a run's very many entities are kept. */
export const searchFolder = (run: Pick<Run, 'path'>): string => run.path('search');

interface JudgeOptions extends SearchWatch {
  readonly folder: string;
  readonly describe: (encoding: Encoding) => Promise<Section[]>;
}

/** Confidence, test pairs and the method's own sections, from one encoding. */
async function judgeTestPairs(state: TrainingState, options: JudgeOptions) {
  const { signal, onProgress, folder, describe } = options;
  const encoding = state.learner.encode();
  try {
    const table = await candidateTable(state, { encoding, folder, signal, onProgress });
    const confidence = fittedConfidence(state, table);
    const found = { encoding, table, confidence: confidence?.model ?? null };
    const pairs = await analysePairs(state, { ...found, signal, onProgress });
    const uncertaintyLabel = encoding.uncertainty?.label;
    return { confidence, pairs, uncertaintyLabel, sections: await describe(encoding) };
  } finally {
    encoding.dispose();
  }
}

/**
 * A confidence fitted on the validation pairs, or on every second test pair where there are too
 * few; its quality is measured on test pairs that the fit has not seen.
 *
 * @returns null for too few pairs, and for a model that has not been trained.
 */
export function fittedConfidence(
  state: TrainingState,
  table: CandidateTable,
): FittedConfidence | null {
  if (state.epoch === 0) return null;
  const { validation, test, origin } = state.task.split;
  const onValidation = calibrate(table, validation);
  const tested = judgePairs(table, test);
  if (onValidation !== null) {
    const quality = confidenceQuality(onValidation, tested.evidence, tested.isRight);
    return { model: onValidation, quality, fittedOn: validationText(onValidation.pairs, origin) };
  }
  const half = (parity: number) => ({
    evidence: tested.evidence.filter((_, at) => at % 2 === parity),
    isRight: tested.isRight.filter((_, at) => at % 2 === parity),
  });
  const seen = half(0);
  const unseen = half(1);
  const model = fitConfidence(seen.evidence, seen.isRight);
  if (model === null) return null;
  const quality = confidenceQuality(model, unseen.evidence, unseen.isRight);
  return { model, quality, fittedOn: `every second test pair (${formatCount(model.pairs)})` };
}

function summaryOf(
  trained: TrainResult,
  confidence: FittedConfidence | null,
  epochs: readonly EpochRecord[],
): RunSummary {
  const { state, task } = trained;
  const selected = epochs.find(({ epoch }) => epoch + 1 === trained.selectedEpoch);
  return {
    status: 'success',
    metrics: trained.metrics,
    validation: selected?.validation ?? null,
    validationPairs: task.split.validation.length / 2,
    baseline: trained.baseline,
    epochs: state.epoch,
    selectedEpoch: trained.selectedEpoch,
    select: selectionRule(state),
    parameters: state.learner.parameters.count(),
    seeds: task.split.seeds.length / 2,
    pseudoSeeds: (state.seeds.length - task.split.seeds.length) / 2,
    seedOrigin: task.split.origin,
    testPairs: task.split.test.length / 2,
    confidence: confidence?.quality ?? null,
  };
}

/** One line per test pair; each says so when the seeds were automatic. */
function writePredictions(path: string, state: TrainingState, pairs: readonly PairAnalysis[]) {
  const { entityIds, entityNames } = state.task.data;
  const seeds = isAutomatic(state.task.split.origin) ? { seeds: 'automatic' } : {};
  const lines = pairs.map((pair) =>
    JSON.stringify({
      id: entityIds[pair.source],
      source: entityNames[pair.source],
      predicted: entityNames[pair.predicted],
      gold: entityNames[pair.gold],
      rank: pair.rank === 0 ? null : pair.rank,
      score: pair.score,
      margin: pair.margin,
      confidence: pair.confidence,
      status: 'answered',
      ...seeds,
    }),
  );
  writeFileAtomic(path, `${lines.join('\n')}\n`);
}
