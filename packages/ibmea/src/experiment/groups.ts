/**
 * The ablations and sweeps of the method, group by group.
 */
import type { Modality } from '../config.js';
import {
  encoderGroup,
  hybridGroup,
  mainGroup,
  modalityGroup,
  regulariserGroup,
} from './ablations.js';
import { type AblationGroup, plain } from './cell.js';
import {
  fusionGroup,
  imageGroups,
  lowResourceGroup,
  noiseGroup,
  noiseModalityGroup,
} from './robustness.js';
import { betaGroup, hybridWeightGroup, multiSimilarityGroup, temperatureGroup } from './sweeps.js';

/**
 * All groups for data that have these modalities.
 *
 * @param present - modalities of the data; groups that need another are left out.
 * @param seedShare - share of the links that are seeds: the most that "few seeds" can start from.
 * @param sizes - entities a side of the made-up pairs on which an epoch is timed.
 */
export function ablationGroups(
  present: readonly Modality[],
  seedShare = 0.3,
  sizes: readonly number[] = [1000, 2000, 4000, 8000],
): AblationGroup[] {
  const groups = [
    mainGroup(),
    regulariserGroup(present),
    hybridGroup(),
    modalityGroup(present),
    encoderGroup(),
    betaGroup(present),
    temperatureGroup(),
    hybridWeightGroup(),
    multiSimilarityGroup(),
    lowResourceGroup(seedShare),
    noiseGroup(present),
    ...imageGroups(present),
    noiseModalityGroup(),
    fusionGroup(),
    projectionGroup(),
    scaleGroup(sizes),
  ];
  return groups.filter(({ cells }) => cells.length > 0);
}

/** Two trainings whose vectors are laid out in the plane. */
function projectionGroup(): AblationGroup {
  return {
    name: 'projection',
    title: 'Vectors of test pairs in the plane',
    caption:
      'Unit vectors by t-SNE, the true pairs joined: a short line is a pair that the vectors ' +
      'bring together, a bundle of long ones a part in which the graphs lie apart.',
    cells: [
      { id: 'projection/bottlenecks', label: 'bottlenecks', set: {}, isProjected: true },
      { id: 'projection/plain', label: 'plain encoders (MCLEA)', set: plain, isProjected: true },
    ],
  };
}

/** Time and memory of an epoch on made-up pairs. */
function scaleGroup(sizes: readonly number[]): AblationGroup {
  return {
    name: 'scale',
    title: 'Cost against size',
    caption:
      'Synthetic pairs, 30 % seeds, entities of both graphs; the first epoch, which also ' +
      'prepares, is left out. Times hold for the machine that measured them.',
    axis: { label: 'entities', hasZero: true },
    cells: sizes.map((entities) => ({
      id: `scale/${entities}`,
      label: `${entities} entities a side`,
      set: {},
      x: 2 * entities,
      series: 'epoch',
      syntheticEntities: entities,
    })),
  };
}
