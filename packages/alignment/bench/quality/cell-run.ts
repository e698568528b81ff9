import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AlignmentConfig,
  type AlignmentMethod,
  conclude,
  type EpochRecord,
  type FittedConfidence,
  readTask,
  type RunSummary,
  settingsOf,
  train,
} from '../../src/index.js';
import { makeFolder, readJsonLines, readRunRecord, type ResolvedConfig } from '@lab/core';
import { writeSeeds } from '@lab/graph';
import { type BackendChoice, selectBackend } from '@lab/tensor';
import type { Cell, QualitySet } from './quality-set.js';

/** The numbers of one finished run: its last evaluation, and the best one on the test pairs. */
export interface CellRow {
  readonly seed: number;
  readonly last: number;
  readonly best: number;
  readonly bestEpoch: number;
  readonly backward: number;
  readonly hits10: number;
  readonly mrr: number;
  /** AUROC of the confidence and of the margin alone, and its calibration error. */
  readonly auroc: number;
  readonly marginAuroc: number;
  readonly ece: number;
}

/** One training of a set. */
export interface CellRun {
  readonly method: AlignmentMethod;
  /** Name of the set. */
  readonly name: string;
  readonly set: QualitySet;
  readonly cell: Cell;
  readonly seed: number;
  /** Folder of the set's runs. */
  readonly parent: string;
  readonly threads?: number | undefined;
  readonly backend: BackendChoice;
}

/** Folder of a run. */
export function runDir({ parent, cell, seed }: CellRun): string {
  return join(parent, `${cell.id}-s${seed}`);
}

/** Whether the run has ended well. */
export function isFinished(run: CellRun): boolean {
  const dir = runDir(run);
  return existsSync(join(dir, 'run.json')) && readRunRecord(dir).status === 'success';
}

/** The settings of a run. */
export function configOf({ method, set, cell, seed }: CellRun): ResolvedConfig<AlignmentConfig> {
  return settingsOf(method, {
    preset: cell.preset,
    mode: cell.mode,
    seed,
    epochs: cell.epochs ?? set.epochs,
    settings: {
      'pseudoSeeds.enabled': cell.pseudoSeeds,
      'evaluation.every': set.every,
      'data.split': 'sha256',
      ...cell.settings,
    },
  });
}

/**
 * The data of a run; beside the lean form the seeds are written to a file that both forms read:
 * the first links by SHA-256.
 */
export async function dataOf(run: CellRun): Promise<{ dir: string; seedsFile?: string }> {
  const { set, cell, parent } = run;
  const source = cell.data();
  if (set.isBesideLean !== true) return source;
  const seedsFile = join(parent, `${cell.id}.seeds.tsv`);
  if (!existsSync(seedsFile)) {
    const { data, split } = await readTask(source, configOf(run).config);
    makeFolder(parent);
    writeSeeds(seedsFile, data, split.seeds);
  }
  return { ...source, seedsFile };
}

function evaluations(dir: string): EpochRecord[] {
  const records = readJsonLines(join(dir, 'metrics.jsonl')).rows as EpochRecord[];
  return records.filter(({ evaluation }) => evaluation !== undefined);
}

/** The numbers of a finished run. */
export function rowOf(run: CellRun): CellRow {
  const evaluated = evaluations(runDir(run));
  const hits = evaluated.map(({ evaluation }) => evaluation!.forward['hits@1']!);
  const best = Math.max(...hits);
  const { forward, backward } = evaluated.at(-1)!.evaluation!;
  return {
    seed: run.seed,
    last: forward['hits@1']!,
    best,
    bestEpoch: evaluated[hits.indexOf(best)]!.epoch + 1,
    backward: backward['hits@1']!,
    hits10: forward['hits@10']!,
    mrr: forward.mrr,
    ...confidenceOf(run),
  };
}

/** How well the run's confidence ranks and is calibrated, on pairs that it was not fitted on. */
function confidenceOf(run: CellRun): Pick<CellRow, 'auroc' | 'marginAuroc' | 'ece'> {
  const path = join(runDir(run), 'confidence.json');
  const { quality } = JSON.parse(readFileSync(path, 'utf8')) as FittedConfidence;
  if (quality === null) throw new Error(`${path} has no quality: too few pairs were measured`);
  return { auroc: quality.auroc, marginAuroc: quality.marginAuroc, ece: quality.ece };
}

/** A finished run as a row beside the lean form: Hits@1 by epoch, floor, cost. */
export function pairRowOf(run: CellRun): Record<string, unknown> {
  const dir = runDir(run);
  const { last, backward, hits10, mrr } = rowOf(run);
  const record = readRunRecord(dir);
  const { baseline, seeds, testPairs } = record.results as unknown as RunSummary;
  const timings = readJsonLines(join(dir, 'timings.jsonl')).rows as { seconds: number }[];
  const steady = timings.slice(1).map(({ seconds }) => seconds);
  return {
    'H@1 by epoch': Object.fromEntries(
      evaluations(dir).map(({ epoch, evaluation }) => [
        epoch + 1,
        rounded(evaluation!.forward['hits@1']!),
      ]),
    ),
    'H@1 last': rounded(last),
    'H@1 backward': rounded(backward),
    'H@10': rounded(hits10),
    MRR: rounded(mrr),
    baseline: baseline === null ? null : rounded(baseline.forward['hits@1']!),
    seeds,
    testPairs,
    wallSeconds: rounded(steady.toSorted((a, b) => a - b)[Math.floor(steady.length / 2)] ?? 0),
    peakBytes: record.usage?.['peakProcessBytes'] ?? null,
  };
}

const rounded = (value: number) => Number(value.toFixed(4));

/** Trains a run to its end, from where it stopped if it has begun. */
export async function runCell(run: CellRun): Promise<void> {
  const { name, method, threads } = run;
  const dir = runDir(run);
  const config = configOf(run);
  const data = await dataOf(run);
  const backend = await selectBackend(run.backend, threads === undefined ? {} : { threads });
  const began = performance.now();
  const command = ['node', `packages/${method.name}/bench/quality.ts`, name];
  const target = existsSync(join(dir, 'run.json'))
    ? { resume: dir }
    : { parent: join('runs', 'long'), dir, label: name, command, backend };
  const trained = await train(method, { data, config, run: target });
  await conclude(method, trained, { config, seconds: (performance.now() - began) / 1000 });
  trained.state.dispose();
}
