/**
 * A small method for the tests of the shared parts: a trainable table, smoothed over neighbours,
 * beside projected features.
 */
import { linePlot, type Section } from '@lab/report';
import type { AlignmentTask } from '../data.js';
import { epochAxis, series } from '../epoch-series.js';
import type { AblationGroup, Rival } from '../experiment/cell.js';
import { modalityGroup, scaleGroup, settingSweep } from '../experiment/common-groups.js';
import {
  imageGroups,
  lowResourceGroup,
  noiseGroup,
  noiseModalityGroup,
} from '../experiment/fault-groups.js';
import { memoryExpectation } from '../memory-expectation.js';
import type { AlignmentMethod, GroupInput, SectionInput } from '../method.js';
import { type TableConfig, tableConfig } from './table-config.js';
import { createTableLearner, type TableLearner } from './table-learner.js';

/** The method as the shared parts take it. */
export const tableMethod: AlignmentMethod<TableConfig, TableLearner> = {
  name: 'table',
  title: 'Table',
  packageName: '@lab/table',
  version: '1.2.3',
  config: tableConfig,
  demoSettings: ['training.epochs=6', 'evaluation.every=3'],
  createLearner: createTableLearner,
  expectedMemory: (task, config) => memoryExpectation(tensorBytes(task, config), 'kept'),
  sections,
  groups,
};

/** Parameters with moments and gradients, in floats of four bytes. */
function tensorBytes({ data }: AlignmentTask, { model }: TableConfig): number {
  return 1e6 + 4 * data.entityCount * (4 * model.tableSize + 9 * model.featureSize);
}

/** The loss over the epochs. */
async function sections({ epochs }: SectionInput<TableConfig>): Promise<Section[]> {
  if (epochs.length === 0) return [];
  const lines = [series('loss', epochs, ({ loss }) => loss)];
  const figure = linePlot({ title: 'Loss', x: epochAxis, y: { label: 'nats' }, series: lines });
  return [{ heading: 'Table', figures: [{ figure, caption: 'InfoNCE of the seed pairs.' }] }];
}

const rivals: readonly Rival[] = [
  { series: 'narrow', set: {} },
  { series: 'wide', set: { 'model.tableSize': 20 } },
];

/** Groups of this method, and one of every kind that all methods can have. */
function groups({ present, seedShare, sizes }: GroupInput): AblationGroup[] {
  const found = [
    modeGroup(),
    temperatureGroup(),
    modalityGroup(present),
    lowResourceGroup(seedShare, rivals),
    noiseGroup(present, rivals),
    ...imageGroups(present, rivals),
    noiseModalityGroup(rivals),
    projectionGroup(),
    scaleGroup(sizes),
  ];
  return found.filter(({ cells }) => cells.length > 0);
}

function modeGroup(): AblationGroup {
  return {
    name: 'modes',
    title: 'Modes',
    caption: 'Mode official has more noise.',
    cells: ['corrected', 'official'].map((mode) => ({
      id: `modes/${mode}`,
      label: mode,
      set: { mode },
    })),
  };
}

function temperatureGroup(): AblationGroup {
  return {
    name: 'temperature',
    title: 'Temperature of InfoNCE',
    caption: 'What divides the similarities.',
    axis: { label: 'tau', isLog: true },
    cells: settingSweep('temperature', 'loss.temperature', [0.05, 0.1, 0.2, 1, 400]),
  };
}

function projectionGroup(): AblationGroup {
  return {
    name: 'projection',
    title: 'Vectors in the plane',
    caption: 'Unit vectors by t-SNE.',
    cells: [
      { id: 'projection/plain', label: 'plain', set: {}, isProjected: true },
      { id: 'projection/wide', label: 'wide', set: rivals[1]!.set, isProjected: true },
    ],
  };
}
