// Prints what the evidence of an evaluation holds, and what was foreseen: node --expose-gc.
import { createRandom } from '@lab/core';
import { selectBackend } from '@lab/tensor';
import { smallConfig, smallData, smallTask, smallTraining } from '../../__fixtures__/small-task.js';
import { evaluateModel } from '../../evaluate.js';
import { expectedEvidenceBytes } from '../evidence-memory.js';

/** Bytes of arrays and objects that are in use while `work` looks at its signal, at most. */
async function heldBy(work: (signal: AbortSignal) => Promise<unknown>): Promise<number> {
  const collect = (globalThis as unknown as { gc(): void }).gc;
  const used = () => {
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return arrayBuffers + heapUsed;
  };
  // What was needed to get here is given back in the background: until no more comes.
  let before = Number.POSITIVE_INFINITY;
  for (let rounds = 0; rounds < 20; rounds += 1) {
    collect();
    await new Promise(setImmediate);
    if (used() > before - 2 ** 16) break;
    before = used();
  }
  let most = before;
  const throwIfAborted = () => {
    if (used() <= most + 2 ** 20) return; // a collection takes its time
    collect(); // what is still there is held
    most = Math.max(most, used());
  };
  await work({ aborted: false, throwIfAborted } as AbortSignal);
  return most - before;
}

await selectBackend('wasm');
const task = await smallTask(smallData(700));
const config = smallConfig({ 'evaluation.scores': 'evidence', 'evaluation.candidates': 'all' });
const state = smallTraining(task, config);
const pairs = task.split.test;
const held = await heldBy((signal) =>
  evaluateModel(state, { pairs, random: createRandom(1), signal }),
);
const { tableSize, featureSize } = config.model;
const widths = [featureSize, featureSize, tableSize, 2 * featureSize + tableSize];
console.log(JSON.stringify({ held, foreseen: expectedEvidenceBytes(task, config, widths) }));
