// How well `check` foresees memory and time. A method's bench/prediction.ts calls
// `comparePrediction` with its sets:
//   node --conditions=@lab/source --import tsx packages/METHOD/bench/prediction.ts [SET ...]
// Each set is foreseen in one process and trained in another: twenty epochs and one evaluation.
// Prints one JSON line, and fails where a prediction is more than 30 % off.
import { createRandom } from '@lab/core';
import { splitLinks, syntheticPair } from '@lab/graph';
import { memoryReport, resetAllocationRecord, selectBackend } from '@lab/tensor';
import {
  type AlignmentConfig,
  type AlignmentMethod,
  type AlignmentTask,
  exampleSource,
  expectedTime,
  readTask,
  settingsOf,
  train,
} from '../../src/index.js';
// @boundaries-ignore a process of its own for each part, as in the tests
import { runProcess } from '@lab/core/testing';
import { fullData } from '../quality/quality-set.js';

/** Epochs that are foreseen and trained, with one evaluation at their end. */
const EPOCHS = 20;
/** How far a prediction may be off. */
const MOST_OFF = 0.3;

/** A pair of graphs by its name. */
export type PredictionSet = 'en-fr-3k' | 'en-fr-15k' | 'fb15k64-db15k' | 'synthetic-100k';

interface Parts {
  readonly method: AlignmentMethod;
  readonly sets: readonly PredictionSet[];
  /** The script that calls, to be run again for one part. */
  readonly script: string;
}

async function taskOf(name: PredictionSet, config: AlignmentConfig): Promise<AlignmentTask> {
  if (name === 'synthetic-100k') {
    const random = createRandom(1).fork('scale');
    const data = syntheticPair({ entities: 100_000, random, deletedShare: 0.2 });
    return { data, split: await splitLinks(data, { share: 0.3 }) };
  }
  if (name === 'en-fr-3k') return readTask(exampleSource('en-fr-3k'), config);
  const path = { 'en-fr-15k': 'srprs15k/en_fr_15k_V1', 'fb15k64-db15k': 'mmkb/fb15k_db15k' }[name];
  return readTask(fullData(path), config);
}

/** One part of one set, as a line of JSON. */
async function partOf(method: AlignmentMethod, part: string, name: PredictionSet): Promise<void> {
  await selectBackend('wasm');
  const epochs = EPOCHS;
  const settings = { 'evaluation.every': epochs, 'evaluation.baseline': false };
  const preset = name === 'fb15k64-db15k' ? 'fb15k-db15k' : 'dbp15k';
  const resolved = settingsOf(method, { preset, seed: 1, epochs, settings });
  const task = await taskOf(name, resolved.config);
  if (part === 'foreseen') {
    const { tensorBytes } = method.expectedMemory(task, resolved.config);
    const began = performance.now();
    const { trainingSeconds } = await expectedTime(method, task, { config: resolved.config });
    const calibrationSeconds = (performance.now() - began) / 1000;
    console.log(
      JSON.stringify({ bytes: tensorBytes, seconds: trainingSeconds, calibrationSeconds }),
    );
    return;
  }
  resetAllocationRecord();
  const seconds: number[] = [];
  const { state } = await train(method, {
    data: task,
    config: resolved,
    onProgress: (progress) => {
      if (progress.stage === 'epoch') seconds.push(progress.seconds);
    },
  });
  state.dispose();
  const { peakHeapBytes } = memoryReport();
  const total = seconds.reduce((sum, value) => sum + value, 0);
  console.log(JSON.stringify({ bytes: peakHeapBytes, seconds: total }));
}

/** All sets, or those that the command line names. */
export async function comparePrediction({ method, sets, script }: Parts): Promise<void> {
  const [first, second] = process.argv.slice(2);
  if (first === 'foreseen' || first === 'measured') {
    await partOf(method, first, second as PredictionSet);
    return;
  }
  const asked = process.argv.slice(2) as PredictionSet[];
  const rows: Record<string, unknown>[] = [];
  for (const name of asked.length > 0 ? asked : sets) {
    const part = async (which: string) => {
      const args = ['--conditions=@lab/source', '--import', 'tsx', script, which, name];
      const { code, stdout, stderr } = await runProcess(process.execPath, args);
      if (code !== 0) throw new Error(`${name}, ${which}: ${stderr}`);
      return JSON.parse(stdout.trim().split('\n').at(-1)!) as { bytes: number; seconds: number };
    };
    const [foreseen, measured] = [await part('foreseen'), await part('measured')];
    const ratio = (key: 'bytes' | 'seconds') => Number((foreseen[key] / measured[key]).toFixed(3));
    const row = { name, foreseen, measured, memory: ratio('bytes'), time: ratio('seconds') };
    console.error(JSON.stringify(row));
    rows.push(row);
  }
  console.log(JSON.stringify(rows));
  const isOff = (ratio: unknown) => Math.abs(Number(ratio) - 1) > MOST_OFF;
  if (rows.some(({ memory, time }) => isOff(memory) || isOff(time))) process.exitCode = 1;
}
