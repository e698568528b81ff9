import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { transformerHere } from './transformer-process.js';

const checkpoints = join(import.meta.dirname, '../golden/checkpoints');
const checkpoint = (name: string) => join(checkpoints, name);

function fileOf(name: string, content: unknown): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function folderOf(name: string): string {
  const path = join(temporaryFolder(), name);
  mkdirSync(path);
  return path;
}

const OUT = ['--out', join(temporaryFolder(), 'states.safetensors')];
const NAMES = ['--names', 'blocks.0.hook_resid_post'];

/** The verbs on a checkpoint, each with what it cannot do without, but for its texts. */
const verbs = {
  inspect: (model: string) => ['inspect', model],
  validate: (model: string) => ['validate', model],
  hidden: (model: string) => ['hidden', model, ...OUT],
  cache: (model: string) => ['cache', model, ...OUT, ...NAMES],
  lens: (model: string) => ['lens', model],
} as const;

type Verb = keyof typeof verbs;
const all: readonly Verb[] = ['inspect', 'validate', 'hidden', 'cache', 'lens'];
const withIds: readonly Verb[] = ['hidden', 'cache', 'lens'];
const withWeights: readonly Verb[] = ['validate', ...withIds];

/** One mistake, made with every verb that it can be made with. */
interface Mistake {
  readonly what: string;
  readonly code: number;
  readonly verbs: readonly Verb[];
  /** Default gpt2. */
  readonly model?: () => string;
  readonly more?: (verb: Verb) => readonly string[];
}

const ids = (content: unknown) => () => ['--ids', fileOf('ids.json', content)];
const good = ids({ ids: [[5, 9]] });
const prompt = (verb: Verb) =>
  verb === 'lens' ? ['--prompt', 'a'] : ['--prompts', fileOf('prompts.txt', 'a')];
const changes = (content: unknown) => () => [
  ...good(),
  ...['--interventions', fileOf('changes.json', content)],
];
const withChanges: readonly Verb[] = ['cache', 'lens'];

/** gpt2 with a file gone, or another one. */
function spoilt(name: string, content?: string): string {
  const folder = join(temporaryFolder(), 'model');
  cpSync(checkpoint('gpt2'), folder, { recursive: true });
  if (content === undefined) rmSync(join(folder, name));
  else writeFileSync(join(folder, name), content);
  return folder;
}

const mistakes: readonly Mistake[] = [
  // 2: how the program is asked.
  { what: 'a flag that is not known', code: 2, verbs: all, more: () => ['--idz', 'a'] },
  { what: 'no texts', code: 2, verbs: withIds },
  {
    what: 'a budget that is no number',
    ...{ code: 2, verbs: withWeights, more: (verb) => [...textsFor(verb), '--budget', 'much'] },
  },
  {
    what: 'a budget that a block does not fit',
    ...{ code: 2, verbs: withWeights, more: (verb) => [...textsFor(verb), '--budget', '1KB'] },
  },
  {
    what: 'a layer that is not there',
    ...{ code: 2, verbs: withChanges, more: changes([{ kind: 'zero', site: 'z', layer: 9 }]) },
  },
  {
    what: 'a T5 where only decoders can be used',
    ...{ code: 2, verbs: ['hidden'], model: () => checkpoint('t5') },
    more: () => ['--plan', ...good()],
  },
  ...['-', 'new/', ''].map((out) => ({
    ...{ what: `no file in --out "${out}"`, code: 2, verbs: ['hidden' as const] },
    more: () => [...good(), '--out', out],
  })),
  // 3: what files hold.
  {
    what: 'a folder in the place of the output',
    ...{ code: 3, verbs: ['hidden', 'cache'] },
    more: () => [...good(), '--out', folderOf('a.safetensors')],
  },
  { what: 'no file of ids', code: 3, verbs: withIds, more: () => ['--ids', '/none.json'] },
  { what: 'a file of ids that is no JSON', code: 3, verbs: withIds, more: ids('{') },
  { what: 'an id that is not there', code: 3, verbs: withIds, more: ids({ ids: [[1000]] }) },
  { what: 'texts of two lengths', code: 3, verbs: withIds, more: ids({ ids: [[1, 2], [3]] }) },
  { what: 'a text without tokens', code: 3, verbs: withIds, more: ids({ ids: [[]] }) },
  {
    what: 'a mask of another number',
    ...{ code: 3, verbs: withIds, more: ids({ ids: [[1, 2]], mask: [[1, 2]] }) },
  },
  {
    what: 'a mask of another size',
    ...{ code: 3, verbs: withIds, more: ids({ ids: [[1, 2]], mask: [[1]] }) },
  },
  {
    what: 'a text that is too long',
    ...{ code: 3, verbs: withIds, more: ids({ ids: [Array.from({ length: 30 }, () => 1)] }) },
  },
  {
    what: 'decoderIds without an encoder',
    ...{ code: 3, verbs: withIds, more: ids({ ids: [[1]], decoderIds: [[0]] }) },
  },
  { what: 'changes that are no list', code: 3, verbs: withChanges, more: changes({}) },
  // 4: models.
  { what: 'no folder', code: 4, verbs: all, model: () => '/none', more: textsFor },
  {
    what: 'a config that is gone',
    ...{ code: 4, verbs: all, model: () => spoilt('config.json'), more: textsFor },
  },
  {
    what: 'weights that are gone',
    ...{ code: 4, verbs: all, model: () => spoilt('model.safetensors'), more: textsFor },
  },
  {
    what: 'a family that is not known',
    ...{ code: 4, verbs: all, model: () => spoilt('config.json', '{"model_type": "bert"}') },
    more: textsFor,
  },
  { what: 'no tokenizer', code: 4, verbs: ['cache', 'lens'], more: prompt },
];

function textsFor(verb: Verb): readonly string[] {
  return withIds.includes(verb) ? good() : [];
}

describe.each(mistakes)('$what', ({ code, verbs: own, model, more }) => {
  it.each(own)(`ends %s with ${code}`, async (verb) => {
    const args = [...verbs[verb](model?.() ?? checkpoint('gpt2')), ...(more?.(verb) ?? [])];
    const found = await transformerHere(...args);
    expect(found.code, `${args.join(' ')}: ${found.stderr}`).toBe(code);
    expect(found.stderr).toMatch(/^error: /m);
    expect(found.stdout).toBe('');
  });
});
