/**
 * IBMEA as a method of `@lab/alignment`.
 */
import type { AlignmentMethod, SectionInput } from '@lab/alignment';
import type { Section } from '@lab/report';
import { type IbmeaConfig, ibmeaConfig } from './config.js';
import type { IbmeaEncoding } from './encoding.js';
import type { IbmeaEpochRecord } from './epoch-record.js';
import { ablationGroups } from './experiment/groups.js';
import { lossFigures, modelFigures } from './figures.js';
import { imageDeviationFigure, imageDeviations } from './image-deviations.js';
import { createLearner, type IbmeaLearner } from './learner.js';
import { expectedMemory } from './memory-estimate.js';
import { version } from './version.js';

/** The method, for the shared parts. */
export const ibmea: AlignmentMethod<IbmeaConfig, IbmeaLearner> = {
  name: 'ibmea',
  title: 'IBMEA',
  packageName: '@lab/ibmea',
  version,
  config: ibmeaConfig,
  // With the defaults' dropout little is left to learn from in graphs that small, and after some 30
  // epochs the model only forgets what the seeds alone say.
  demoSettings: [
    'training.epochs=24',
    'training.warmup=10',
    'training.horizon=24',
    'training.learningRate=0.02',
    'model.dropout=0.1',
    'model.graphSize=100',
    'evaluation.every=6',
  ],
  createLearner,
  expectedMemory,
  sections,
  groups: ablationGroups,
};

/** Losses, and what bottlenecks and fusion do. */
async function sections({
  epochs,
  config,
  state,
  encoding,
}: SectionInput<IbmeaConfig>): Promise<Section[]> {
  const records = epochs as readonly IbmeaEpochRecord[];
  const { posteriors } = (encoding as IbmeaEncoding | null) ?? { posteriors: {} };
  const { model } = state.learner as IbmeaLearner;
  const images = imageDeviationFigure(await imageDeviations(state.task, model, posteriors));
  const groups = [
    { heading: 'Losses', figures: epochs.length === 0 ? [] : lossFigures(records, config.config) },
    {
      heading: 'Bottlenecks and fusion',
      figures: [...modelFigures(records), ...(images === null ? [] : [images])],
    },
  ];
  return groups.filter(({ figures }) => figures.length > 0);
}
