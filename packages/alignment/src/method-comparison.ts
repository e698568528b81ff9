/**
 * Several methods on the same pair of graphs: few seeds and faulty data, cell by cell.
 */
import {
  checkOptions,
  ConfigError,
  type ExperimentRow,
  formatShare,
  type OptionFields,
  optionFields,
  type ResolvedConfig,
  runExperiment,
} from '@lab/core';
import { z } from 'zod';
import { measureBaseline } from './baseline.js';
import { callFields } from './call-fields.js';
import type { AlignmentConfig } from './config-fields.js';
import type { AlignmentTask } from './data.js';
import { tableNumbers } from './alignment-metrics.js';
import type { Corruption } from './experiment/cell.js';
import { cellTask } from './experiment/faulty-task.js';
import type { Measure } from './measured-apart.js';
import type { AlignmentMethod } from './method.js';
import { train } from './training-run.js';

/** A method with the settings that it is compared with. */
export interface Contestant {
  /** In tables and figures. */
  readonly label: string;
  readonly method: AlignmentMethod;
  readonly config: ResolvedConfig<AlignmentConfig>;
}

/** What a comparison needs. */
export interface MethodComparisonOptions {
  readonly task: AlignmentTask;
  readonly contestants: readonly [Contestant, ...Contestant[]];
  /** Shares of the links that are seeds, up to those of the task; the test pairs stay the same. */
  readonly seedShares: readonly number[];
  /** Shares of attribute and relation rows that are those of other entities, with all seeds. */
  readonly faultyShares?: readonly number[] | undefined;
  readonly seeds: readonly number[];
  /** Folder of the finished cells; the same call goes on where it stopped. */
  readonly dir: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string, share: number) => void) | undefined;
}

const contestantSchema = z.strictObject({
  label: z.string(),
  method: callFields.method,
  config: callFields.resolved,
} satisfies OptionFields<Contestant>);

const comparisonSchema = z.strictObject({
  task: callFields.task,
  contestants: z.array(contestantSchema).min(1),
  seedShares: z.array(optionFields.share),
  faultyShares: z.array(optionFields.share).optional(),
  seeds: z.array(optionFields.count).min(1),
  dir: optionFields.path,
  signal: optionFields.signal,
  onProgress: optionFields.callback,
} satisfies OptionFields<MethodComparisonOptions>);

/** One place on the x axis of one contestant, or of the baseline. */
export interface ComparedCell {
  readonly study: 'few-seeds' | 'faulty-rows';
  readonly label: string;
  readonly x: number;
  readonly row: ExperimentRow;
  /** How it was ranked and scored; the baseline has vectors of one kind only. */
  readonly measure: Measure;
}

/** Name of the baseline in tables and figures. */
export const baselineLabel = 'seed propagation, no training';

interface Plan {
  readonly id: string;
  readonly study: ComparedCell['study'];
  readonly contestant: Contestant;
  readonly isBaseline: boolean;
  readonly x: number;
  /** Share of the task's seeds. */
  readonly seedShare: number;
  readonly corruption?: Corruption;
}

/**
 * Trains every contestant at every place with every seed, and ranks the baseline beside them.
 *
 * Finished cells are lines of `comparison.jsonl` and are not run again.
 *
 * @throws {ConfigError} for options that are unknown or not of their kind, and without test pairs.
 * @throws {InterruptedError} when the signal aborts; finished cells are saved.
 */
export async function compareMethods(options: MethodComparisonOptions): Promise<ComparedCell[]> {
  checkOptions('alignment/comparison', options, comparisonSchema);
  const { task, seeds, dir, signal, onProgress } = options;
  if (task.split.test.length === 0) {
    throw new ConfigError('alignment/comparison: there are no test pairs to compare on.', {
      help: 'use fewer seeds than links',
    });
  }
  const plans = planCells(options);
  const byId = new Map(plans.map((plan) => [plan.id, plan]));
  const { rows } = await runExperiment({
    ...{ dir, name: 'comparison', seeds },
    cells: plans.map((plan) => ({ id: plan.id, settings: settingsOf(plan) })),
    runCell: ({ id }, seed, context) => runPlan(task, byId.get(id)!, { seed, ...context }),
    ...(signal === undefined ? {} : { signal }),
    onProgress: ({ done, total, id, seed, values }) => {
      const hits = formatShare(values['H@1']!);
      onProgress?.(`compare  ${done}/${total}  ${id}  seed ${seed}  H@1 ${hits}`, done / total);
    },
  });
  return rows.map((row) => {
    const { study, x, isBaseline, contestant } = byId.get(row.id)!;
    const { candidates, scores } = contestant.config.config.evaluation;
    if (!isBaseline)
      return { study, x, row, label: contestant.label, measure: { candidates, scores } };
    return { study, x, row, label: baselineLabel, measure: { candidates, scores: 'fused' } };
  });
}

function planCells(options: MethodComparisonOptions): Plan[] {
  const { task, contestants, seedShares, faultyShares = [] } = options;
  const most = task.split.seeds.length / task.data.links.length;
  const rivals = [
    ...contestants.map((contestant) => ({ contestant, isBaseline: false })),
    { contestant: contestants[0], isBaseline: true },
  ];
  return rivals.flatMap(({ contestant, isBaseline }) => {
    const name = isBaseline ? 'baseline' : contestant.label;
    const common = { contestant, isBaseline };
    return [
      ...seedShares.map((share) => ({
        ...{ ...common, id: `few-seeds/${name}-${share}`, study: 'few-seeds' as const },
        ...{ x: 100 * share, seedShare: Math.min(1, share / most) },
      })),
      ...faultyShares.map((probability) => ({
        ...{ ...common, id: `faulty-rows/${name}-${probability}`, study: 'faulty-rows' as const },
        ...{ x: 100 * probability, seedShare: 1 },
        corruption: { kind: 'swap-rows' as const, probability },
      })),
    ];
  });
}

/** What a finished cell must have been run with to count as finished. */
function settingsOf({ contestant, isBaseline, seedShare, corruption }: Plan) {
  const { config } = contestant.config;
  const name = isBaseline ? 'baseline' : contestant.method.name;
  const version = isBaseline ? '' : contestant.method.version;
  return { name, version, config, seedShare, corruption: corruption ?? null };
}

/** The metrics of one cell: of the selected epoch, or of the baseline. */
async function runPlan(
  task: AlignmentTask,
  plan: Plan,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): Promise<Record<string, number>> {
  const { contestant, isBaseline, seedShare, corruption } = plan;
  const { evaluation } = contestant.config.config;
  const config = {
    ...{ ...contestant.config.config, seed },
    evaluation: { ...evaluation, baseline: false, enabled: true },
  };
  const cell = { id: plan.id, label: contestant.label, set: {}, seedShare };
  const faulty = cellTask(task, corruption === undefined ? cell : { ...cell, corruption }, config);
  if (isBaseline) return tableNumbers(await measureBaseline(faulty, config, signal));
  const resolved = { ...contestant.config, config };
  const { metrics, state } = await train(contestant.method, {
    data: faulty,
    config: resolved,
    signal,
  });
  state.dispose();
  return tableNumbers(metrics!);
}
