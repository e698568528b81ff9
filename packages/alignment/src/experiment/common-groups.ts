/**
 * Groups that every method can have: its modalities, one setting at several values, its cost.
 */
import type { Modality } from '../config-fields.js';
import { type AblationCell, type AblationGroup, modalityWords } from './cell.js';

/** Each modality left out, and each alone. */
export function modalityGroup(present: readonly Modality[]): AblationGroup {
  return {
    name: 'modalities',
    title: 'Modalities',
    caption: 'Each modality left out, and each alone.',
    cells: [
      { id: 'modalities/all', label: 'all', set: { 'data.modalities': present } },
      ...present.map((modality) => ({
        id: `modalities/without-${modality}`,
        label: `without ${modalityWords[modality]}`,
        set: { 'data.modalities': present.filter((other) => other !== modality) },
      })),
      ...present.map((modality) => ({
        id: `modalities/only-${modality}`,
        label: `${modalityWords[modality]} only`,
        set: { 'data.modalities': [modality] },
      })),
    ],
  };
}

/** One setting at several values, the curve `H@1`. */
export function settingSweep(
  name: string,
  path: string,
  values: readonly number[],
): readonly AblationCell[] {
  return values.map((value) => ({
    id: `${name}/${value}`,
    label: `${path.split('.').at(-1)} ${value}`,
    set: { [path]: value },
    x: value,
    series: 'H@1',
  }));
}

/** Time and memory of an epoch on made-up pairs. */
export function scaleGroup(sizes: readonly number[] = [1000, 2000, 4000, 8000]): AblationGroup {
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

/** One training of {@link projectionGroup}. */
export interface ProjectedTraining {
  readonly name: string;
  readonly label: string;
  readonly set: AblationCell['set'];
}

/** Trainings whose vectors are laid out in the plane. */
export function projectionGroup(trainings: readonly ProjectedTraining[]): AblationGroup {
  return {
    name: 'projection',
    title: 'Vectors of test pairs in the plane',
    caption:
      'Unit vectors by t-SNE, the true pairs joined: a short line is a pair that the vectors ' +
      'bring together, a bundle of long ones a part in which the graphs lie apart.',
    cells: trainings.map(({ name, label, set }) => ({
      id: `projection/${name}`,
      label,
      set,
      isProjected: true,
    })),
  };
}
