/**
 * What `lens`, `graft` and `steer` will take, before they begin: `--dry-run`.
 */
import { formatBytes, formatCount, formatDuration } from '@lab/core';
import type { CliContext, CliInput, CliOption } from '@lab/core/cli';
import {
  type BatchShape,
  estimateRun,
  type LoadModelOptions,
  type Model,
  operationsOf,
} from '@lab/transformer';
import { chosenBackend, loadOptions } from '@lab/transformer/commands';
import { batchShapes, type EncodedPrompt } from '../hidden-states.js';

/** The flag. */
export const dryRunOption: CliOption = {
  flags: '--dry-run',
  summary: 'say what time and memory it will take, and end',
  kind: 'boolean',
};

/** What a verb is going to do. */
export interface WorkOutline {
  /** Passes over all blocks; parts of a pass count as their share. */
  readonly passes: readonly PassOutline[];
  /** Rows whose logits are read apart from passes. */
  readonly rows: number;
}

/** Passes over the same prompts. */
interface PassOutline {
  readonly prompts: readonly EncodedPrompt[];
  readonly count: number;
}

/** A model that work is outlined for. */
export interface OutlinedModel {
  readonly folder: string;
  readonly architecture: Model['architecture'];
}

/** Tokens that go through a block together, as grafts and steering have it. */
const BATCH_TOKENS = 4096;

/** Says what work will take; two blocks and the output are measured. */
export async function sayOutline(
  context: CliContext,
  input: CliInput,
  outline: WorkOutline,
  model: OutlinedModel,
): Promise<void> {
  await chosenBackend(context, input);
  context.progress.update('measuring two blocks');
  const plan = await planWork(outline, model, loadOptions(input));
  context.progress.done();
  context.printJson({ run: null, status: 'success', metrics: null, plan });
  const lines = [
    ['passes', `${formatCount(plan.promptPasses)} of a prompt, ${formatCount(outline.rows)} rows`],
    ['time', `about ${formatDuration(plan.seconds)}`],
    ['operations', `${(plan.operations / 1e12).toPrecision(3)} TFLOP`],
    ['memory', `about ${formatBytes(plan.peakBytes)}`],
  ] as const;
  for (const [name, value] of lines) context.print(`${name.padEnd(12)} ${value}\n`);
  context.print('next: the same without --dry-run\n');
}

/** What work will take. */
interface WorkPlan {
  /** Passes times their prompts. */
  readonly promptPasses: number;
  readonly seconds: number;
  readonly operations: number;
  readonly peakBytes: number;
}

async function planWork(
  { passes, rows }: WorkOutline,
  { folder, architecture }: OutlinedModel,
  load: LoadModelOptions,
): Promise<WorkPlan> {
  let [seconds, operations, peakBytes, promptPasses] = [0, 0, 0, 0];
  for (const { prompts, count } of passes) {
    const batches = batchShapes({ architecture }, prompts, BATCH_TOKENS);
    const largest = batches.reduce((most, one) => (sizeOf(one) > sizeOf(most) ? one : most));
    const one = await estimateRun(folder, {
      ...{ residency: load.residency, budgetBytes: load.budgetBytes },
      ...{ batches: [largest], logits: 'last', order: 'batches' },
    });
    const all = batches.reduce((sum, shape) => sum + operationsOf(architecture, shape, 'last'), 0);
    seconds += (count * one.runSeconds * all) / one.operations + one.loadSeconds;
    operations += count * all;
    peakBytes = Math.max(peakBytes, one.peakBytes);
    promptPasses += Math.round(count * prompts.length);
  }
  if (rows > 0) {
    const end = await estimateRun(folder, {
      ...{ residency: load.residency, budgetBytes: load.budgetBytes },
      ...{ batches: [{ batchSize: rows, length: 1 }], stopBlock: 0, logits: 'all' },
    });
    seconds += end.loadSeconds + end.runSeconds;
    operations += end.operations;
    peakBytes = Math.max(peakBytes, end.peakBytes);
  }
  return { promptPasses, seconds, operations, peakBytes };
}

const sizeOf = ({ batchSize, length }: BatchShape) => batchSize * length;
