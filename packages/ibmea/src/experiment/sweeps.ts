/**
 * How much the weights of the loss matter.
 */
import { type AblationGroup, type Modality, settingSweep } from '@lab/alignment';

/** Zero stands left of the smallest positive value on a logarithmic axis. */
const BETAS = [0, 1e-4, 1e-3, 1e-2, 1e-1];

/** Beta of one modality at a time. */
export function betaGroup(present: readonly Modality[]): AblationGroup {
  return {
    name: 'beta',
    title: 'Bottleneck weight per modality',
    caption: 'One weight is changed, the others keep their default; 0 is drawn at 0.00001.',
    axis: { label: 'beta', isLog: true },
    cells: present.flatMap((modality) =>
      BETAS.map((beta) => ({
        id: `beta/${modality}-${beta}`,
        label: `${modality} beta ${beta}`,
        set: { [`loss.${modality}Beta`]: beta },
        x: beta === 0 ? 1e-5 : beta,
        series: modality,
      })),
    ),
  };
}

/** Temperature of InfoNCE. */
export function temperatureGroup(): AblationGroup {
  return {
    name: 'temperature',
    title: 'Temperature of InfoNCE',
    caption: 'The released code uses 400 on FB15K, where InfoNCE is flat.',
    axis: { label: 'tau', isLog: true },
    cells: settingSweep('temperature', 'loss.temperature', [0.05, 0.1, 0.2, 1, 400]),
  };
}

/** Weight of the hybrid loss. */
export function hybridWeightGroup(): AblationGroup {
  return {
    name: 'hybrid-weight',
    title: 'Weight of the hybrid loss',
    caption: 'w_J of the total loss.',
    axis: { label: 'w_J' },
    cells: settingSweep('hybrid-weight', 'loss.hybridWeight', [0.5, 1, 3, 5, 10]),
  };
}

/** Alpha and beta of the multi-similarity loss. */
export function multiSimilarityGroup(): AblationGroup {
  return {
    name: 'multi-similarity',
    title: 'Alpha and beta of the multi-similarity loss',
    caption: 'Alpha weighs the positive pair, beta sharpens the choice of negatives.',
    axis: { label: 'value', isLog: true },
    cells: [
      ...[0.1, 1, 5, 20].map((alpha) => ({
        id: `multi-similarity/alpha-${alpha}`,
        label: `alpha ${alpha}`,
        set: { 'loss.alpha': alpha },
        x: alpha,
        series: 'alpha',
      })),
      ...[10, 40, 80].map((beta) => ({
        id: `multi-similarity/beta-${beta}`,
        label: `beta ${beta}`,
        set: { 'loss.beta': beta },
        x: beta,
        series: 'beta',
      })),
    ],
  };
}
