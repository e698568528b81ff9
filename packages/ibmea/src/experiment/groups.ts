/**
 * The ablations and sweeps of the method, group by group.
 */
import {
  type AblationGroup,
  type GroupInput,
  imageGroups,
  lowResourceGroup,
  modalityGroup,
  noiseGroup,
  noiseModalityGroup,
  scaleGroup,
} from '@lab/alignment';
import { encoderGroup, hybridGroup, mainGroup, regulariserGroup } from './ablations.js';
import { fusionRivals, plain, rivals } from './rivals.js';
import { fusionGroup } from './robustness.js';
import { betaGroup, hybridWeightGroup, multiSimilarityGroup, temperatureGroup } from './sweeps.js';

/** All groups for data that have these modalities. */
export function ablationGroups({ present, seedShare, sizes }: GroupInput): AblationGroup[] {
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
    lowResourceGroup(seedShare, rivals),
    noiseGroup(present, rivals),
    ...imageGroups(present, rivals),
    noiseModalityGroup([...rivals, fusionRivals[1]]),
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
