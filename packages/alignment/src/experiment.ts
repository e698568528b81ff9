/**
 * Runs ablations and sweeps, cell by cell, and lays the results out as tables and figures.
 */
import { existsSync } from 'node:fs';
import {
  canonicalJson,
  checkOptions,
  ConfigError,
  type ExperimentTable,
  formatNumber,
  formatShare,
  nearest,
  type ResolvedConfig,
  resolveConfig,
  runExperiment,
} from '@lab/core';
import { type AlignmentConfig, modalities, valueAt } from './config-fields.js';
import { tableNumbers } from './alignment-metrics.js';
import type { AlignmentTask } from './data.js';
import { evaluateModel } from './evaluate.js';
import type { AblationCell, AblationGroup } from './experiment/cell.js';
import { measureCost } from './experiment/cost.js';
import { cellTask } from './experiment/faulty-task.js';
import { type AlignmentExperimentOptions, experimentSchema } from './experiment/options.js';
import { projectionPath, writeProjection } from './experiment/projection.js';
import { costNames, type GroupResult, isCostGroup, writeGroup } from './experiment/results.js';
import type { AlignmentMethod } from './method.js';
import { train } from './training-run.js';

/** Results by group, in the order of the method's groups. */
export interface AlignmentExperiment {
  readonly groups: readonly GroupResult[];
  /** Files that were written. */
  readonly files: readonly string[];
}

/** The groups that these data allow, and of them those asked for. */
export function groupsFor(
  method: AlignmentMethod,
  task: AlignmentTask,
  { only, sizes }: Pick<AlignmentExperimentOptions, 'only' | 'sizes'> = {},
): readonly AblationGroup[] {
  const present = modalities.filter(
    (modality) =>
      modality === 'graph' ||
      modality === 'relation' ||
      (modality === 'attribute' ? task.data.attributes : task.data.images) !== null,
  );
  const { seeds } = task.split;
  const seedShare = seeds.length / task.data.links.length;
  const groups = method.groups({ present, seedShare, sizes });
  return only === undefined ? groups : groups.filter(({ name }) => only.includes(name));
}

/**
 * Trains every cell with every seed and writes `<group>.md`, `<group>.svg` and `.png`.
 *
 * Finished cells are kept in `cells.jsonl`, those that measure time in `timings.jsonl`, and are not
 * run again: the same command goes on.
 *
 * @throws {ConfigError} for options that are unknown or not of their kind, groups that there are
 *   not, and without test pairs.
 * @throws {InterruptedError} when the signal aborts; finished cells are saved.
 */
export async function runAlignmentExperiment(
  options: AlignmentExperimentOptions,
): Promise<AlignmentExperiment> {
  checkOptions('alignment/experiment', options, experimentSchema);
  const { method, sizes, only = [] } = options;
  const all = groupsFor(method, options.task, { sizes }).map(({ name }) => name);
  assertGroups('alignment/experiment', only, all);
  if (options.task.split.test.length === 0) {
    throw new ConfigError('alignment/experiment: there are no test pairs to measure with.', {
      help: 'use fewer seeds than links: --seeds FILE, or --set data.seedShare=0.3',
    });
  }
  const groups = groupsFor(options.method, options.task, options);
  const memory: CellMemory = new Map();
  const ranked = await runCells(options, {
    name: 'cells',
    cells: cellsOf(groups.filter((group) => !isCostGroup(group))),
    run: (cell, config, signal) => rememberedCell(options, cell, { config, signal, memory }),
    describe: (values) => `H@1 ${formatShare(values['H@1']!)}`,
  });
  const timed = await runCells(options, {
    name: 'timings',
    cells: cellsOf(groups.filter(isCostGroup)),
    run: ({ syntheticEntities: entities }, config, signal) =>
      measureCost(options.method, { config, entities: entities!, signal, now: options.now }),
    describe: (values) => `${formatNumber(values[costNames.seconds]!)} s an epoch`,
  });
  await remakeProjections(options, groups);
  const rows = [...ranked.rows, ...timed.rows];
  const results = groups.map((group) => ({
    group,
    table: { rows: rows.filter(({ id }) => group.cells.some((cell) => cell.id === id)) },
  }));
  const { dir, epochs, seeds, task } = options;
  const seedOrigin = task.split.origin;
  const heading = { dir, epochs, seeds, dataName: task.data.name, seedOrigin };
  const files: string[] = [];
  for (const result of results) files.push(...(await writeGroup(heading, result)));
  return { groups: results, files };
}

/** Refuses groups that there are not, with the nearest name. */
export function assertGroups(
  call: string,
  wanted: readonly string[],
  names: readonly string[],
): void {
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const near = nearest(unknown, names);
  throw new ConfigError(`${call}: there is no group "${unknown}".`, {
    help: near === undefined ? `groups: ${names.join(', ')}` : `did you mean "${near}"?`,
  });
}

/** Trains again where a finished cell has lost the file that its figure is drawn from. */
async function remakeProjections(
  options: AlignmentExperimentOptions,
  groups: readonly AblationGroup[],
): Promise<void> {
  const signal = options.signal ?? new AbortController().signal;
  for (const cell of cellsOf(groups)) {
    if (!cell.isProjected || existsSync(projectionPath(options.dir, cell))) continue;
    await measureCell(options, cell, cellConfig(options, cell, options.seeds[0]!), signal);
  }
}

const cellsOf = (groups: readonly AblationGroup[]) => groups.flatMap(({ cells }) => cells);

/** Cells that are measured alike. */
interface CellRun {
  /** Of the file that keeps finished cells. */
  readonly name: string;
  readonly cells: readonly AblationCell[];
  run(
    cell: AblationCell,
    config: ResolvedConfig<AlignmentConfig>,
    signal: AbortSignal,
  ): Promise<Record<string, number>>;
  /** The numbers in a line of progress. */
  describe(values: Readonly<Record<string, number>>): string;
}

/** The numbers of every cell and seed; no file is written when there is no cell. */
async function runCells(
  options: AlignmentExperimentOptions,
  { name, cells, run, describe }: CellRun,
): Promise<ExperimentTable> {
  if (cells.length === 0) return { rows: [] };
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  return runExperiment({
    dir: options.dir,
    name,
    cells: cells.map((cell) => ({ id: cell.id, settings: cellSettings(options, cell) })),
    seeds: options.seeds,
    runCell: ({ id }, seed, { signal }) => {
      const cell = byId.get(id)!;
      return run(cell, cellConfig(options, cell, seed), signal);
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onProgress: ({ done, total, id, seed, values }) => {
      const text = `experiment  ${done}/${total}  ${id}  seed ${seed}  ${describe(values)}`;
      options.onProgress?.(text, done / total);
    },
  });
}

/** What a finished cell must have been run with to count as finished. */
function cellSettings(
  { epochs, base }: AlignmentExperimentOptions,
  { set, seedShare, corruption, syntheticEntities, scores }: AblationCell,
): Record<string, unknown> {
  return {
    set,
    seedShare: seedShare ?? 1,
    corruption: corruption ?? null,
    epochs,
    base: base.config,
    ...(syntheticEntities === undefined ? {} : { syntheticEntities }),
    ...(scores === undefined ? {} : { scores }),
  };
}

/** Results by what was trained: several groups hold the unchanged method as their first cell. */
type CellMemory = Map<string, Promise<CellMetrics>>;

/** The numbers of one training, by how its pairs are scored. */
type CellMetrics = Readonly<Partial<Record<Scores, Record<string, number>>>>;
type Scores = NonNullable<AblationCell['scores']>;

/** What a cell trains, whatever its name. */
function cellKey({ config }: ResolvedConfig<AlignmentConfig>, cell: AblationCell): string {
  const isFaulty = (cell.corruption?.probability ?? 0) > 0;
  const share = Math.min(1, cell.seedShare ?? 1);
  const corruption = isFaulty ? cell.corruption : null;
  const isScored = cell.scores !== undefined; // then it is scored both ways
  const isProjected = cell.isProjected ?? false;
  return canonicalJson({ config, share, corruption, isProjected, isScored });
}

/** Trains one cell and measures it, unless the same training has been measured. */
async function rememberedCell(
  options: AlignmentExperimentOptions,
  cell: AblationCell,
  context: {
    readonly config: ResolvedConfig<AlignmentConfig>;
    readonly signal: AbortSignal;
    readonly memory: CellMemory;
  },
): Promise<Record<string, number>> {
  const { config, signal, memory } = context;
  const key = cellKey(config, cell);
  let found = memory.get(key);
  if (found === undefined) {
    found = measureCell(options, cell, config, signal);
    memory.set(key, found);
  }
  return (await found)[cell.scores ?? 'fused']!;
}

/** The metrics of the last epoch of one cell's training. */
async function measureCell(
  options: AlignmentExperimentOptions,
  cell: AblationCell,
  config: ResolvedConfig<AlignmentConfig>,
  signal: AbortSignal,
): Promise<CellMetrics> {
  const task = cellTask(options.task, cell, config.config);
  const { metrics, state } = await train(options.method, { data: task, config, signal });
  try {
    const { seeds, dir } = options;
    if (cell.isProjected && config.config.seed === seeds[0])
      await writeProjection(dir, cell, state);
    const fused = tableNumbers(metrics!);
    if (cell.scores === undefined) return { fused };
    const evaluation = { ...state.config.evaluation, scores: 'evidence' as const };
    const weighed = { task, learner: state.learner, config: { ...state.config, evaluation } };
    const random = state.random.fork('evidence');
    const found = await evaluateModel(weighed, { pairs: task.split.test, random, signal });
    return { fused, evidence: tableNumbers(found) };
  } finally {
    state.dispose();
  }
}

function cellConfig(
  { method, base, epochs }: AlignmentExperimentOptions,
  cell: AblationCell,
  seed: number,
): ResolvedConfig<AlignmentConfig> {
  const { mode = base.mode, ...set } = cell.set;
  // Values that the base run was given by hand come before those of the cell.
  const given = Object.entries(base.origins).filter(
    ([, origin]) => origin.startsWith('--') || origin.startsWith('file'),
  );
  const flags = {
    // What a model's own vectors say is what its parts are compared by.
    'evaluation.scores': 'fused',
    ...Object.fromEntries(given.map(([path]) => [path, valueAt(base.config, path)])),
    'evaluation.baseline': false,
    'evaluation.every': epochs,
    ...(cell.scores === undefined ? {} : { 'evaluation.scores': 'fused' }),
    ...set,
    'training.epochs': epochs,
    seed,
  };
  return resolveConfig(method.config, {
    ...(base.preset === null ? {} : { preset: base.preset }),
    mode: String(mode),
    flags,
  });
}
