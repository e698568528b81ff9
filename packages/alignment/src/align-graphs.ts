/**
 * The library call `align`: two graphs in, pairs of names out.
 */
import { checkOptions, type OptionFields, optionFields } from '@lab/core';
import type { OwnGraphFiles } from '@lab/graph';
import { z } from 'zod';
import { alignEntities, alignFields, type AlignOptions } from './align.js';
import { candidateTable } from './candidate-table.js';
import { fittedConfidence } from './conclude.js';
import type { AlignmentConfig } from './config-fields.js';
import type { ConfidenceQuality, PairEvidence } from './confidence.js';
import { ownGraphFields } from './data.js';
import type { Learner } from './learner.js';
import type { AlignmentMethod } from './method.js';
import {
  type CallOptions,
  type SettingOptions,
  settingFields,
  watchFields,
} from './training-options.js';
import { settingsOf, train } from './training-run.js';

/** Options of `align`. */
export interface AlignGraphsOptions<
  C extends AlignmentConfig = AlignmentConfig,
  P extends string = string,
> extends Omit<OwnGraphFiles, 'duplicateTriples' | 'onDefect'>,
    AlignOptions,
    SettingOptions<C, P>,
    Omit<CallOptions, 'signal'> {
  /** `auto:names` when there are no known links: equal names become seeds. */
  readonly seedsFile?: string | undefined;
}

const alignGraphsSchema = z.strictObject({
  ...settingFields,
  ...watchFields,
  ...alignFields,
  ...ownGraphFields,
  seedsFile: optionFields.path.optional(),
} satisfies OptionFields<AlignGraphsOptions>);

/** A proposed pair by the names of its entities. */
export interface NamedPair extends PairEvidence {
  readonly source: string;
  readonly target: string;
  /** Probability that the pair is right, 0..1; null when nothing was there to calibrate on. */
  readonly confidence: number | null;
}

/** Pairs, surest first. */
export interface AlignedGraphs {
  readonly pairs: readonly NamedPair[];
  /** Entities of the source graph for which a counterpart was looked for. */
  readonly sources: number;
  /** Where the seeds came from; automatic ones are named as such. */
  readonly seedOrigin: string;
  /** How far confidences can be trusted; null without held-out pairs. */
  readonly confidence: ConfidenceQuality | null;
}

/**
 * The pairs of two graphs: trains with preset `own` (unless told otherwise) and matches.
 *
 * @throws {ConfigError} for options that are unknown or not of their kind, before any work.
 * @throws {DataError} for the first defect of the files.
 */
export async function alignGraphs<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  options: AlignGraphsOptions<C>,
): Promise<AlignedGraphs> {
  checkOptions(`${method.name}/align`, options, alignGraphsSchema);
  const { source, target, links, sourceAttributes, targetAttributes } = options;
  const { sourceImages, targetImages, seedsFile } = options;
  const { matching, minConfidence, signal, onProgress, logger, now } = options;
  const images = { sourceImages, targetImages };
  const own = { source, target, links, sourceAttributes, targetAttributes, ...images };
  const preset = options.config === undefined ? (options.preset ?? 'own') : options.preset;
  const config = settingsOf(method, { ...options, preset });
  const data = { own, seedsFile };
  const { state, task } = await train(method, { data, config, signal, onProgress, logger, now });
  try {
    const table = await candidateTable(state, { signal });
    const confidence = fittedConfidence(state, table);
    const names = task.data.entityNames;
    const wish = { matching, minConfidence };
    const pairs = alignEntities(table, confidence?.model ?? null, wish).map((pair) => ({
      ...pair,
      source: names[pair.source]!,
      target: names[pair.target]!,
    }));
    return {
      pairs,
      sources: table.sources.length,
      seedOrigin: task.split.origin,
      confidence: confidence?.quality ?? null,
    };
  } finally {
    state.dispose();
  }
}
