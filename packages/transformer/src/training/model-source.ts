/**
 * Where a model that is to be trained comes from: a checkpoint, or a config with random weights.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelError, type Random } from '@lab/core';
import { ConfigFields } from '../config-fields.js';
import { classDefaults } from '../families/class-defaults.js';
import type { FamilyModel } from '../families/family.js';
import { wrappedConfig } from '../families/wrapper.js';
import { configOf, modelOf, readModelConfig } from '../model-config.js';
import { t5Architecture } from '../t5/load-t5.js';
import type { T5Architecture } from '../t5/t5-config.js';
import { expectedT5 } from '../t5/t5-weights.js';
import { loadTokenizer, type Tokenizer } from '../tokenizer.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import { type Checkpoint, openCheckpoint } from '../weights/checkpoint.js';
import { weightList } from '../weights/expected-weights.js';
import { realFields } from '../config-text.js';
import { initialDecoder, initialT5 } from './initial-weights.js';
import { trainableDecoder } from './trainable-decoder.js';
import type { TrainableModel } from './trainable-model.js';
import { trainableT5 } from './trainable-t5.js';
import type { Tuning } from './tuning.js';

/** A model that begins from nothing. */
export interface NewModel {
  /** Content of config.json, or a folder with one. */
  readonly config: Readonly<Record<string, unknown>> | string;
  /** Folder with tokenizer.json; default that of the config, where it has one. */
  readonly tokenizer?: string | undefined;
}

/** A model that is to be trained. */
export interface ModelSource {
  /** Content of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Fields of the config whose numbers have a point in its file. */
  readonly realFields: ReadonlySet<string>;
  readonly kind: 'decoder' | 't5';
  readonly vocabularySize: number;
  /** Tokens of a text that the model was made for; null where no end is known. */
  readonly contextTokens: number | null;
  /** Places of learned positions, which no text can go beyond; null where there are none. */
  readonly placeCount: number | null;
  /** Folder with the files of the tokenizer; null for none. */
  readonly tokenizerFolder: string | null;
  readonly tokenizer: Tokenizer | null;
  /**
   * Brings the weights onto the backend.
   *
   * @param random - of weights that are drawn.
   */
  load(tuning: Tuning, random: Random): Promise<TrainableModel>;
}

/**
 * A folder of a checkpoint, or a config with random weights.
 *
 * @throws {ModelError} for a folder or config that cannot be used.
 */
export function openSource(source: NewModel | string): ModelSource {
  return typeof source === 'string' ? ofCheckpoint(source) : ofNothing(source);
}

type Described =
  | { readonly kind: 'decoder'; readonly family: FamilyModel }
  | { readonly kind: 't5'; readonly architecture: T5Architecture };

function sizesOf(model: Described) {
  if (model.kind === 't5') {
    const { vocabularySize } = model.architecture;
    return { kind: model.kind, vocabularySize, contextTokens: null, placeCount: null };
  }
  const { vocabularySize, contextTokens, positions } = model.family.architecture;
  const placeCount = positions.kind === 'learned' ? positions.count : null;
  return { kind: model.kind, vocabularySize, contextTokens, placeCount };
}

interface Beginning {
  readonly checkpoint: Checkpoint;
  readonly tuning: Tuning;
  readonly random: Random;
}

const trainableOf = (model: Described, beginning: Beginning): Promise<TrainableModel> =>
  model.kind === 't5'
    ? trainableT5({ architecture: model.architecture, ...beginning })
    : trainableDecoder({ family: model.family, ...beginning });

function ofCheckpoint(path: string): ModelSource {
  const folder = checkpointFolder(path);
  const { values, fields, file } = configOf(folder);
  const model: Described =
    values['model_type'] === 't5'
      ? { kind: 't5', architecture: t5Architecture(fields) }
      : { kind: 'decoder', family: readModelConfig(folder) };
  return {
    ...sizesOf(model),
    ...tokenizerOf(folder),
    config: wrappedConfig(values, file)?.values ?? values,
    realFields: realFieldsOf(folder),
    load: async (tuning, random) => {
      const checkpoint = openCheckpoint(folder);
      return trainableOf(model, { checkpoint, tuning, random }).finally(() => checkpoint.close());
    },
  };
}

function ofNothing({ config: given, tokenizer }: NewModel): ModelSource {
  const folder = typeof given === 'string' ? given : null;
  const config = typeof given === 'string' ? configOf(given).values : given;
  const file = folder === null ? 'the config' : join(folder, 'config.json');
  const model: Described =
    config['model_type'] === 't5'
      ? { kind: 't5', architecture: newT5(config, file) }
      : { kind: 'decoder', family: modelOf(config, file) };
  return {
    ...sizesOf(model),
    ...tokenizerOf(tokenizer ?? folder),
    ...{ config, realFields: realFieldsOf(folder) },
    load: (tuning, random) => {
      const drawn = { config, random: random.fork('weights') };
      const checkpoint =
        model.kind === 't5'
          ? initialT5(model.architecture, shapesOfT5(model.architecture, config), drawn)
          : initialDecoder(model.family, weightList(model.family).expected, drawn);
      return trainableOf(model, { checkpoint, tuning, random });
    },
  };
}

const newT5 = (config: Readonly<Record<string, unknown>>, file: string): T5Architecture =>
  t5Architecture(new ConfigFields(config, file, { defaults: classDefaults('t5') }));

/** Shapes of a new T5: with an output of its own where its config says so. */
function shapesOfT5(architecture: T5Architecture, config: Readonly<Record<string, unknown>>) {
  const shapes = expectedT5(architecture);
  const { vocabularySize, width } = architecture;
  if (config['tie_word_embeddings'] === false) {
    shapes.set('lm_head.weight', [vocabularySize, width]);
  }
  return shapes;
}

function realFieldsOf(folder: string | null): Set<string> {
  const file = folder === null ? '' : join(folder, 'config.json');
  return existsSync(file) ? realFields(readFileSync(file, 'utf8')) : new Set();
}

function tokenizerOf(folder: string | null): Pick<ModelSource, 'tokenizer' | 'tokenizerFolder'> {
  if (folder === null) return { tokenizer: null, tokenizerFolder: null };
  if (!existsSync(folder)) {
    throw new ModelError(`${folder}: there is no such folder.`, {
      help: 'Name a folder with config.json and tokenizer.json.',
    });
  }
  const hasOne = folder.endsWith('.gguf') || existsSync(join(folder, 'tokenizer.json'));
  if (!hasOne) return { tokenizer: null, tokenizerFolder: null };
  return { tokenizer: loadTokenizer(folder), tokenizerFolder: folder };
}
