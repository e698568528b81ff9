/**
 * The ablations and sweeps of the method, group by group.
 */
import {
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
    evidenceGroup(),
    poorEvidenceGroup(seedShare),
    projectionGroup([
      { name: 'bottlenecks', label: 'bottlenecks', set: {} },
      { name: 'plain', label: 'plain encoders (MCLEA)', set: plain },
    ]),
    scaleGroup(sizes),
  ];
  return groups.filter(({ cells }) => cells.length > 0);
}
