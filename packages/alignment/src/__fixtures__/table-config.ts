import type { ConfigDefinition } from '@lab/core';
import { z } from 'zod';
import {
  dataFields,
  evaluationFields,
  pseudoSeedFields,
  seedField,
  trainingFields,
} from '../config-fields.js';

const size = (value: number, text: string) =>
  z.int().min(1).max(4096).default(value).describe(text);

const schema = z.strictObject({
  seed: seedField,
  data: z
    .strictObject(
      dataFields({ relationScaling: 'log1p', releasedScaling: 'there is no released code' }),
    )
    .prefault({}),
  model: z
    .strictObject({
      tableSize: size(12, 'width of the row that every entity has of its own'),
      featureSize: size(6, 'width of the projected features of a modality'),
      noise: z
        .number()
        .min(0)
        .max(1)
        .default(0.02)
        .describe('deviation of the noise on rows that are embedded with a stream'),
    })
    .prefault({}),
  loss: z
    .strictObject({
      temperature: z.number().gt(0).default(0.1).describe('divides the similarities'),
    })
    .prefault({}),
  training: z
    .strictObject(
      trainingFields({
        epochs: 10,
        batchSize: 7500,
        learningRate: 0.02,
        rateText: 'learning rate at the start',
      }),
    )
    .prefault({}),
  pseudoSeeds: z.strictObject(pseudoSeedFields({ start: 4 })).prefault({}),
  evaluation: z.strictObject(evaluationFields()).prefault({}),
});

/** Settings of the table method. */
export type TableConfig = z.infer<typeof schema>;

const fewSeeds = { data: { seedShare: 0.2 }, training: { epochs: 20 } };

/** Schema, modes and presets: mode `official` differs in data and in noise. */
export const tableConfig: ConfigDefinition<TableConfig> = {
  name: 'table',
  schema,
  modes: ['corrected', 'official'],
  defaultMode: 'corrected',
  modeValues: {
    corrected: {},
    official: {
      data: { duplicateTriples: 'keep', padColumns: true, relationScaling: 'none' },
      model: { noise: 0.05 },
    },
  },
  presets: {
    dbp15k: { description: 'a share of the links as seeds', values: { data: { seedShare: 0.3 } } },
    'fb15k-db15k': { description: 'fewer seeds, more epochs', values: fewSeeds },
    own: {
      description: 'all links as seeds, a fifth of them validates',
      values: {
        data: { seedShare: 1, validationShare: 0.2 },
        training: { epochs: 30 },
        evaluation: { candidates: 'all', every: 20, select: 'validation' },
      },
    },
  },
  defaultPreset: 'dbp15k',
};
