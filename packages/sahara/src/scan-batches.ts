/**
 * How a scan is cut into parts that fit into memory and fill the machine.
 */
import type { Model } from '@lab/transformer';
import type { BasePass, PlacedPrompt } from './base-pass.js';
import type { HeadId } from './head.js';
import type { ScanInput } from './head-outputs.js';

/** How much is computed and held at once. */
export interface ScanLimits {
  /** Tokens of a batch of variants; default 1024. */
  readonly batchTokens?: number | undefined;
  /** Bytes that residuals of variants may take; default 512 MiB. */
  readonly memoryBytes?: number | undefined;
}

/** Layers that are scanned together: from the first to before the last. */
type LayerRange = readonly [from: number, to: number];

const DEFAULTS = { batchTokens: 1024, memoryBytes: 512 * 2 ** 20 } as const;

/** Rows of variants that are computed together. */
export const rowsTogether = (length: number, { batchTokens }: ScanLimits): number =>
  Math.max(1, Math.floor((batchTokens ?? DEFAULTS.batchTokens) / length));

/** Prompts of about one length together, so many that the variants of a layer fill a batch. */
export function promptBatches(
  { architecture, residency }: Pick<Model, 'architecture' | 'residency'>,
  { prompts, candidates }: Pick<ScanInput, 'candidates' | 'prompts'>,
  { batchTokens = DEFAULTS.batchTokens, memoryBytes = DEFAULTS.memoryBytes }: ScanLimits,
): PlacedPrompt[][] {
  const { width, layerCount } = architecture;
  const placed = prompts.map(
    ({ id, ids, source }, prompt): PlacedPrompt => ({ id, ids, source, prompt }),
  );
  const sorted = placed.toSorted((a, b) => a.ids.length - b.ids.length);
  const inLayer = Math.max(1, candidates.length / layerCount);
  const batches: PlacedPrompt[][] = [];
  let start = 0;
  while (start < sorted.length) {
    const { length } = sorted[start]!.ids;
    const filling = Math.ceil(batchTokens / (inLayer * length));
    // Where weights come from files, more prompts share each reading.
    const held = Math.floor(memoryBytes / (4 * width * length * Math.max(candidates.length, 1)));
    const count = Math.max(1, residency === 'resident' ? filling : held);
    batches.push(sorted.slice(start, start + count));
    start += count;
  }
  return batches;
}

/** Layers whose variants fit into the memory together. */
export function layerRanges(
  { architecture }: Pick<Model, 'architecture'>,
  { prompts, padded }: BasePass,
  { input, limits }: { readonly input: ScanInput; readonly limits: ScanLimits },
): LayerRange[] {
  const { memoryBytes = DEFAULTS.memoryBytes } = limits;
  const { layerCount, width } = architecture;
  const one = 4 * prompts.length * padded.length * width;
  const ranges: LayerRange[] = [];
  let [from, bytes] = [0, 0];
  for (let layer = 0; layer < layerCount; layer += 1) {
    const own = one * input.candidates.filter((head) => head.layer === layer).length;
    if (bytes + own > memoryBytes && bytes > 0) {
      ranges.push([from, layer]);
      [from, bytes] = [layer, 0];
    }
    bytes += own;
  }
  return [...ranges, [from, layerCount]];
}

/**
 * Layers whose heads get their scores together over all prompts: one at a time, or where weights
 * come from files so many as fit into the memory, so that these are read less often.
 */
export function unitRanges(
  { architecture, residency }: Pick<Model, 'architecture' | 'residency'>,
  bytesOfHead: number,
  { open, limits }: { readonly open: readonly HeadId[]; readonly limits: ScanLimits },
): LayerRange[] {
  const { memoryBytes = DEFAULTS.memoryBytes } = limits;
  const { layerCount } = architecture;
  const ranges: LayerRange[] = [];
  let [from, bytes] = [0, 0];
  for (let layer = 0; layer < layerCount; layer += 1) {
    const own = bytesOfHead * open.filter((head) => head.layer === layer).length;
    const isFull = residency === 'resident' || bytes + own > memoryBytes;
    if (layer > from && isFull) {
      ranges.push([from, layer]);
      [from, bytes] = [layer, 0];
    }
    bytes += own;
  }
  return [...ranges, [from, layerCount]];
}

/** How far a scan is, in rows that went through a layer. */
export class Work {
  private batch = 0;
  private done = 0;
  private total = 1;

  constructor(
    private readonly batchCount: number,
    private readonly onShare: ((share: number) => void) | undefined,
  ) {}

  beginBatch(prompts: number, heads: readonly HeadId[], layerCount: number): void {
    const layers = heads.reduce((sum, { layer }) => sum + layerCount - layer, 0);
    [this.done, this.total] = [0, Math.max(1, prompts * layers)];
  }

  add(rows: number): void {
    this.done += rows;
    this.onShare?.((this.batch + this.done / this.total) / this.batchCount);
  }

  endBatch(): void {
    this.batch += 1;
    this.onShare?.(this.batch / this.batchCount);
  }
}
