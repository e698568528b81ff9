/**
 * What the method loses without each of its parts.
 */
import { type AblationGroup, type Modality, modalityWords } from '@lab/alignment';
import { plain } from './rivals.js';

/** Betas of every modality at once. */
const allBetas = (value: number) => ({
  'loss.graphBeta': value,
  'loss.imageBeta': value,
  'loss.relationBeta': value,
  'loss.attributeBeta': value,
});

/** Pseudo seeds every four epochs: the schedule of the presets accepts none in a short run. */
const earlyPseudoSeeds = {
  'pseudoSeeds.enabled': true,
  'pseudoSeeds.start': 2,
  'pseudoSeeds.every': 1,
  'pseudoSeeds.accept': 4,
};

/** Both modes, with and without pseudo seeds. */
export function mainGroup(): AblationGroup {
  return {
    name: 'main',
    title: 'Modes, with and without pseudo seeds',
    caption:
      'Mode corrected beside the released behaviour. Pseudo seeds are proposed in every epoch ' +
      'from the third on and accepted in every fourth; the presets start at epoch 20.',
    cells: ['corrected', 'official'].flatMap((mode) => [
      { id: `main/${mode}`, label: mode, set: { mode } },
      {
        id: `main/${mode}-pseudo-seeds`,
        label: `${mode}, pseudo seeds`,
        set: { mode, ...earlyPseudoSeeds },
      },
    ]),
  };
}

/** Every bottleneck left out, and the terms beside them. */
export function regulariserGroup(present: readonly Modality[]): AblationGroup {
  return {
    name: 'regularisers',
    title: 'Without each bottleneck',
    caption: 'A bar as long as the first says that the bottleneck brings nothing on clean data.',
    cells: [
      { id: 'regularisers/all', label: 'all bottlenecks', set: {} },
      ...present.map((modality) => ({
        id: `regularisers/without-${modality}`,
        label: `without that of the ${modalityWords[modality]}`,
        set: { 'model.bottlenecks': present.filter((other) => other !== modality) },
      })),
      { id: 'regularisers/none', label: 'none: plain encoders', set: plain },
      { id: 'regularisers/beta-zero', label: 'samples without KL terms', set: allBetas(0) },
      {
        id: 'regularisers/joint',
        label: 'bottleneck on the fused vectors too',
        set: { 'model.jointBottleneck': true },
      },
      {
        id: 'regularisers/no-hybrid',
        label: 'without hybrid loss',
        set: { 'loss.hybrid': 'none' },
      },
    ],
  };
}

/** Losses and fusions of the fused vectors. */
export function hybridGroup(): AblationGroup {
  const cell = (hybrid: string, label: string, weight?: number) => ({
    id: `hybrid/${hybrid}`,
    label,
    set: {
      'loss.hybrid': hybrid,
      ...(weight === undefined ? {} : { 'loss.hybridWeight': weight }),
    },
  });
  return {
    name: 'hybrid',
    title: 'Loss of the fused vectors',
    caption: 'Multi-similarity as published, or one of the contrastive losses in its place.',
    cells: [
      cell('multi-similarity', 'multi-similarity'),
      cell('infonce', 'InfoNCE', 1),
      cell('icl', 'intra-modal contrastive (MCLEA)', 1),
      {
        id: 'hybrid/attention-fusion',
        label: 'multi-similarity, fusion by attention',
        set: { 'model.fusion': 'attention' },
      },
      {
        id: 'hybrid/variance-fusion',
        label: 'multi-similarity, fusion by variance',
        set: { 'model.fusion': 'variance' },
      },
    ],
  };
}

/** Graph encoders. */
export function encoderGroup(): AblationGroup {
  return {
    name: 'encoder',
    title: 'Structure encoder',
    caption: 'Graph attention as published, or a plain graph convolution.',
    cells: [
      { id: 'encoder/gat', label: 'graph attention', set: {} },
      {
        id: 'encoder/gat-full',
        label: 'graph attention, full matrices',
        set: { 'model.attention': 'full' },
      },
      {
        id: 'encoder/gat-normalised',
        label: 'graph attention, instance normalisation',
        set: { 'model.instanceNorm': true },
      },
      { id: 'encoder/gcn', label: 'graph convolution', set: { 'model.structureEncoder': 'gcn' } },
    ],
  };
}
