// Random tiny checkpoints of every family, logits and hidden states beside those of transformers:
//   node --conditions=@lab/source --import tsx bench/differential.ts [COUNT] [SEED]
// COUNT (60) checkpoints of each family from SEED (1) on, as save_pretrained writes them and as
// older files are: types, shards, names, padding; in a third of them a field of config.json is
// another. Either both give the same numbers, within 1e-4 or five times what float32 costs
// transformers itself, or we refuse and name the field. Needs python3 with torch and transformers
// 5.18. Prints one JSON line.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArrayRecord, readSafetensors } from '@lab/tensor/io';
import { hiddenStates, type IdRows, loadModel, loadT5 } from '../src/index.js';

const TOLERANCE = 1e-4;
const NOISES = 5;

const [count, seed] = [Number(process.argv[2] ?? 60), Number(process.argv[3] ?? 1)];

interface Case {
  readonly ids: number[][];
  readonly mask: number[][];
  readonly decoderIds?: number[][];
  /** Of config.json, that has another value; null for none. */
  readonly field: string | null;
  /** What transformers says instead of numbers. */
  readonly refusal: string | null;
}

interface Tally {
  same: number;
  /** With an error of ours that names the field. */
  refused: number;
  /** Without numbers of transformers. */
  refusedThere: number;
  /** Beyond the tolerance, but not beyond what float32 costs transformers. */
  illConditioned: number;
  /** Largest difference of those that are the same. */
  farthest: number;
}

function python(args: readonly string[]): unknown {
  const script = join(import.meta.dirname, 'differential.py');
  const ran = spawnSync('python3', [script, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (ran.status !== 0) throw new Error(`differential.py failed: ${ran.stderr.slice(-800)}`);
  return JSON.parse(ran.stdout.trim().split('\n').at(-1)!);
}

type States = Record<string, ArrayLike<number>>;

async function decoderStates(folder: string, { ids, mask }: Case): Promise<States> {
  const model = await loadModel(folder);
  const states: States = {};
  const all = hiddenStates(model, [{ ids, mask }], { logits: true });
  for await (const { layer, data, logits } of all) {
    states[`hidden.${layer}`] = data;
    if (logits !== undefined) states['logits'] = logits.data;
  }
  model.dispose();
  return states;
}

async function t5States(folder: string, given: Case, decoderIds: IdRows): Promise<States> {
  const model = await loadT5(folder);
  const capture = /hook_resid_pre$|final_ln.hook_normalized$/;
  const result = await model.forward({ ids: given.ids, mask: given.mask, decoderIds, capture });
  const states: States = { logits: (await result.logits.data()) as Float32Array };
  const { encoderLayerCount, decoderLayerCount } = model.architecture;
  const sides = { encoder: ['encoder', encoderLayerCount], hidden: ['decoder', decoderLayerCount] };
  for (const [key, [side, layers]] of Object.entries(sides)) {
    for (let layer = 0; layer <= Number(layers); layer += 1) {
      const place = layer === layers ? 'final_ln.hook_normalized' : `${layer}.hook_resid_pre`;
      states[`${key}.${layer}`] = result.captured.get(`${side}.${place}`)!.data;
    }
  }
  result.dispose();
  model.dispose();
  return states;
}

/** Largest difference over the tokens that count. */
function distance(found: States, wanted: Readonly<Record<string, ArrayRecord>>, given: Case) {
  let most = 0;
  for (const [name, { data, shape }] of Object.entries(wanted)) {
    const own = found[name];
    if (own?.length !== data.length) throw new Error(`${name} has another size`);
    const hasMask = given.decoderIds === undefined || name.startsWith('encoder');
    const mask = given.mask.flat();
    for (let at = 0; at < data.length; at += 1) {
      if (hasMask && mask[Math.floor(at / shape.at(-1)!)] === 0) continue;
      const off = Math.abs(own[at]! - Number(data[at]));
      most = Math.max(most, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off);
    }
  }
  return most;
}

/** Whether a refusal says why: the field by its name, or the weights that are not as it says. */
const isNamed = (message: string, field: string | null) =>
  field !== null && (message.includes(field) || message.includes('weights do not fit'));

/** What is wrong with a checkpoint, or null. */
async function judged(folder: string, tally: Tally): Promise<string | null> {
  const given = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case;
  const { decoderIds, field, refusal } = given;
  if (refusal !== null) {
    tally.refusedThere += 1;
    return field === null ? `transformers refuses: ${refusal}` : null;
  }
  let found: States;
  try {
    found =
      decoderIds === undefined
        ? await decoderStates(folder, given)
        : await t5States(folder, given, decoderIds);
  } catch (error) {
    const { message } = error as Error;
    tally.refused += 1;
    return isNamed(message, field) ? null : `${field ?? 'no field'}: ${message}`;
  }
  const { noise, ...wanted } = (await readSafetensors(join(folder, 'golden.bin'))).tensors;
  const off = distance(found, wanted, given);
  if (off > TOLERANCE) {
    if (off > NOISES * Number(noise!.data[0])) return `${field ?? 'no field'}: differs by ${off}`;
    tally.illConditioned += 1;
    return null;
  }
  tally.same += 1;
  tally.farthest = Math.max(tally.farthest, off);
  return null;
}

const root = mkdtempSync(join(tmpdir(), 'lab-differential-'));
const families: Record<string, Tally> = {};
const wrong: string[] = [];
try {
  for (const family of python(['families']) as string[]) {
    const tally = { same: 0, refused: 0, refusedThere: 0, illConditioned: 0, farthest: 0 };
    families[family] = tally;
    for (const name of python([root, family, String(seed), String(count)]) as string[]) {
      const folder = join(root, name);
      const said = await judged(folder, tally);
      if (said !== null) wrong.push(`${name}: ${said.replaceAll(folder, '')}`);
      rmSync(folder, { recursive: true });
    }
    process.stderr.write(`${family} ${JSON.stringify(tally)}\n`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
const status = wrong.length === 0 ? 'success' : 'failed';
console.log(JSON.stringify({ status, count, seed, families, wrong: wrong.slice(0, 20) }));
if (wrong.length > 0) process.exitCode = 1;
