/**
 * What safety heads are compared with: other ways to find heads, and changes that are no heads.
 *
 * Zero and mean masking of heads are ablations (`{ kind: 'zero' }`, `{ kind: 'mean' }`).
 */
import { removeSafetyRanks } from './baselines/act-svd.js';
import { contrastNeurons, topNeurons } from './baselines/contrast-neurons.js';
import { patchedResponses } from './baselines/patched-generation.js';
import { probeHeads } from './baselines/probe-heads.js';
import { pruneByWanda, pruneSetDifference } from './baselines/prune.js';
import { randomHeads } from './baselines/random-heads.js';
import { refusalDirection, refusalLogits } from './baselines/refusal-direction.js';
import { responseRows } from './baselines/response-rows.js';
import { layerRunArms, skippedLayers } from './baselines/skipped-layers.js';
import { snipScores } from './baselines/snip.js';
import { pruneBySparseGpt } from './baselines/sparse-gpt.js';

/** The baselines by their names. */
export const baselines = {
  contrastNeurons,
  layerRunArms,
  patchedResponses,
  probeHeads,
  pruneBySparseGpt,
  pruneByWanda,
  pruneSetDifference,
  randomHeads,
  refusalDirection,
  refusalLogits,
  removeSafetyRanks,
  responseRows,
  skippedLayers,
  snipScores,
  topNeurons,
} as const;
