import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import {
  type ArrayRecord,
  readSafetensors,
  type WritableArray,
  writeSafetensors,
} from '@lab/tensor/io';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel, loadT5 } from '../../src/index.js';
import { T5Model } from '../../src/t5/t5-model.js';
import { drawnNumbers, farthest, idRows, spreadOf } from './golden-files.js';

/** How the values of a weight are drawn, and its shape. */
type Rule = readonly [seed: number, centre: number, spread: number, ...shape: number[]];

interface Variant {
  /** Fields of config.json; those that are null are taken out. */
  readonly change: Readonly<Record<string, unknown>>;
  readonly absent: readonly string[];
  readonly weights: Readonly<Record<string, Rule>>;
}

interface Family {
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: Readonly<Record<string, Rule>>;
  readonly variants: Readonly<Record<string, Variant>>;
}

const root = import.meta.dirname;
const families = JSON.parse(readFileSync(join(root, 'variants.json'), 'utf8')) as Record<
  string,
  Family
>;

/** Switches that say what holds anyway. */
const IDLE = new Set(['window_none', 'window_off']);

let golden: Readonly<Record<string, ArrayRecord>>;
beforeAll(async () => {
  await selectBackend('wasm');
  golden = (await readSafetensors(join(root, 'variants.safetensors'))).tensors;
});

/** A checkpoint with a variant's config and weights. */
async function written(family: Family, { change, absent, weights }: Variant): Promise<string> {
  const folder = temporaryFolder();
  const config = Object.entries({ ...family.config, ...change }).filter(
    ([name, value]) => !(name in change) || value !== null,
  );
  writeFileSync(join(folder, 'config.json'), JSON.stringify(Object.fromEntries(config)));
  const arrays: Record<string, WritableArray> = {};
  for (const [name, [seed, centre, spread, ...shape]] of Object.entries({
    ...family.weights,
    ...weights,
  })) {
    if (absent.includes(name)) continue;
    arrays[name] = { shape, data: drawnNumbers({ seed, centre, spread }, shape) };
  }
  await writeSafetensors(join(folder, 'model.safetensors'), arrays);
  return folder;
}

interface Given {
  readonly ids: number[][];
  readonly mask: number[][];
  readonly decoderIds?: number[][];
}

async function logitsOf(folder: string, { decoderIds, ...texts }: Given): Promise<Float32Array> {
  const model = decoderIds === undefined ? await loadModel(folder) : await loadT5(folder);
  const result = await (model instanceof T5Model
    ? model.forward({ ...texts, decoderIds: decoderIds! })
    : model.forward(texts));
  const values = ((await result.logits!.data()) as Float32Array).slice();
  result.dispose();
  model.dispose();
  return values;
}

describe.each(Object.entries(families))('variants of %s', (name, family) => {
  const given = () => {
    const rows = (key: string) => idRows(golden[`${name}.${key}`]!);
    const own: Given = { ids: rows('ids'), mask: rows('mask') };
    return name === 't5' ? { ...own, decoderIds: rows('decoderIds') } : own;
  };
  const counted = ({ mask, decoderIds }: Given) =>
    decoderIds === undefined ? mask : decoderIds.map((row) => row.map(() => 1));
  const wanted = (variant: string) => golden[`${name}.${variant}`]!.data as Float32Array;
  const base: Variant = { change: {}, absent: [], weights: {} };

  it.each([['base', base] as const, ...Object.entries(family.variants)])(
    '%s gives the logits of transformers',
    async (variant, own) => {
      const input = given();
      const mask = counted(input);
      expect(spreadOf(wanted(variant), mask)).toBeGreaterThan(1);
      const found = await logitsOf(await written(family, own), input);
      expect(farthest(found, wanted(variant), mask)).toBeLessThan(1e-4);
      const moved = farthest(wanted(variant), wanted('base'), mask);
      if (variant === 'base' || IDLE.has(variant)) expect(moved).toBeLessThan(1e-4);
      else expect(moved).toBeGreaterThan(1e-2);
    },
  );
});
