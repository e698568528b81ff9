/**
 * What a scan will take, before it begins.
 */
import {
  type Architecture,
  estimateRun,
  type LoadModelOptions,
  operationsOf,
  readModelConfig,
} from '@lab/transformer';
import { resolveAblation, type HeadAblation, headCounts } from './ablation.js';

/** What is to be scanned. */
export interface ScanOutline extends LoadModelOptions {
  /** Tokens of each prompt, template in them. */
  readonly promptTokens: readonly number[];
  readonly ablation: HeadAblation;
  /** `ships`: each prompt by itself; `sahara`: so many steps over all of them. */
  readonly verb: 'sahara' | 'ships';
  /** Steps of a search; default 1. */
  readonly steps?: number | undefined;
  /** Groups kept at each step; default 1. */
  readonly beam?: number | undefined;
  /** Whether logits are made (divergences), or final states alone. */
  readonly hasLogits: boolean;
  readonly batchTokens: number;
  readonly memoryBytes: number;
}

/** What a scan is expected to take. */
export interface ScanPlan {
  /** Forward passes of single prompts that a loop over heads would make. */
  readonly naivePasses: number;
  /** Multiplications and additions of that loop. */
  readonly naiveOperations: number;
  /** Multiplications and additions of the scan. */
  readonly operations: number;
  readonly hours: number;
  /** Bytes at the peak, weights and values. */
  readonly peakBytes: number;
  readonly residency: string;
  readonly headCount: number;
  readonly promptCount: number;
}

/** Operations of a scan of all heads over prompts, and of the loop in its place. */
export function scanOperations(
  architecture: Architecture,
  { promptTokens, ablation, steps = 1, beam = 1, hasLogits }: ScanCount,
): Pick<ScanPlan, 'naiveOperations' | 'naivePasses' | 'operations'> {
  const resolved = resolveAblation(ablation, architecture);
  const { layerCount, headCount } = headCounts(architecture, resolved);
  const heads = layerCount * headCount;
  // The first step has one group to go on from, later ones as many as the beam.
  const rounds = 1 + (steps - 1) * beam;
  let [operations, naive] = [0, 0];
  for (const length of promptTokens) {
    const parts = blockParts(architecture, length);
    const logits = hasLogits ? 2 * architecture.width * architecture.vocabularySize : 0;
    naive += (heads + 1) * (layerCount * parts.block + logits);
    for (let layer = 0; layer < layerCount; layer += 1) {
      // The prompt itself; then what its heads need of this layer and of those behind it.
      const isLast = layer === layerCount - 1;
      const own = isLast ? parts.behindHeads / length : parts.behindHeads;
      const later = Math.max(layerCount - layer - 2, 0) * parts.block + (isLast ? 0 : parts.last);
      operations += parts.block + headCount * (own + later + logits);
    }
    operations += logits;
  }
  return {
    naivePasses: rounds * promptTokens.length * (heads + 1),
    naiveOperations: rounds * naive,
    operations: rounds * operations,
  };
}

/** What operations are counted of. */
export type ScanCount = Pick<
  ScanOutline,
  'ablation' | 'beam' | 'hasLogits' | 'promptTokens' | 'steps'
>;

/** Operations of a block: all of it, what stands behind its heads, and for the last token alone. */
function blockParts(architecture: Architecture, length: number) {
  const { width, headCount, keyValueHeadCount, headWidth, mlpWidth, isGated } = architecture;
  const block = operationsOf({ ...architecture, layerCount: 1 }, { batchSize: 1, length }, 'none');
  const output = 2 * length * headCount * headWidth * width;
  const mlp = 2 * length * (isGated ? 3 : 2) * width * mlpWidth;
  const keysAndValues = 2 * length * 2 * keyValueHeadCount * headWidth * width;
  const behindHeads = output + mlp;
  return { block, behindHeads, last: keysAndValues + (block - keysAndValues) / length };
}

/**
 * Expected time and memory of a scan, on the backend in use: two blocks are run to measure, all
 * else is counted.
 *
 * @throws {ModelError} as `loadModel`.
 */
export async function planScan(folder: string, outline: ScanOutline): Promise<ScanPlan> {
  const { architecture } = readModelConfig(folder);
  const { promptTokens, ablation, batchTokens, memoryBytes, verb } = outline;
  const longest = promptTokens.reduce((most, length) => Math.max(most, length), 1);
  const batchSize = Math.max(1, Math.floor(batchTokens / longest));
  const { residency, budgetBytes } = outline;
  const batches = [{ batchSize, length: longest }];
  const measured = await estimateRun(folder, {
    ...{ residency, budgetBytes, batches, logits: outline.hasLogits ? 'last' : 'none' },
  });
  const steps = verb === 'sahara' ? outline.steps : 1;
  const counted = scanOperations(architecture, { ...outline, steps });
  const { headCount } = headCounts(architecture, resolveAblation(ablation, architecture));
  const heads = headCount * architecture.layerCount;
  const seconds = (counted.operations / measured.operations) * measured.runSeconds;
  const { width } = architecture;
  const variants = Math.min(memoryBytes, 4 * heads * longest * width);
  const states = verb === 'sahara' ? 4 * headCount * promptTokens.length * width : 0;
  return {
    ...counted,
    hours: (measured.loadSeconds + seconds) / 3600,
    peakBytes: measured.peakBytes + variants + states,
    ...{ residency: measured.residency, headCount: heads, promptCount: promptTokens.length },
  };
}
