/**
 * The ablations and sweeps of the method, group by group.
 */
import {
  type AblationCell,
  type AblationGroup,
  evidenceGroup,
  type GroupInput,
  imageGroups,
  lowResourceGroup,
  modalityGroup,
  noiseGroup,
  noiseModalityGroup,
  poorEvidenceGroup,
  projectionGroup,
  type Rival,
  scaleGroup,
  settingSweep,
} from '@lab/alignment';

const structureOnly = { 'data.modalities': ['graph'] };

/** Settings that are compared where data are few or faulty. */
const rivals: readonly Rival[] = [
  { series: 'weights per entity', set: {} },
  { series: 'equal weights', set: { 'model.modalityWeights': 'uniform' } },
  { series: 'structure only', set: structureOnly },
];

/** All groups for data that have these modalities. */
export function ablationGroups({ present, seedShare, sizes }: GroupInput): AblationGroup[] {
  const groups = [
    mainGroup(),
    partsGroup(),
    modalityGroup(present),
    propagationGroup(),
    lossGroup(),
    ...sweepGroups(),
    lowResourceGroup(seedShare, rivals),
    noiseGroup(present, rivals),
    ...imageGroups(present, rivals),
    noiseModalityGroup(rivals),
    evidenceGroup(),
    poorEvidenceGroup(seedShare),
    projectionGroup([
      { name: 'loginmea', label: 'LoginMEA', set: {} },
      { name: 'structure', label: 'structure only', set: structureOnly },
    ]),
    scaleGroup(sizes),
  ];
  return groups.filter(({ cells }) => cells.length > 0);
}

/** Cells of one group, by name within it. */
const cellsOf = (group: string) => (name: string, label: string, set: AblationCell['set']) => ({
  id: `${group}/${name}`,
  label,
  set,
});

/** Pseudo seeds every four epochs: the schedule of the presets accepts none in a short run. */
const earlyPseudoSeeds = {
  'pseudoSeeds.enabled': true,
  'pseudoSeeds.start': 8,
  'pseudoSeeds.every': 1,
  'pseudoSeeds.accept': 4,
};

/** Both modes and learning rates, with and without pseudo seeds, and the optimiser's resets. */
function mainGroup(): AblationGroup {
  const cell = cellsOf('main');
  return {
    name: 'main',
    title: 'Modes, with and without pseudo seeds',
    caption:
      'The released script has a tenth of the learning rate of the supplement. Pseudo seeds are ' +
      'proposed in every epoch from the ninth on and accepted in every fourth; the presets start ' +
      'at epoch 50.',
    cells: [
      cell('corrected', 'corrected', { mode: 'corrected' }),
      cell('official', 'official', { mode: 'official' }),
      ...['once', 'every-epoch', 'never'].map((reset) =>
        cell(`pseudo-seeds-${reset}`, `corrected, pseudo seeds, optimiser reset ${reset}`, {
          mode: 'corrected',
          ...earlyPseudoSeeds,
          'training.optimizerReset': reset,
        }),
      ),
    ],
  };
}

/** What the method loses without each of its parts. */
function partsGroup(): AblationGroup {
  const cell = cellsOf('parts');
  return {
    name: 'parts',
    title: 'Without each part',
    caption: 'A bar as long as the first says that the part brings nothing on these data.',
    cells: [
      cell('all', 'all parts', {}),
      cell('uniform', 'equal weights of the modalities', { 'model.modalityWeights': 'uniform' }),
      cell('sum', 'weighted sum in place of low-rank fusion', { 'model.fusion': 'sum' }),
      cell('concatenation', 'concatenation and one layer in its place', {
        'model.fusion': 'concatenation',
      }),
      cell('early-only', 'early feature alone, nothing passed on', {
        'model.fusion': 'early-only',
      }),
      cell('unit', 'low-rank fusion that starts near 1', { 'model.fusionStart': 'unit' }),
      cell('layer-norm', 'layer norm after the fusion', { 'model.fusionOutput': 'layer-norm' }),
      cell('softmax', 'soft-max after the fusion', { 'model.fusionOutput': 'softmax' }),
      cell('structure', 'without joint encoder: structure only', structureOnly),
      cell('joint', 'without structure encoder', {
        'data.modalities': ['image', 'attribute', 'relation'],
      }),
      cell('proxies', 'with 64 proxies (Dual-AMN)', { 'model.proxies': 64 }),
    ],
  };
}

/** Ways to pass vectors on. */
function propagationGroup(): AblationGroup {
  const cell = cellsOf('propagation');
  return {
    name: 'propagation',
    title: 'How vectors pass from entity to entity',
    caption: 'Reflection along relations as published, or what others use.',
    cells: [
      cell('reflection', 'reflection', {}),
      cell('one', 'reflection, first relation of a pair alone', { 'model.relationSets': 'one' }),
      cell('gat', 'relation attention without reflection', { 'model.propagation': 'gat' }),
      cell('gcn', 'graph convolution', { 'model.propagation': 'gcn' }),
      cell('mean', 'mean of the neighbours', { 'model.propagation': 'mean' }),
    ],
  };
}

/** Losses of related methods. */
function lossGroup(): AblationGroup {
  const cell = cellsOf('loss');
  return {
    name: 'loss',
    title: 'Loss of the seed pairs',
    caption: 'InfoNCE in one direction as published, or the losses of related methods.',
    cells: [
      cell('infonce', 'InfoNCE, one direction', {}),
      cell('both', 'InfoNCE, both directions', { 'loss.direction': 'both' }),
      cell('icl', 'intra-modal contrastive (MCLEA)', { 'loss.kind': 'icl' }),
      cell('hard-sample', 'hard samples (Dual-AMN)', { 'loss.kind': 'hard-sample' }),
      cell('margin', 'margin (RREA)', { 'loss.kind': 'margin' }),
    ],
  };
}

/** Rank, layers, width and temperature. */
function sweepGroups(): AblationGroup[] {
  const group = (
    name: string,
    title: string,
    axis: NonNullable<AblationGroup['axis']>,
    values: readonly number[],
  ): AblationGroup => ({
    name,
    title,
    caption: 'One setting is changed, the others keep their default.',
    axis,
    cells: settingSweep(
      name,
      name === 'temperature' ? 'loss.temperature' : `model.${name}`,
      values,
    ),
  });
  return [
    group('rank', 'Rank of the fusion', { label: 'K', isLog: true }, [2, 4, 8, 16, 32]),
    group('layers', 'Layers', { label: 'L' }, [1, 2, 3, 4]),
    group('size', 'Width of the vectors', { label: 'd' }, [100, 200, 300, 400]),
    group('temperature', 'Temperature of InfoNCE', { label: 'tau' }, [0.05, 0.1, 0.2, 0.3]),
  ];
}
