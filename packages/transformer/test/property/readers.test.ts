import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer, readModelConfig } from '../../src/index.js';
import { openCheckpoint } from '../../src/weights/checkpoint.js';
import { matchWeights, weightList } from '../../src/weights/expected-weights.js';

const golden = join(import.meta.dirname, '../golden');
const models = readdirSync(join(golden, 'checkpoints')).filter((name) => !name.startsWith('t5'));

/** Values that readers of sizes, lists and names may stumble over. */
const strange = fc.constantFrom<unknown>(
  ...[null, true, false, '', 'x', [], {}, [1], [[]], { a: 1 }],
  ...[0, -1, 0.5, 1, 3, 7, 1e3, 1e6, 1e9, 2 ** 31, 2 ** 53, 1e300, -1e300],
);
const edit = fc.record({
  at: fc.noBias(fc.nat(9999)).map((at) => at / 10_000),
  kind: fc.constantFrom('change', 'remove', 'rename'),
  value: strange,
});
const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

/** All objects and lists of a value, from outside inwards, at most 2,000. */
function containers(value: unknown, found: object[] = []): object[] {
  if (typeof value !== 'object' || value === null || found.length > 2000) return found;
  found.push(value);
  for (const inner of Object.values(value)) containers(inner, found);
  return found;
}

/** One place of a value changed, taken away or renamed. */
function apply(value: unknown, { at, kind, value: other }: Edit): void {
  const places = containers(value).flatMap((one) =>
    Object.keys(one)
      .slice(0, 50)
      .map((key) => ({ one: one as Record<string, unknown>, key })),
  );
  const place = places[Math.floor(at * places.length)];
  if (place === undefined) return;
  const { one, key } = place;
  if (kind === 'change') one[key] = other;
  else if (Array.isArray(one)) one.splice(Number(key), 1);
  else {
    if (kind === 'rename') one[`${key}_`] = one[key];
    delete one[key];
  }
}

function changed(text: string, list: readonly Edit[]): string {
  const value: unknown = JSON.parse(text);
  for (const one of list) apply(value, one);
  return JSON.stringify(value);
}

/** What a reader does is right, or an error of ours with help. */
function reads(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(LabError);
    expect((error as LabError).help ?? '').not.toBe('');
  }
}

describe('damaged files', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder();
    for (const name of models) {
      cpSync(join(golden, 'checkpoints', name), join(folder, name), { recursive: true });
    }
    cpSync(join(golden, 'tokenizers'), join(folder, 'tokenizers'), { recursive: true });
  });

  it('config.json is read, or refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...models), edits, (name, list) => {
        const text = readFileSync(join(golden, 'checkpoints', name, 'config.json'), 'utf8');
        const own = join(folder, name);
        writeFileSync(join(own, 'config.json'), changed(text, list));
        reads(() => {
          const model = readModelConfig(own);
          const checkpoint = openCheckpoint(own);
          try {
            matchWeights(weightList(model), checkpoint);
          } finally {
            checkpoint.close();
          }
        });
      }),
      { numRuns: 2000 },
    );
  }, 60_000);

  it('the index of shards is read, or refused', () => {
    const own = join(folder, 'gpt2');
    const index = join(own, 'model.safetensors.index.json');
    const weight = { 'transformer.wte.weight': 'model.safetensors' };
    const text = JSON.stringify({ metadata: { total_size: 1 }, weight_map: weight });
    fc.assert(
      fc.property(edits, (list) => {
        writeFileSync(index, changed(text, list));
        reads(() => openCheckpoint(own).close());
      }),
      { numRuns: 2000 },
    );
  }, 60_000);

  it('tokenizer.json and its config are read, or refused', () => {
    const names = readdirSync(join(golden, 'tokenizers'), { withFileTypes: true })
      .filter((one) => one.isDirectory())
      .map((one) => one.name);
    const file = fc.constantFrom('tokenizer.json', 'tokenizer_config.json');
    fc.assert(
      fc.property(fc.constantFrom(...names), file, edits, (name, which, list) => {
        const original = join(golden, 'tokenizers', name, which);
        const own = join(folder, 'tokenizers', name);
        writeFileSync(join(own, which), changed(readFileSync(original, 'utf8'), list));
        reads(() => loadTokenizer(own));
        cpSync(original, join(own, which));
      }),
      { numRuns: 500 },
    );
  }, 60_000);
});
