/**
 * The control that takes the meaning out of the labels.
 */
import { createRandom } from '@lab/core';
import { predictRows } from './probe-predictions.js';
import { accuracyOf } from './probe-scores.js';
import { fitProbe, type ProbeKind, type ProbeSettings, type TrainingRows } from './probes.js';
import type { Split } from './split.js';

/** What labels drawn at random are learnt like. */
export interface RandomLabels {
  /** On test rows, whose labels were drawn as well: chance, unless rows leak. */
  readonly accuracy: number;
  /** On training rows: 1 where the probe can learn any labels by heart. */
  readonly trainAccuracy: number;
}

/** Whose labels are shuffled. */
export interface RandomLabelOptions {
  readonly split: Split;
  readonly settings: ProbeSettings;
  /** Each state has a draw of its own. */
  readonly state: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Steps of the machine's solver: labels without meaning take long to fit exactly, and are as well
 * fitted as they will be long before.
 */
const MOST_STEPS = 50_000;

/**
 * The probes of a split once more, on labels that were shuffled among the training rows and among
 * the test rows; `mlp` is left out, as it would take as long again.
 *
 * Source: Hewitt & Liang, "Designing and interpreting probes with control tasks" (2019).
 */
export async function randomLabelScores(
  rows: TrainingRows,
  { split, settings, state, signal }: RandomLabelOptions,
): Promise<Map<ProbeKind, RandomLabels>> {
  const random = createRandom(settings.seed).fork(`random-labels/${state}`);
  const labels = Int32Array.from(rows.samples.labels);
  for (const part of [split.train, split.test]) {
    const own = random.shuffle(Int32Array.from(part, (row) => rows.samples.labels[row]!));
    for (const [at, row] of part.entries()) labels[row] = own[at]!;
  }
  const samples = { ...rows.samples, labels };
  const shuffled: TrainingRows = {
    ...rows,
    samples,
    scaled: () => ({ ...rows.scaled(), labels }),
  };
  const found = new Map<ProbeKind, RandomLabels>();
  for (const kind of settings.probe.kinds) {
    if (kind === 'mlp') continue;
    const probe = await fitProbe(kind, shuffled, {
      ...{ settings, signal, maxIterations: MOST_STEPS },
    });
    found.set(kind, {
      accuracy: accuracyOf(predictRows(probe, split.test, samples)),
      trainAccuracy: accuracyOf(predictRows(probe, split.train, samples)),
    });
  }
  return found;
}
