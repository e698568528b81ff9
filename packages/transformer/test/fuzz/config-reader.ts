/**
 * Changed config.json files of every family.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../../src/architecture.js';
import { configOf, readModelConfig } from '../../src/model-config.js';
import { rotaryAngles } from '../../src/rotary-frequencies.js';
import { relativeBucket } from '../../src/t5/relative-positions.js';
import { readT5 } from '../../src/t5/t5-config.js';
import { matchT5 } from '../../src/t5/t5-weights.js';
import { type Checkpoint, openCheckpoint } from '../../src/weights/checkpoint.js';
import { matchWeights, weightList } from '../../src/weights/expected-weights.js';
import { changedBytes } from './change-bytes.js';
import { changedJson, oneOf } from './change-json.js';
import { claim, type FuzzedReader, golden, jsonOf } from './fuzzed-reader.js';

const FILE = 'config.json';
const checkpoints = join(golden, 'checkpoints');

interface Original {
  readonly text: string;
  readonly weights: Checkpoint['weights'];
}

const originals = new Map<string, Original>();

const isCount = (value: number) => Number.isSafeInteger(value) && value > 0;

/** Fields of config.json that a size is read from, by families. */
const SOURCES = {
  layerCount: ['num_hidden_layers', 'n_layer'],
  vocabularySize: ['vocab_size'],
  width: ['hidden_size', 'n_embd'],
  headCount: ['num_attention_heads', 'n_head'],
} as const;

/** Every number of an architecture must be one to compute with, and that of the file. */
function checkArchitecture(architecture: Architecture, fields: Readonly<Record<string, unknown>>) {
  const { headCount, keyValueHeadCount, headWidth, width, mlpWidth, blocks } = architecture;
  const sizes = { headCount, keyValueHeadCount, headWidth, width, mlpWidth };
  for (const [name, size] of Object.entries(sizes)) claim(isCount(size), () => `${name} ${size}`);
  for (const [name, keys] of Object.entries(SOURCES)) {
    const own = architecture[name as keyof typeof SOURCES];
    const given = keys.map((key) => fields[key]).filter((one) => typeof one === 'number');
    const isGiven = given.length === 0 || given.includes(own);
    claim(isCount(own) && isGiven, () => `${name} ${own} of ${given.join(' or ')}`);
  }
  claim(headCount % keyValueHeadCount === 0, () => 'heads of keys');
  claim(architecture.norm.epsilon >= 0, () => 'epsilon');
  for (const cap of [architecture.scoreCap, architecture.logitCap]) {
    claim(cap === null || cap > 0, () => `cap ${cap}`);
  }
  const { positions } = architecture;
  claim(positions.kind !== 'learned' || isCount(positions.count), () => 'positions');
  claim(blocks.length === architecture.layerCount, () => 'blocks');
  for (const { window, rotary, scoreScale } of blocks.slice(0, 8)) {
    claim(window === null || isCount(window), () => `window ${window}`);
    claim(Number.isFinite(scoreScale) && scoreScale > 0, () => `score scale ${scoreScale}`);
    if (rotary === null) continue;
    claim(isCount(rotary.width / 2) && rotary.width <= headWidth, () => `turning ${rotary.width}`);
    if (rotary.width > 4096) continue;
    for (const length of [1, 1000]) {
      const { inverseFrequencies: angles, attentionFactor } = rotaryAngles(rotary, length);
      claim(angles.length === rotary.width / 2, () => 'count of angles');
      claim(angles.every(Number.isFinite), () => `angles ${angles.join()}`);
      claim(Number.isFinite(attentionFactor), () => `attention factor ${attentionFactor}`);
    }
  }
}

function checkT5(folder: string, weights: Checkpoint['weights']): void {
  const { fields } = configOf(folder);
  const architecture = readT5(fields);
  fields.assertAllRead();
  const { startId, outputScale, norm, ...others } = architecture;
  for (const [name, size] of Object.entries(others)) {
    claim(typeof size !== 'number' || isCount(size), () => `${name} ${String(size)}`);
  }
  claim(Number.isSafeInteger(startId) && startId >= 0, () => `start ${startId}`);
  claim(startId < architecture.vocabularySize, () => `start ${startId}`);
  claim(Number.isFinite(outputScale) && norm.epsilon >= 0, () => 'scale and epsilon');
  const { bucketCount, maxDistance } = architecture;
  for (const distance of [0, 1, -1, 5, -7, 60, -60, 1000, -1000]) {
    for (const isBidirectional of [true, false]) {
      const bucket = relativeBucket(distance, { bucketCount, maxDistance, isBidirectional });
      const isRow = Number.isSafeInteger(bucket) && bucket >= 0 && bucket < bucketCount;
      claim(isRow, () => `bucket ${bucket} of ${bucketCount}`);
    }
  }
  matchT5(architecture, { folder, weights } as Checkpoint);
}

/** config.json of all families, alone and inside of a model for pictures and texts. */
export const configReader: FuzzedReader = {
  setUp: async (folder) => {
    originals.clear();
    for (const name of readdirSync(checkpoints)) {
      const files = openCheckpoint(join(checkpoints, name));
      const { weights } = files;
      files.close();
      const text = readFileSync(join(checkpoints, name, FILE), 'utf8');
      originals.set(name, { text, weights });
      mkdirSync(join(folder, name), { recursive: true });
    }
  },
  change: (random, kind) => {
    const base = oneOf(random, [...originals.keys()]);
    const { text: own } = originals.get(base)!;
    const isInner = random.uniform() < 0.1 && !base.startsWith('t5');
    const text = isInner ? `{"model_type": "llava", "text_config": ${own}}` : own;
    const bytes =
      kind === 'structure'
        ? Buffer.from(changedJson(random, text))
        : changedBytes(random, Buffer.from(text), 0);
    return { base, name: FILE, bytes };
  },
  check: async (folder, { base, bytes }) => {
    const { weights } = originals.get(base)!;
    if (base.startsWith('t5')) {
      checkT5(folder, weights);
      return;
    }
    const model = readModelConfig(folder);
    const whole = jsonOf(bytes);
    const inner = (whole['text_config'] ?? whole) as Record<string, unknown>;
    checkArchitecture(model.architecture, inner);
    matchWeights(weightList(model), { folder, weights });
  },
};
