import { createRandom, resolveConfig, sha256 } from '@lab/core';
import { type Config, weakProbeConfig } from '../config.js';
import { assertState, type StateStore } from '../state-store.js';

/** What {@link memoryStore} makes. */
export interface MemoryStoreOptions {
  /** Rows of each class. */
  readonly counts?: readonly number[];
  readonly classes?: readonly string[];
  readonly width?: number;
  /** How far apart the classes' means are at each state, in deviations; 0 is no difference. */
  readonly distances?: readonly number[];
  readonly seed?: number;
  /** What texts begin with; stores of the same have their texts in common. */
  readonly texts?: string;
}

/** States in memory whose classes lie as far apart as asked for, along one direction. */
export function memoryStore({
  counts = [40, 40],
  classes = ['normal', 'harmful', 'jailbreak'].slice(0, counts.length),
  width = 12,
  distances = [0, 1, 8],
  seed = 1,
  texts = 'prompt',
}: MemoryStoreOptions = {}): StateStore {
  const labels = Int32Array.from(
    counts.flatMap((count, label) => Array.from({ length: count }, () => label)),
  );
  const rowCount = labels.length;
  const states = distances.map((distance, state) => {
    const random = createRandom(seed).fork(`state/${state}`);
    const values = random.fillNormal(new Float32Array(rowCount * width));
    labels.forEach((label, row) => {
      values[row * width + label]! += distance;
    });
    return values;
  });
  const rows = Array.from(labels, (label, row) => ({
    ...{ id: `${classes[label]}/${row}`, label: classes[label]!, tokens: 5 },
    promptSha256: sha256(`${texts} ${row}`),
  }));
  return {
    about: {
      schemaVersion: 1,
      model: { path: 'memory', fingerprint: 'f'.repeat(64), modelType: 'llama', layerCount: 2 },
      tokenizerFingerprint: 't'.repeat(64),
      ...{ format: 'direct', system: '', normalisation: 'none', site: 'residual' },
      ...{ positions: 'last', isNormed: false, stateCount: states.length, width, rowCount },
      ...{ classes, promptsSha256: sha256(`${seed}`) },
    },
    ...{ stateCount: states.length, width, rowCount, rows, labels },
    readState: async (state) => {
      assertState(state, states.length);
      return states[state]!.slice();
    },
    close: async () => undefined,
  };
}

/** The settings, with some changed. */
export const settings = (...set: string[]): Config =>
  resolveConfig(weakProbeConfig, { set }).config;
