/**
 * Interventions and hooks of a continuation, and what they mean for keys and values that are kept.
 */
import { checkOptions } from '@lab/core';
import { z } from 'zod';
import type { Architecture } from '../architecture.js';
import { placedHook } from '../hook-names.js';
import type { Hook } from '../hooks.js';
import { type Intervention, interventionHook } from '../interventions.js';
import { passFields } from '../pass-fields.js';

/** The hooks of a step. */
export interface StepHooks {
  readonly hooks: readonly Hook[];
  /** Of the changes: keys and values made under another name must be made again. */
  readonly name: string;
  /** Whether all tokens so far must be in one pass. */
  readonly isWhole: boolean;
}

/** What each step of a continuation changes. */
export interface StepChanges {
  at(step: number): StepHooks;
}

/** Changes of a continuation that has none. */
export const NO_CHANGES: StepChanges = {
  at: () => ({ hooks: [], name: '', isWhole: false }),
};

/** A change and its hook. */
interface PlacedChange {
  readonly hook: Hook;
  readonly steps: readonly number[] | undefined;
  readonly isWhole: boolean;
}

const changesSchema = z.strictObject({
  interventions: passFields.interventions,
  hooks: passFields.hooks,
});

/** The changes of one continuation. */
export class ChangedPasses implements StepChanges {
  private readonly changes: readonly PlacedChange[];
  private readonly hooks: readonly Hook[];

  /**
   * @throws {ConfigError} for a place, head or value that the model does not have, and what is no
   *   list of changes.
   */
  constructor(
    architecture: Architecture,
    {
      interventions = [],
      hooks = [],
    }: {
      readonly interventions?: readonly Intervention[] | undefined;
      readonly hooks?: readonly Hook[] | undefined;
    },
  ) {
    checkOptions('transformer/generate', { interventions, hooks }, changesSchema);
    this.changes = interventions.map((change) => {
      const hook = interventionHook(change, architecture);
      const isWhole = needsAllTokens(change, hook.names as string, architecture);
      return { hook, steps: change.steps, isWhole };
    });
    this.hooks = hooks.map((hook) => placedHook(hook, architecture));
  }

  at(step: number): StepHooks {
    const active = [...this.changes.entries()].filter(
      ([, { steps }]) => steps === undefined || steps.includes(step),
    );
    return {
      hooks: [...active.map(([, { hook }]) => hook), ...this.hooks],
      name: active.map(([at]) => at).join(),
      isWhole: active.some(([, { isWhole }]) => isWhole),
    };
  }
}

const SCORE_PLACE = /\.\d+\.attn\.hook_(?<scores>attn_scores_raw|attn_scores|pattern)$/;

/**
 * Whether a change of a token depends on tokens behind it, or on how many there are: it cannot be
 * made to new tokens alone.
 */
function needsAllTokens(
  { kind, value }: Intervention,
  place: string,
  { width, headWidth, mlpWidth, vocabularySize }: Architecture,
): boolean {
  const { scores } = SCORE_PLACE.exec(place)?.groups ?? {};
  if (kind === 'mean') return true;
  if (scores === undefined) {
    // A list for the last axis is the same for all tokens.
    const sizes = [1, width, headWidth, mlpWidth, vocabularySize];
    return typeof value === 'object' && !sizes.includes(value.length);
  }
  // Behind the mask, keys that are hidden have values, too.
  if (scores === 'attn_scores') return true;
  if (kind === 'scale' || kind === 'zero' || kind === 'uniform') return false;
  return scores === 'pattern' || typeof value !== 'number';
}
