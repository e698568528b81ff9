/**
 * Runs ablations and sweeps, cell by cell, and lays the results out as tables and figures.
 */
import { join } from 'node:path';
import {
  canonicalJson,
  ConfigError,
  createRandom,
  type ExperimentTable,
  formatShare,
  InterruptedError,
  LabError,
  type ResolvedConfig,
  resolveConfig,
  runExperiment,
  writeFileAtomic,
} from '@lab/core';
import {
  dropImages,
  flipAttributes,
  noiseImages,
  swapAttributeRows,
  swapFeatureRows,
} from '@lab/graph';
import {
  barPlot,
  type Figure,
  linePlot,
  markdownTable,
  meanCell,
  standaloneSvg,
  svgToPng,
  type Table,
} from '@lab/report';
import { type IbmeaConfig, ibmeaConfig, modalities, valueAt } from './config.js';
import { type AlignmentTask, relationBags } from './data.js';
import {
  type AblationCell,
  type AblationGroup,
  ablationGroups,
  type Corruption,
} from './experiment-cells.js';
import { train } from './training-run.js';

/** What an experiment needs. */
export interface IbmeaExperimentOptions {
  readonly task: AlignmentTask;
  /** Config that the cells change. */
  readonly base: ResolvedConfig<IbmeaConfig>;
  readonly epochs: number;
  readonly seeds: readonly number[];
  /** Names of groups; default all that the data allow. */
  readonly only?: readonly string[] | undefined;
  /** Folder of results, tables and figures. */
  readonly dir: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string, share: number) => void) | undefined;
}

/** Results by group, in the order of `ablationGroups`. */
export interface IbmeaExperiment {
  readonly groups: readonly { readonly group: AblationGroup; readonly table: ExperimentTable }[];
  /** Files that were written. */
  readonly files: readonly string[];
}

/** The groups that these data allow, and of them those asked for. */
export function groupsFor(task: AlignmentTask, only?: readonly string[]): AblationGroup[] {
  const present = modalities.filter(
    (modality) =>
      modality === 'graph' ||
      modality === 'relation' ||
      (modality === 'attribute' ? task.data.attributes : task.data.images) !== null,
  );
  const { seeds } = task.split;
  const groups = ablationGroups(present, seeds.length / task.data.links.length);
  return only === undefined ? groups : groups.filter(({ name }) => only.includes(name));
}

/**
 * Trains every cell with every seed and writes `<group>.md`, `<group>.svg` and `.png`.
 *
 * Finished cells are kept in `cells.jsonl` and not run again: the same command goes on.
 *
 * @throws {InterruptedError} when the signal aborts; finished cells are saved.
 */
export async function runIbmeaExperiment(
  options: IbmeaExperimentOptions,
): Promise<IbmeaExperiment> {
  if (options.task.split.test.length === 0) {
    throw new ConfigError('ibmea/experiment: there are no test pairs to measure with.', {
      help: 'use fewer seeds than links: --seeds FILE, or --set data.seedShare=0.3',
    });
  }
  const groups = groupsFor(options.task, options.only);
  const cells = groups.flatMap((group) => group.cells);
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  const memory: CellMemory = new Map();
  const table = await runExperiment({
    dir: options.dir,
    name: 'cells',
    cells: cells.map(({ id, set, seedShare, corruption }) => ({
      id,
      settings: {
        set,
        seedShare: seedShare ?? 1,
        corruption: corruption ?? null,
        epochs: options.epochs,
        base: options.base.config as unknown as Record<string, unknown>,
      },
    })),
    seeds: options.seeds,
    runCell: (cell, seed, { signal }) =>
      runCell(options, byId.get(cell.id)!, { seed, signal, memory }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onProgress: ({ done, total, id, seed, values }) => {
      const hits = formatShare(values['H@1']!);
      const text = `experiment  ${done}/${total}  ${id}  seed ${seed}  H@1 ${hits}`;
      options.onProgress?.(text, done / total);
    },
  });
  const results = groups.map((group) => ({
    group,
    table: { rows: table.rows.filter(({ id }) => group.cells.some((cell) => cell.id === id)) },
  }));
  const files: string[] = [];
  for (const result of results) files.push(...(await writeGroup(options, result)));
  return { groups: results, files };
}

/** Results by what was trained: several groups hold the unchanged method as their first cell. */
type CellMemory = Map<string, Promise<Record<string, number>>>;

/** What a cell trains, whatever its name. */
function cellKey({ config }: ResolvedConfig<IbmeaConfig>, cell: AblationCell): string {
  const isFaulty = (cell.corruption?.probability ?? 0) > 0;
  const share = Math.min(1, cell.seedShare ?? 1);
  return canonicalJson({ config, share, corruption: isFaulty ? cell.corruption : null });
}

/** Trains one cell and measures it, unless the same training has been measured. */
async function runCell(
  options: IbmeaExperimentOptions,
  cell: AblationCell,
  { seed, signal, memory }: { seed: number; signal: AbortSignal; memory: CellMemory },
): Promise<Record<string, number>> {
  const config = cellConfig(options, cell, seed);
  const key = cellKey(config, cell);
  const known = memory.get(key);
  if (known !== undefined) return known;
  const found = measureCell(options, cell, config, signal);
  memory.set(key, found);
  return found;
}

/** The metrics of the last epoch of one cell's training. */
async function measureCell(
  options: IbmeaExperimentOptions,
  cell: AblationCell,
  config: ResolvedConfig<IbmeaConfig>,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const task = corruptedTask(fewerSeeds(options.task, cell.seedShare ?? 1), cell, config.config);
  const trained = await train({ data: task, config, signal });
  trained.state.dispose();
  const { forward, backward } = trained.metrics!;
  return {
    'H@1': forward['hits@1']!,
    'H@10': forward['hits@10']!,
    MRR: forward.mrr,
    'H@1 backward': backward['hits@1']!,
  };
}

function cellConfig(
  { base, epochs }: IbmeaExperimentOptions,
  cell: AblationCell,
  seed: number,
): ResolvedConfig<IbmeaConfig> {
  const { mode = base.mode, ...set } = cell.set;
  // Values that the base run was given by hand come before those of the cell.
  const given = Object.entries(base.origins).filter(
    ([, origin]) => origin.startsWith('--') || origin.startsWith('file'),
  );
  const flags = {
    ...Object.fromEntries(given.map(([path]) => [path, valueAt(base.config, path)])),
    'evaluation.baseline': false,
    'evaluation.every': epochs,
    ...set,
    'training.epochs': epochs,
    seed,
  };
  return resolveConfig(ibmeaConfig, {
    ...(base.preset === null ? {} : { preset: base.preset }),
    mode: String(mode),
    flags,
  });
}

/** The task with only the first share of its seeds; the test pairs stay. */
function fewerSeeds(task: AlignmentTask, share: number): AlignmentTask {
  if (share >= 1) return task;
  const count = Math.max(2, Math.round((task.split.seeds.length / 2) * share));
  return { ...task, split: { ...task.split, seeds: task.split.seeds.slice(0, 2 * count) } };
}

/** The task with the cell's fault; the fault depends on the seed of the config. */
function corruptedTask(
  task: AlignmentTask,
  cell: AblationCell,
  config: IbmeaConfig,
): AlignmentTask {
  if (cell.corruption === undefined) return task;
  const { kind, probability } = cell.corruption;
  const random = createRandom(config.seed).fork('corruption');
  const fault = { probability, random };
  const faults: Record<Corruption['kind'], () => AlignmentTask> = {
    'swap-rows': () => ({
      ...task,
      data: swapAttributeRows(task.data, { probability, random: random.fork('attributes') }),
      relationBags: swapFeatureRows(relationBags(task, config.data), task.data, {
        probability,
        random: random.fork('relations'),
      }),
    }),
    'flip-attributes': () => ({ ...task, data: flipAttributes(task.data, fault) }),
    'noise-images': () => ({ ...task, data: noiseImages(task.data, fault) }),
    'drop-images': () => ({ ...task, data: dropImages(task.data, fault) }),
  };
  return faults[kind]();
}

/** Table and figure files of one group. */
async function writeGroup(
  options: IbmeaExperimentOptions,
  { group, table }: IbmeaExperiment['groups'][number],
): Promise<string[]> {
  const path = (ending: string) => join(options.dir, `${group.name}.${ending}`);
  const seeds = options.seeds.length === 1 ? 'seed' : 'seeds';
  const heading =
    `## ${group.title}\n\n${group.caption} ${options.task.data.name}, ${options.epochs} epochs, ` +
    `${seeds} ${options.seeds.join(', ')}.\n\n`;
  writeFileAtomic(path('md'), `${heading}${markdownTable(groupTable(group, table))}\n`);
  const figure = groupFigure(group, table);
  const svg = standaloneSvg(figure);
  writeFileAtomic(path('svg'), svg);
  const files = [path('md'), path('svg')];
  try {
    writeFileAtomic(path('png'), await svgToPng(svg));
    files.push(path('png'));
  } catch (error) {
    // PNG needs an optional package; tables and SVG are complete without it.
    if (!LabError.is(error) || error instanceof InterruptedError) throw error;
  }
  return files;
}

const METRICS = ['H@1', 'H@10', 'MRR', 'H@1 backward'] as const;

function groupTable(group: AblationGroup, table: ExperimentTable): Table {
  return {
    columns: [
      { key: 'label', label: 'setting' },
      ...METRICS.map((key) => ({ key, label: key, kind: 'share' as const })),
    ],
    rows: table.rows.map((row) => ({
      label: group.cells.find(({ id }) => id === row.id)!.label,
      ...Object.fromEntries(METRICS.map((key) => [key, meanCell(row.values[key]!)])),
    })),
  };
}

function groupFigure(group: AblationGroup, table: ExperimentTable): Figure {
  const rowOf = new Map(table.rows.map((row) => [row.id, row]));
  const spread = (id: string) => {
    const row = rowOf.get(id)!;
    const value = row.mean['H@1']!;
    const half = row.n > 1 ? (1.96 * row.deviation['H@1']!) / Math.sqrt(row.n) : 0;
    return { value, ...(half > 0 ? { low: value - half, high: value + half } : {}) };
  };
  if (group.axis === undefined) {
    const bars = group.cells.map(({ id, label }) => ({ label, ...spread(id) }));
    return barPlot({ title: group.title, value: { label: 'H@1', format: 'share' }, bars });
  }
  const names = [...new Set(group.cells.map(({ series }) => series!))];
  return linePlot({
    title: group.title,
    x: group.axis,
    y: { label: 'H@1', format: 'share' },
    series: names.map((name) => ({
      name,
      points: group.cells
        .filter(({ series }) => series === name)
        .map(({ id, x }) => ({ x: x!, ...renamed(spread(id)) })),
    })),
  });
}

function renamed({ value, ...interval }: { value: number; low?: number; high?: number }) {
  return { y: value, ...interval };
}
