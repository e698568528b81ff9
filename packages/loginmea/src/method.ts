/**
 * LoginMEA as a method of `@lab/alignment`.
 */
import type { AlignmentMethod, SectionInput } from '@lab/alignment';
import type { Section } from '@lab/report';
import { type LoginmeaConfig, loginmeaConfig } from './config.js';
import type { LoginmeaEncoding } from './encoding.js';
import type { LoginmeaEpochRecord } from './epoch-record.js';
import { ablationGroups } from './experiment-groups.js';
import { coverageFigure, lossFigures, weightFigures, weightHistogram } from './figures.js';
import { type BlockwiseLearner, createBlockwiseLearner } from './blockwise-learner.js';
import { createLearner, type LoginmeaLearner } from './learner.js';
import { expectedMemory, layoutOf } from './memory-estimate.js';
import { version } from './version.js';

/** The method, for the shared parts. */
export const loginmea: AlignmentMethod<LoginmeaConfig, LoginmeaLearner | BlockwiseLearner> = {
  name: 'loginmea',
  title: 'LoginMEA',
  packageName: '@lab/loginmea',
  version,
  config: loginmeaConfig,
  demoSettings: ['training.epochs=12', 'model.size=100', 'evaluation.every=4'],
  createLearner: (task, config, random) =>
    layoutOf(task, config) === 'blocks'
      ? createBlockwiseLearner(task, config, random)
      : createLearner(task, config, random),
  expectedMemory,
  settle: (task, config) => ({
    ...config,
    training: { ...config.training, layout: layoutOf(task, config) },
  }),
  sections,
  groups: ablationGroups,
};

/** Losses, and what the local interaction does. */
async function sections({
  epochs,
  state,
  encoding,
}: SectionInput<LoginmeaConfig>): Promise<Section[]> {
  const records = epochs as readonly LoginmeaEpochRecord[];
  const { model } = state.learner as LoginmeaLearner | BlockwiseLearner;
  const findings = (await (encoding as Partial<LoginmeaEncoding> | null)?.findings?.()) ?? null;
  const { images } = state.task.data;
  const groups = [
    { heading: 'Losses', figures: epochs.length === 0 ? [] : lossFigures(records) },
    {
      heading: 'Local interaction',
      figures: [
        ...weightFigures(records, model.modalities),
        ...weightHistogram(model.modalities, findings),
        ...coverageFigure(model.modalities, findings, images),
      ],
    },
  ];
  return groups.filter(({ figures }) => figures.length > 0);
}
