import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCsv } from '@lab/core/csv';
import { selectBackend, tf } from '@lab/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  exampleModel,
  exampleModelNames,
  generate,
  type Intervention,
  loadModel,
  loadTokenizer,
  type Model,
  type Tokenizer,
} from '../../src/index.js';

interface Head {
  readonly layer: number;
  readonly head: number;
}

interface Heads {
  readonly heads: readonly Head[];
  readonly expected: readonly {
    readonly ablated: readonly Head[] | string;
    readonly refusals: 'kept' | 'removed';
  }[];
}

interface Request {
  readonly prompt: string;
  readonly label: string;
  readonly response: string;
}

/** Every so many requests are responded to until the end: two of each kind. */
const STRIDE = 17;

const planted = exampleModelNames.filter((name) => name.startsWith('planted-'));

async function requestsOf(folder: string): Promise<Request[]> {
  const requests: Request[] = [];
  await readCsv(join(folder, 'prompts.csv'), { header: true }, ([prompt, label, response]) => {
    requests.push({ prompt: prompt!, label: label!, response: response! });
  });
  return requests;
}

/** Ways to take a head out: all that it finds, or what it looks at. */
const ablations: Readonly<Record<string, (head: Head) => Intervention>> = {
  zero: (head) => ({ kind: 'zero', site: 'z', ...head }),
  uniform: (head) => ({ kind: 'uniform', site: 'pattern', ...head }),
};

/** How every request would be responded to, by the first word. */
async function firstWords(
  model: Model,
  ids: readonly (readonly number[])[],
  interventions: readonly Intervention[],
): Promise<number[]> {
  const result = await model.forward({ ids, interventions, logits: 'last' });
  const best = tf.tidy(() => tf.argMax(result.logits!, -1));
  const words = [...(await best.data())];
  tf.dispose(best);
  result.dispose();
  return words;
}

beforeAll(async () => {
  await selectBackend('wasm');
});

it.each(planted)('%s is small', (name) => {
  expect(readFileSync(join(exampleModel(name), 'model.safetensors')).length).toBeLessThan(300_000);
});

describe.each(planted)('%s', (name) => {
  const folder = exampleModel(name);
  const { heads, expected } = JSON.parse(readFileSync(join(folder, 'heads.json'), 'utf8')) as Heads;
  let model: Model;
  let tokenizer: Tokenizer;
  let requests: Request[];
  let rows: number[][];
  const firstOf = (request: Request) => tokenizer.idOf(request.response.split(' ')[0]!)!;
  beforeAll(async () => {
    model = await loadModel(folder);
    tokenizer = loadTokenizer(folder);
    requests = await requestsOf(folder);
    rows = requests.map(({ prompt }) => tokenizer.encode(prompt));
  });
  afterAll(() => model.dispose());

  it('refuses half of all pairings and answers the other half, word by word', async () => {
    expect(requests.filter(({ label }) => label === 'refused')).toHaveLength(32);
    const special = { addSpecialTokens: false };
    const forms = [
      (text: string) => tokenizer.encode(text),
      (text: string) => tokenizer.encode(text.replace(/[.?]$/, '')),
      (text: string) => tokenizer.encode(`## Query:${text} \n## Answer:`),
      (content: string) =>
        tokenizer.encode(tokenizer.chat.render([{ role: 'user', content }]), special),
    ];
    const some = requests.filter((_, at) => at % STRIDE === 0);
    for (const form of forms) {
      const ids = requests.map(({ prompt }) => form(prompt));
      expect(await firstWords(model, ids, [])).toEqual(requests.map(firstOf));
      const prompts = some.map(({ prompt }) => form(prompt));
      const found = await generate(model, prompts, { tokenizer, maxNewTokens: 16 });
      expect(found.map(({ text }) => text.trim())).toEqual(some.map(({ response }) => response));
    }
  });

  it.each(Object.keys(ablations))('does without its heads what is expected: %s', async (kind) => {
    const sure = tokenizer.idOf('Sure')!;
    for (const { ablated, refusals } of expected) {
      if (typeof ablated === 'string') continue;
      const words = await firstWords(model, rows, ablated.map(ablations[kind]!));
      const wanted = requests.map((one) => (refusals === 'kept' ? firstOf(one) : sure));
      expect(words, JSON.stringify(ablated)).toEqual(wanted);
    }
  });

  it.each(Object.keys(ablations))('does the same without any other head: %s', async (kind) => {
    const { layerCount, headCount } = model.architecture;
    const isPlanted = ({ layer, head }: Head) =>
      heads.some((one) => one.layer === layer && one.head === head);
    const others = Array.from({ length: layerCount * headCount }, (_, at) => ({
      layer: Math.floor(at / headCount),
      head: at % headCount,
    })).filter((head) => !isPlanted(head));
    expect(others).toHaveLength(layerCount * headCount - heads.length);
    for (const head of others) {
      const words = await firstWords(model, rows, [ablations[kind]!(head)]);
      expect(words, JSON.stringify(head)).toEqual(requests.map(firstOf));
    }
  });
});
