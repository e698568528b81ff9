/**
 * Where a head looks before and after an ablation.
 */
import { ModelError } from '@lab/core';
import type { Model } from '@lab/transformer';
import { ablationChanges, type HeadAblation, headCounts, resolveAblation } from './ablation.js';
import { assertHeads, type HeadId, headKey } from './head.js';
import type { TokenPrompt } from './head-outputs.js';

/** A pattern to be looked at: an ablation under its name; null leaves the head intact. */
export interface PatternRequest {
  readonly name: string;
  readonly ablation: HeadAblation | null;
}

/** The pattern of one head on one prompt. */
export interface HeadPattern {
  /** Such as `intact` or `q, eps 0.001`. */
  readonly name: string;
  /** Id of the prompt. */
  readonly prompt: string;
  /** `[T, T]`: row t holds the weights of token t on the tokens 0..t, which add up to 1. */
  readonly pattern: readonly (readonly number[])[];
}

/** Which grid of patterns is made. */
export type PatternGrid = (typeof patternGrids)[number];

/**
 * Grids of the paper: `before-after` (figure 1), `scaled` (figure 7: queries, keys, values by
 * three factors), `mean` (figure 8: the mean over heads in place of queries, keys, values).
 */
export const patternGrids = ['before-after', 'scaled', 'mean'] as const;

const sites = ['q', 'k', 'v'] as const;
/** Factors of figure 7. */
const factors = [5e-1, 1e-3, 1e-10];

/** The patterns that a grid is made of, row by row. */
export function patternRequests(grid: PatternGrid): PatternRequest[] {
  const granularity = 'query-head';
  if (grid === 'before-after') {
    return [
      { name: 'intact', ablation: null },
      { name: 'uniform', ablation: { kind: 'uniform' } },
    ];
  }
  if (grid === 'mean') {
    return sites.map((site) => ({
      name: `mean of ${site}`,
      ablation: { kind: 'mean', site, granularity },
    }));
  }
  return sites.flatMap((site) =>
    factors.map((eps) => ({
      name: `${site}, eps ${eps}`,
      ablation: { kind: 'scale', site, eps, granularity } as const,
    })),
  );
}

/**
 * Patterns of a head on each prompt under each ablation, requests in the inner loop.
 *
 * @throws {ConfigError} for a head or an ablation that the model does not have.
 * @throws {ModelError} for weights that are not finite.
 */
export async function headPatterns(
  model: Model,
  head: HeadId,
  prompts: readonly TokenPrompt[],
  requests: readonly PatternRequest[],
): Promise<HeadPattern[]> {
  const found: HeadPattern[] = [];
  const name = `blocks.${head.layer}.attn.hook_pattern`;
  for (const { id, ids } of prompts) {
    for (const request of requests) {
      const { interventions, hooks } = changesOf(model, head, request.ablation);
      const result = await model.forward({
        ...{ ids: [ids], interventions, hooks, capture: name },
        ...{ logits: 'none', stopBlock: head.layer + 1 },
      });
      result.dispose();
      const pattern = patternOf(result.captured.get(name)!, head.head);
      if (pattern.some((row) => row.some((weight) => !Number.isFinite(weight)))) {
        throw new ModelError(
          `sahara/patterns: head ${headKey(head)} has weights that are not finite on ${id}.`,
          { help: 'Load the checkpoint in float32; values may have overflown.' },
        );
      }
      found.push({ name: request.name, prompt: id, pattern });
    }
  }
  return found;
}

function changesOf({ architecture }: Model, head: HeadId, ablation: HeadAblation | null) {
  const resolved = resolveAblation(ablation ?? { kind: 'uniform' }, architecture);
  assertHeads([head], headCounts(architecture, resolved), 'sahara/patterns');
  if (ablation === null) return { interventions: [], hooks: [] };
  return ablationChanges({ architecture }, resolved, [head]);
}

/** One head of `[1, H, T, T]`, each row up to the token itself. */
function patternOf(
  { shape, data }: { readonly shape: readonly number[]; readonly data: Float32Array },
  head: number,
): number[][] {
  const [, , rows, columns] = shape as [number, number, number, number];
  return Array.from({ length: rows }, (_, t) => {
    const start = (head * rows + t) * columns;
    return Array.from(data.subarray(start, start + t + 1));
  });
}
