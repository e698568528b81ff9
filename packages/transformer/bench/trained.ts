// Trains every small checkpoint of the goldens for five steps, all weights and adapters, writes it,
// and compares its logits with those that transformers gives for what was written:
//   node --conditions=@lab/source --import tsx bench/trained.ts
// Needs python3 with torch and transformers. Prints one JSON line, and fails from 1e-4 on.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { selectBackend } from '@lab/tensor';
import { loadModel, loadT5, trainModel, trainT5, type TrainModelOptions } from '../src/index.js';

const MOST = 1e-4;
const checkpoints = join(import.meta.dirname, '../test/golden/checkpoints');
const random = createRandom(1);
const draw = (length: number) => Array.from({ length }, () => 3 + random.integer(90));
const tunings = ['full', 'low-rank'] as const;

async function trained(name: string, kind: (typeof tunings)[number], folder: string) {
  const options: TrainModelOptions = {
    ...{ tuning: { kind }, data: { heldOut: 0 } },
    training: { steps: 5, batchSize: 4, learningRate: 0.01 },
  };
  const from = join(checkpoints, name);
  const ids = [draw(11), draw(11)];
  if (!name.startsWith('t5')) {
    const examples = Array.from({ length: 20 }, () => ({ ids: draw(12) }));
    const done = await trainModel(from, examples, options);
    await done.save(folder);
    done.dispose();
    const model = await loadModel(folder);
    const result = await model.forward({ ids });
    writeLogits(folder, { ids }, await result.logits!.data<'float32'>());
    result.dispose();
    model.dispose();
    return;
  }
  const examples = Array.from({ length: 20 }, () => ({ ids: draw(9), answerIds: draw(5) }));
  const done = await trainT5(from, examples, options);
  await done.save(folder);
  done.dispose();
  const model = await loadT5(folder);
  const decoderIds = [
    [0, ...draw(4)],
    [0, ...draw(4)],
  ];
  const result = await model.forward({ ids, decoderIds });
  writeLogits(folder, { ids, decoderIds }, await result.logits.data<'float32'>());
  result.dispose();
  model.dispose();
}

function writeLogits(folder: string, inputs: object, logits: Float32Array): void {
  const content = Object.assign({}, inputs, { logits: Array.from(logits) });
  writeFileSync(join(folder, 'logits.json'), JSON.stringify(content));
}

const parent = mkdtempSync(join(tmpdir(), 'lab-trained-'));
try {
  await selectBackend('wasm');
  const folders: string[] = [];
  for (const name of readdirSync(checkpoints)) {
    for (const kind of tunings) {
      const folder = join(parent, `${name}-${kind}`);
      await trained(name, kind, folder);
      folders.push(folder);
    }
  }
  const script = join(import.meta.dirname, 'trained.py');
  const python = spawnSync('python3', [script, ...folders], { encoding: 'utf8' });
  if (python.status !== 0) throw new Error(`trained.py failed: ${python.stderr.slice(-800)}`);
  const found = JSON.parse(python.stdout.trim().split('\n').at(-1)!) as Record<string, number>;
  const farthest = Math.max(...Object.values(found));
  console.log(JSON.stringify({ models: folders.length, farthest, found }));
  if (!(farthest < MOST)) process.exitCode = 1;
} finally {
  rmSync(parent, { recursive: true });
}
