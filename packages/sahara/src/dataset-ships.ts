/**
 * Data-set Ships: how far ablating a head turns the subspace of a set of prompts.
 */
import { ModelError } from '@lab/core';
import type { Model } from '@lab/transformer';
import { changesNothing } from './ablation.js';
import { BasePass, disposeLayers } from './base-pass.js';
import { type HeadId, headKey } from './head.js';
import type { HeadOutput, ScanInput, TokenPrompt } from './head-outputs.js';
import { scanHeads, scanLayers } from './head-scan.js';
import { type DivergenceFrom, divergenceFrom, type Numerics } from './kl.js';
import { promptBatches, type ScanLimits, unitRanges, Work } from './scan-batches.js';
import { noScores, planShips, type ShipsOptions, type ShipsPlan } from './ships.js';
import { safetySubspace, type Subspace, type SubspaceOptions, subspaceShift } from './subspace.js';

/** How heads are scored over a data set. */
export interface DatasetShipsOptions extends Omit<ShipsOptions, 'numerics'>, SubspaceOptions {
  /**
   * `subspace`: the turn of the subspace of final states, degrees (paper, eq. 11); `divergence`:
   * the mean over prompts of the divergence of the next token, nats. Default `subspace`.
   */
  readonly measure?: 'divergence' | 'subspace' | undefined;
  /** Of `divergence`; default `stable`. */
  readonly numerics?: Numerics | undefined;
  /** Scores that are there already, `[L][H]`: their heads are not run again. */
  readonly earlier?: readonly (readonly (number | null)[])[] | undefined;
  /** Called when some heads have their scores; what is saved then need not be done again. */
  readonly onScores?: ((scores: readonly HeadScore[]) => void) | undefined;
  /** What the intact model gave, of an earlier call on the same prompts. */
  readonly reference?: DatasetReference | undefined;
}

/** The score of a head. */
export interface HeadScore extends HeadId {
  readonly score: number;
}

/** What the intact model gives on a data set. */
export interface DatasetReference {
  /** Of `subspace`. */
  readonly subspace: Subspace | null;
  /** Of `divergence`, by prompt. */
  readonly distributions: readonly DivergenceFrom[];
}

/** Scores over a data set. */
export interface DatasetScores {
  /** `[L][H]`; null for heads of the group and those not asked for. */
  readonly scores: (number | null)[][];
  readonly unit: 'degrees' | 'nats';
  readonly reference: DatasetReference;
}

/**
 * What the intact model gives on a data set; no group is ablated.
 *
 * @throws {DataError} for fewer than two prompts where a subspace is asked for.
 */
export async function datasetReference(
  model: Model,
  prompts: readonly TokenPrompt[],
  options: DatasetShipsOptions = {},
): Promise<DatasetReference> {
  const { measure = 'subspace', numerics = 'stable', signal } = options;
  const plan = planShips(model, prompts, { ...options, numerics, group: [], heads: [] });
  const output = measure === 'subspace' ? 'states' : 'logits';
  const states = new StateTable(prompts.length, model.architecture.width);
  const distributions: DivergenceFrom[] = [];
  const visit = ({ prompt, values }: HeadOutput) => {
    if (!values.every(Number.isFinite)) throw notFinite(prompts[prompt]!, null);
    if (output === 'states') states.put(prompt, values);
    else distributions[prompt] = divergenceFrom(values, numerics);
  };
  const { ablation } = plan;
  await scanHeads(
    model,
    { prompts, ablation, group: [], candidates: [], output, visit, signal },
    options,
  );
  const subspace = output === 'states' ? safetySubspace(states.rows, options) : null;
  return { subspace, distributions };
}

/**
 * Scores of all heads over a data set, against the intact model.
 *
 * `Ships(Q, h) = sum_j phi_j`, the principal angles between the first r left singular vectors of
 * the final states of the intact model and of the one without h. Source: Zhou et al., section 4.1
 * and eq. 11.
 *
 * @param prompts - two or more for a subspace.
 * @throws {ConfigError} for an ablation or head that the model does not have.
 * @throws {ModelError} for values that are not finite, with prompt and head.
 */
export async function datasetShips(
  model: Model,
  prompts: readonly TokenPrompt[],
  options: DatasetShipsOptions = {},
): Promise<DatasetScores> {
  const { measure = 'subspace', numerics, earlier } = options;
  const plan = planShips(model, prompts, { ...options, numerics });
  const reference = options.reference ?? (await datasetReference(model, prompts, options));
  const scores = noScores(plan.counts);
  const open: HeadId[] = [];
  for (const { layer, head } of plan.heads) {
    const known = earlier?.[layer]?.[head] ?? (changesNothing(plan.ablation) ? 0 : null);
    scores[layer]![head] = known;
    if (known === null) open.push({ layer, head });
  }
  const unit = measure === 'subspace' ? 'degrees' : 'nats';
  if (open.length > 0) {
    const { width } = model.architecture;
    const scorer = new DatasetScorer(prompts, { reference, options, width });
    const take = (found: readonly HeadScore[]) => {
      for (const { layer, head, score } of found) scores[layer]![head] = score;
      options.onScores?.(found);
    };
    await scanDataset(model, { prompts, plan, open, scorer, options, take });
  }
  return { scores, unit, reference };
}

interface DatasetScan {
  readonly prompts: readonly TokenPrompt[];
  readonly plan: ShipsPlan;
  readonly open: readonly HeadId[];
  readonly scorer: DatasetScorer;
  readonly options: DatasetShipsOptions;
  readonly take: (found: readonly HeadScore[]) => void;
}

/** Layer by layer over all prompts: heads have their scores as soon as their layer is done. */
async function scanDataset(
  model: Model,
  { prompts, plan, open, scorer, options, take }: DatasetScan,
): Promise<void> {
  const limits: ScanLimits = options;
  const { layerCount } = model.architecture;
  const input: ScanInput = {
    ...{ prompts, ablation: plan.ablation, group: plan.group, candidates: open },
    ...{ output: scorer.output, signal: options.signal },
    visit: (output) => scorer.visit(output),
  };
  // As for all heads: what is known already changes no batch, so that no number depends on it.
  const batches = promptBatches(model, { prompts, candidates: plan.heads }, limits);
  const bases = batches.map((one) => new BasePass(model, one, input));
  const work = new Work(1, options.onProgress);
  work.beginBatch(prompts.length, open, layerCount);
  try {
    for (const [from, to] of unitRanges(model, scorer.bytesOfHead, { open, limits })) {
      const heads = open.filter(({ layer }) => layer >= from && layer < to);
      scorer.begin(heads);
      const wanted = new Set(heads.map(({ layer }) => layer));
      for (const base of bases) {
        const layers = await base.advance(to, wanted);
        const part = { layers, heads, input, limits, work };
        await scanLayers(model, base, part).finally(() => disposeLayers(layers));
      }
      if (heads.length > 0) take(scorer.end());
    }
    work.endBatch();
  } finally {
    for (const base of bases) base.dispose();
  }
}

/** Final states of a set of prompts, prompt by prompt. */
class StateTable {
  private readonly data: Float32Array;

  constructor(
    private readonly rowCount: number,
    private readonly width: number,
  ) {
    this.data = new Float32Array(rowCount * width);
  }

  put(row: number, values: Float32Array): void {
    this.data.set(values, row * this.width);
  }

  get rows() {
    return { rowCount: this.rowCount, width: this.width, data: this.data };
  }
}

/** Makes scores of the outputs of some heads. */
class DatasetScorer {
  readonly output: 'logits' | 'states';
  readonly bytesOfHead: number;
  private heads: readonly HeadId[] = [];
  private readonly tables = new Map<string, StateTable>();
  private readonly sums = new Map<string, number>();

  constructor(
    private readonly prompts: readonly TokenPrompt[],
    private readonly given: {
      readonly reference: DatasetReference;
      readonly options: DatasetShipsOptions;
      readonly width: number;
    },
  ) {
    const isOfStates = given.options.measure !== 'divergence';
    this.output = isOfStates ? 'states' : 'logits';
    this.bytesOfHead = isOfStates ? 4 * prompts.length * given.width : 8;
  }

  begin(heads: readonly HeadId[]): void {
    this.heads = heads;
    this.tables.clear();
    this.sums.clear();
  }

  visit({ prompt, head, values }: HeadOutput): void {
    if (head === null) return;
    const { reference, width } = this.given;
    const key = headKey(head);
    if (this.output === 'states') {
      if (!values.every(Number.isFinite)) throw notFinite(this.prompts[prompt]!, head);
      const table = this.tables.get(key) ?? new StateTable(this.prompts.length, width);
      table.put(prompt, values);
      this.tables.set(key, table);
      return;
    }
    const divergence = reference.distributions[prompt]!.to(values);
    if (!Number.isFinite(divergence)) throw notFinite(this.prompts[prompt]!, head);
    this.sums.set(key, (this.sums.get(key) ?? 0) + divergence);
  }

  /** Scores of the heads whose outputs have all come. */
  end(): HeadScore[] {
    const { reference, options } = this.given;
    return this.heads.map((head) => {
      const key = headKey(head);
      if (this.output === 'logits') {
        return { ...head, score: this.sums.get(key)! / this.prompts.length };
      }
      const intact = reference.subspace!;
      const own = { ...options, rank: intact.rank };
      return {
        ...head,
        score: subspaceShift(intact, safetySubspace(this.tables.get(key)!.rows, own)),
      };
    });
  }
}

function notFinite({ id }: TokenPrompt, head: HeadId | null): ModelError {
  const what = head === null ? 'nothing' : `head ${headKey(head)}`;
  return new ModelError(
    `sahara/dataset-ships: values of prompt ${id} with ${what} ablated are not finite.`,
    {
      help: 'Values may have overflown: load the checkpoint in float32, or another one.',
      details: { prompt: id, head },
    },
  );
}
