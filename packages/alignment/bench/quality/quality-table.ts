// Quality rows of docs/reproducing.md. A method's bench/quality.ts calls `runQualityTable` with its
// sets:
//   node --conditions=@lab/source --import tsx packages/METHOD/bench/quality.ts SET [CELL [SEEDS]]
// Every cell is a run folder under runs/long/; finished ones are kept, unfinished ones go on. With
// CELL, such as corrected-pseudo, and SEEDS, such as 3,2, processes can share the work.
//   --form ours|lean  only this form, in a set that has the lean PyTorch form beside ours
//   --python PATH     Python with torch and numpy, default python3
//   --threads N       threads of our form; the lean form has two
//   --backend NAME    what computes our form, default auto; another than that is kept apart too
//   --epochs N        a shorter training, kept apart from the others under runs/long/
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { meanDeviation } from '@lab/metrics';
import type { BackendChoice } from '@lab/tensor';
import type { AlignmentMethod } from '../../src/index.js';
import {
  type CellRow,
  type CellRun,
  dataOf,
  isFinished,
  pairRowOf,
  rowOf,
  runCell,
} from './cell-run.js';
import { leanResult, type LeanRun, runLean } from './lean-peer.js';
import type { Cell, QualitySet } from './quality-set.js';

/** The tables of a method. */
export interface QualityPlan {
  readonly method: AlignmentMethod;
  /** By the name that the command line and the long checks give. */
  readonly sets: Readonly<Record<string, QualitySet>>;
  /** Prefix of the run folders under runs/long/. */
  readonly folder: string;
  /** The lean PyTorch form, the record of its results, and its own flags. */
  readonly lean: {
    readonly script: string;
    readonly record: string;
    readonly flags: (cell: Cell) => readonly string[];
  };
}

/** One call: the set, and how it is trained. */
interface Call {
  readonly plan: QualityPlan;
  readonly name: string;
  readonly set: QualitySet;
  readonly cells: readonly Cell[];
  readonly seeds: readonly number[];
  readonly parent: string;
  readonly isShort: boolean;
  readonly options: {
    readonly form?: string | undefined;
    readonly python: string;
    readonly threads?: number | undefined;
    readonly backend: BackendChoice;
  };
}

function readCall(plan: QualityPlan): Call {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      form: { type: 'string' },
      python: { type: 'string', default: 'python3' },
      threads: { type: 'string' },
      backend: { type: 'string', default: 'auto' },
      epochs: { type: 'string' },
    },
  });
  const [name = '', only, seedList] = positionals;
  const known = plan.sets[name];
  if (known === undefined) {
    throw new Error(`SET must be one of ${Object.keys(plan.sets).join(', ')}`);
  }
  if (!['ours', 'lean', undefined].includes(values.form)) {
    throw new Error('--form is ours or lean');
  }
  const isShort = values.epochs !== undefined && Number(values.epochs) !== known.epochs;
  const set = { ...known, epochs: Number(values.epochs ?? known.epochs) };
  const cells = set.cells.filter(({ id }) => only === undefined || id === only);
  if (cells.length === 0) {
    throw new Error(`CELL must be one of ${set.cells.map(({ id }) => id).join(', ')}`);
  }
  const threads = values.threads === undefined ? undefined : Number(values.threads);
  const backend = values.backend as BackendChoice;
  const kept = [...(isShort ? [set.epochs] : []), ...(backend === 'auto' ? [] : [backend])];
  const parent = join('runs', 'long', [`${plan.folder}-${name}`, ...kept].join('-'));
  const seeds = seedList?.split(',').map(Number) ?? set.seeds;
  const options = { form: values.form, python: values.python, threads, backend };
  return { plan, name, set, cells, seeds, parent, isShort, options };
}

/** The lean form on the data of a run. */
async function leanOf({ plan, name, parent, isShort, options }: Call, run: CellRun) {
  const { dir, seedsFile } = await dataOf(run);
  if (seedsFile === undefined) throw new Error(`set ${name} has no lean form beside ours`);
  const { cell, seed, set } = run;
  const { script, record, flags } = plan.lean;
  const lean: LeanRun = {
    ...{ cell, dir, seedsFile, seed, script, flags: flags(cell), python: options.python },
    ...{ epochs: cell.epochs ?? set.epochs, every: set.every },
    record: isShort ? join(parent, 'lean.jsonl') : record,
    log: join(parent, `${cell.id}-lean-s${seed}.log`),
  };
  return lean;
}

/** Largest calibration error of the confidence. */
const LARGEST_ECE = 0.05;

/** Trains what is missing of a cell, in both forms, and tells the numbers there are. */
async function besideLean(call: Call, run: CellRun): Promise<Record<string, unknown>> {
  const { options } = call;
  const lean = await leanOf(call, run);
  if (options.form !== 'ours' && leanResult(lean) === null) runLean(lean); // a lack shows at once
  if (options.form !== 'lean' && !isFinished(run)) await runCell(run);
  const row = { ours: isFinished(run) ? pairRowOf(run) : null, lean: leanResult(lean) };
  console.error(run.cell.id, JSON.stringify(row));
  return row;
}

/** Trains what is missing of a run and gives its numbers. */
async function ownRow(run: CellRun): Promise<CellRow> {
  if (isFinished(run)) return rowOf(run);
  await runCell(run);
  const row = rowOf(run);
  console.error(run.cell.id, JSON.stringify(row));
  return row;
}

/** Mean and deviation over seeds. */
function spreads(seeds: readonly number[], rows: readonly CellRow[]): Record<string, unknown> {
  const spread = (key: keyof CellRow) => {
    const { mean, deviation } = meanDeviation(rows.map((row) => row[key]));
    return { mean: Number(mean.toFixed(4)), deviation: Number(deviation.toFixed(4)) };
  };
  return {
    seeds,
    'H@1 last': spread('last'),
    'H@1 best': spread('best'),
    'H@1 backward': spread('backward'),
    'H@10': spread('hits10'),
    MRR: spread('mrr'),
    'confidence AUROC': spread('auroc'),
    'margin AUROC': spread('marginAuroc'),
    'confidence ECE': spread('ece'),
  };
}

/** What the confidence must reach in every run: the ranking of the margin, and its calibration. */
function confidenceFaults(label: string, rows: readonly CellRow[]): string[] {
  return rows.flatMap(({ seed, auroc, marginAuroc, ece }) => [
    ...(auroc < marginAuroc ? [`${label}, seed ${seed}: AUROC ${auroc} < ${marginAuroc}`] : []),
    ...(ece > LARGEST_ECE ? [`${label}, seed ${seed}: ECE ${ece} > ${LARGEST_ECE}`] : []),
  ]);
}

/** Trains what is missing of a set and prints its rows, the last line as JSON. */
export async function runQualityTable(plan: QualityPlan): Promise<void> {
  const call = readCall(plan);
  const { set, cells, seeds, name, parent, options } = call;
  const runOf = (cell: Cell, seed: number): CellRun => ({
    ...{ method: plan.method, name, set, cell, seed, parent },
    ...{ threads: options.threads, backend: options.backend },
  });
  const results: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const cell of cells) {
    if (set.isBesideLean === true) {
      for (const seed of seeds) {
        const label = seeds.length > 1 ? `${cell.label}, seed ${seed}` : cell.label;
        results[label] = await besideLean(call, runOf(cell, seed));
      }
    } else {
      const rows: CellRow[] = [];
      for (const seed of seeds) rows.push(await ownRow(runOf(cell, seed)));
      results[cell.label] = spreads(seeds, rows);
      faults.push(...confidenceFaults(cell.label, rows));
    }
  }
  console.log(JSON.stringify(results));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
