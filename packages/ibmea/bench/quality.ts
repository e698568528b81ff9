// Quality rows of docs/reproducing.md: node --conditions=@lab/source --import tsx
// packages/ibmea/bench/quality.ts SET [CELL [SEEDS]], with SET one of the names in `sets`. Every
// cell is a run folder under runs/long/; finished ones are kept, unfinished ones go on. With CELL,
// such as corrected-pseudo, and SEEDS, such as 3,2, processes can share the work.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJsonLines, readRunRecord } from '@lab/core';
import { meanDeviation } from '@lab/metrics';
import { conclude, type EpochRecord, train } from '../src/index.js';
import { settingsOf } from '../src/training-run.js';

interface Cell {
  readonly mode: 'official' | 'corrected';
  readonly pseudoSeeds: boolean;
}

const nameOf = ({ mode, pseudoSeeds }: Cell) => `${mode}${pseudoSeeds ? '-pseudo' : ''}`;

interface QualitySet {
  readonly data: () => { readonly dir: string; readonly seedsFile?: string };
  readonly epochs: number;
  readonly every: number;
  readonly seeds: readonly number[];
  readonly cells: readonly Cell[];
}

const packageDir = fileURLToPath(new URL('../', import.meta.url));

/** A folder of the full data sets, found through LAB_DATA. */
function fullData(path: string): { dir: string } {
  const base = process.env['LAB_DATA'];
  const dir = join(base ?? '', path);
  if (base !== undefined && existsSync(dir)) return { dir };
  throw new Error(`set LAB_DATA to the folder that holds ${path}`);
}

const both: readonly Cell[] = (['official', 'corrected'] as const).flatMap((mode) => [
  { mode, pseudoSeeds: false },
  { mode, pseudoSeeds: true },
]);

const sets: Record<string, QualitySet> = {
  '3k': {
    data: () => {
      const dir = join(packageDir, 'data', 'en-fr-3k');
      return { dir, seedsFile: join(dir, 'seeds.tsv') };
    },
    epochs: 300,
    every: 50,
    seeds: [1, 2, 3],
    cells: both,
  },
  '15k': {
    data: () => fullData('srprs15k/en_fr_15k_V1'),
    epochs: 100,
    every: 50,
    seeds: [1],
    cells: [{ mode: 'official', pseudoSeeds: false }],
  },
};

interface Row {
  readonly seed: number;
  readonly last: number;
  readonly best: number;
  readonly bestEpoch: number;
  readonly backward: number;
  readonly hits10: number;
  readonly mrr: number;
}

/** The numbers of one finished run: the last evaluation, and the best one on the test pairs. */
function rowOf(dir: string, seed: number): Row {
  const records = readJsonLines(join(dir, 'metrics.jsonl')).rows as EpochRecord[];
  const evaluated = records.filter(({ evaluation }) => evaluation !== undefined);
  const hits = evaluated.map(({ evaluation }) => evaluation!.forward['hits@1']!);
  const best = Math.max(...hits);
  const { forward, backward } = evaluated.at(-1)!.evaluation!;
  return {
    seed,
    last: forward['hits@1']!,
    best,
    bestEpoch: evaluated[hits.indexOf(best)]!.epoch + 1,
    backward: backward['hits@1']!,
    hits10: forward['hits@10']!,
    mrr: forward.mrr,
  };
}

async function runCell(name: string, set: QualitySet, cell: Cell, seed: number): Promise<Row> {
  const id = `${nameOf(cell)}-s${seed}`;
  const dir = join('runs', 'long', `quality-${name}`, id);
  const exists = existsSync(join(dir, 'run.json'));
  if (exists && readRunRecord(dir).status === 'success') return rowOf(dir, seed);
  const config = settingsOf({
    preset: 'dbp15k',
    mode: cell.mode,
    seed,
    epochs: set.epochs,
    settings: {
      'pseudoSeeds.enabled': cell.pseudoSeeds,
      'evaluation.every': set.every,
      'data.split': 'sha256',
    },
  });
  const began = performance.now();
  const command = ['node', 'packages/ibmea/bench/quality.ts', name];
  const run = exists
    ? { resume: dir }
    : { parent: join('runs', 'long'), dir, label: name, command, backend: null };
  const trained = await train({ data: set.data(), config, run });
  await conclude(trained, { config, seconds: (performance.now() - began) / 1000 });
  trained.state.dispose();
  const row = rowOf(dir, seed);
  console.error(id, JSON.stringify(row));
  return row;
}

const name = process.argv[2] ?? '';
const set = sets[name];
if (set === undefined) throw new Error(`SET must be one of ${Object.keys(sets).join(', ')}`);
const results: Record<string, unknown> = {};
const only = process.argv[3];
const seeds = process.argv[4]?.split(',').map(Number) ?? set.seeds;
for (const cell of set.cells.filter((one) => only === undefined || nameOf(one) === only)) {
  const rows: Row[] = [];
  for (const seed of seeds) rows.push(await runCell(name, set, cell, seed));
  const spread = (key: keyof Row) => {
    const { mean, deviation } = meanDeviation(rows.map((row) => row[key]));
    return { mean: Number(mean.toFixed(4)), deviation: Number(deviation.toFixed(4)) };
  };
  const label = `${cell.mode}${cell.pseudoSeeds ? ', pseudo seeds' : ''}`;
  results[label] = {
    seeds,
    'H@1 last': spread('last'),
    'H@1 best': spread('best'),
    'H@1 backward': spread('backward'),
    'H@10': spread('hits10'),
    MRR: spread('mrr'),
  };
}
console.log(JSON.stringify(results));
