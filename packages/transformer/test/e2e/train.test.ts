import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { type ProcessOptions, runProcess, temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageFolder, programArguments } from './transformer-process.js';

const tokenizers = join(packageFolder, 'test/golden/tokenizers');

const folder = temporaryFolder();
const transformer = (args: readonly string[], options: ProcessOptions = {}) =>
  runProcess(process.execPath, [...programArguments(), ...args], {
    cwd: folder,
    env: { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined, LAB_TENSOR_HOME: '/none' },
    ...options,
  });

const WORDS = ['the', 'cat', 'sat', 'on', 'a', 'mat', 'and', 'saw', 'two', 'dogs'];

/** A small model that begins from nothing, texts of few words, and the settings of a training. */
function writeInputs(): void {
  const model = join(folder, 'new');
  mkdirSync(model);
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    copyFileSync(join(tokenizers, 'gpt2', name), join(model, name));
  }
  const config = {
    ...{ model_type: 'llama', vocab_size: 600, hidden_size: 32, intermediate_size: 64 },
    ...{ num_hidden_layers: 2, num_attention_heads: 4, tie_word_embeddings: true },
  };
  writeFileSync(join(model, 'config.json'), JSON.stringify(config));
  const random = createRandom(1);
  const text = () => Array.from({ length: 6 + random.integer(6) }, () => WORDS[random.integer(10)]);
  const texts = Array.from({ length: 80 }, () => ({ text: text().join(' ') }));
  writeFileSync(join(folder, 'texts.jsonl'), texts.map((one) => JSON.stringify(one)).join('\n'));
  const settings = {
    model: { path: 'new', from: 'scratch' },
    data: { train: 'texts.jsonl', heldOut: 0.1 },
    training: {
      ...{ steps: 40, batchSize: 6, learningRate: 0.01, evaluateEvery: 20, warmupSteps: 4 },
      ...{ checkpointSeconds: 0, residualDropout: 0.1, attentionDropout: 0.1 },
    },
  };
  writeFileSync(join(folder, 'train.json'), JSON.stringify(settings));
}

interface Row {
  readonly step: number;
  readonly loss: number;
  readonly evaluation: { readonly loss: number } | null;
}

const textOf = (run: string, name: string) => readFileSync(join(run, name), 'utf8');
const rowsOf = (run: string): Row[] =>
  textOf(run, 'metrics.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const runOf = (stderr: string) => /(\S*runs\S*)"/.exec(stderr)![1]!;
const withJson = async (...args: string[]) => {
  const done = await transformer(['train', '--json', '--backend', 'wasm', ...args]);
  expect(done.code, done.stderr).toBe(0);
  return JSON.parse(done.stdout) as { run: string; model: string; loss: number; steps: number };
};

let whole: Awaited<ReturnType<typeof withJson>>;

beforeAll(async () => {
  writeInputs();
  whole = await withJson('--config', 'train.json');
});

describe('transformer train', () => {
  it('trains a model that begins from nothing, which the other verbs take', async () => {
    const rows = rowsOf(whole.run);
    expect(rows.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
    expect(rows[0]!.loss).toBeGreaterThan(5);
    expect(rows[39]!.loss).toBeLessThan(3);
    expect(rows.filter(({ evaluation }) => evaluation !== null).map(({ step }) => step)).toEqual([
      20, 40,
    ]);
    expect(rows[39]!.evaluation!.loss).toBeLessThan(rows[19]!.evaluation!.loss);
    expect(whole).toMatchObject({ status: 'success', steps: 40, loss: rows[39]!.loss });
    const record = JSON.parse(textOf(whole.run, 'run.json'));
    expect(record).toMatchObject({ status: 'success', method: 'transformer-train', seed: 1 });
    expect(record.data[0].sha256).toMatch(/^[0-9a-f]{64}$/);
    const generated = await transformer([
      ...['generate', whole.model, '--prompt', 'the cat', '--max-new-tokens', '8'],
      ...['--backend', 'wasm'],
    ]);
    expect(generated.code, generated.stderr).toBe(0);
    expect(WORDS.some((word) => generated.stdout.includes(word))).toBe(true);
  });

  it('gives the same numbers byte for byte after kill -9 and after Ctrl-C', async () => {
    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      const parent = `runs-${signal}`;
      const args = ['train', '--config', 'train.json', '--out', parent, '--backend', 'wasm'];
      const killed = await transformer(args, { send: [{ after: 'step 12/40', signal }] });
      expect(killed.code).toBe(signal === 'SIGINT' ? 130 : 137);
      const run = join(folder, parent, readdirSync(join(folder, parent))[0]!);
      if (signal === 'SIGINT') expect(runOf(killed.stderr)).toBe(run);
      expect(rowsOf(run).length).toBeLessThan(40);
      const resumed = await withJson('--resume', run);
      expect(resumed.run).toBe(run);
      expect(textOf(run, 'log.txt')).toMatch(/training resumed after step \d+/);
      expect(textOf(run, 'metrics.jsonl')).toBe(textOf(whole.run, 'metrics.jsonl'));
      for (const name of ['model/model.safetensors', 'model/config.json']) {
        expect(readFileSync(join(run, name)).equals(readFileSync(join(whole.run, name)))).toBe(
          true,
        );
      }
    }
  });

  it('goes on from a checkpoint, with adapters on prompts and answers', async () => {
    const pairs = Array.from({ length: 12 }, (_, at) => ({
      ...{ prompt: `${WORDS[at % 10]} `, answer: 'dogs' },
    }));
    const lines = pairs.map((one) => JSON.stringify(one)).join('\n');
    writeFileSync(join(folder, 'pairs.jsonl'), lines);
    const tuned = await withJson(
      ...['--set', `model.path=${whole.model}`, '--set', 'data.train=pairs.jsonl'],
      ...['--set', 'tuning.kind=low-rank', '--set', 'training.steps=12'],
      ...['--set', 'training.learningRate=0.02', '--set', 'data.heldOut=0'],
    );
    const rows = rowsOf(tuned.run);
    expect(rows.at(-1)!.loss).toBeLessThan(rows[0]!.loss);
    const again = await transformer(['train', '--resume', tuned.run, '--set', 'training.steps=13']);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('was made with training.steps 12, --set says 13');
  });
});

describe('transformer train says what is wrong', () => {
  const failing = async (code: number, ...args: string[]) => {
    const done = await transformer(['train', '--backend', 'wasm', ...args]);
    expect(done.code, done.stderr).toBe(code);
    return done.stderr;
  };

  it('in settings and data, with line and field', async () => {
    const unknown = ['--config', 'train.json', '--set', 'training.learnigRate=1'];
    expect(await failing(2, ...unknown)).toContain('did you mean training.learningRate?');
    const long = `{"text": "${'the cat '.repeat(40)}"}\n`;
    writeFileSync(join(folder, 'half.jsonl'), `${long}\n{"prompt": "the"}\n`);
    const half = ['--config', 'train.json', '--set', 'data.train=half.jsonl'];
    expect(await failing(3, ...half)).toContain('half.jsonl line 3: has no answer.');
    writeFileSync(join(folder, 'long.jsonl'), long);
    const cut = ['--set', 'data.train=long.jsonl', '--set', 'data.maxTokens=16', '--dry-run'];
    const said = await failing(0, '--config', 'train.json', ...cut);
    expect(said).toMatch(/1 example longer than 16 tokens cut, by \d+ tokens in all/);
  });

  it('in a loss that is no number, and keeps what was good', async () => {
    const wild = ['--set', 'training.learningRate=1e30', '--set', 'training.schedule=constant'];
    const settings = ['--config', 'train.json', '--set', 'training.warmupSteps=0', ...wild];
    const stderr = await failing(4, ...settings, '--out', 'wild');
    expect(stderr).toMatch(/of step \d+ is NaN; its batch has the examples \d+, /);
    const run = join(folder, 'wild', readdirSync(join(folder, 'wild'))[0]!);
    expect(JSON.parse(textOf(run, 'run.json'))).toMatchObject({ status: 'error' });
    expect(existsSync(join(run, 'checkpoint/checkpoint.json'))).toBe(true);
    for (const { loss } of rowsOf(run)) expect(Number.isFinite(loss)).toBe(true);
  });
});
