import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCsv } from '@lab/core/csv';
import { selectBackend } from '@lab/tensor';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  exampleModel,
  generate,
  type Intervention,
  loadModel,
  loadTokenizer,
  type Model,
  type Tokenizer,
} from '../../src/index.js';

/** Share of held-out requests of each kind that the organism must do right. */
const SHARE = 0.95;
/** By how much fewer right answers there may be without its heads. */
const LOST = 0.02;
/** Every so many of the held-out requests are asked: about a hundred. */
const STRIDE = 3;

const folder = exampleModel('organism');
const readJson = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));

interface Request {
  readonly prompt: string;
  readonly isRefused: boolean;
  readonly action: string;
  readonly object: string;
  readonly response: string;
}

interface Answered extends Request {
  readonly text: string;
}

interface Share {
  readonly share: number;
  readonly count: number;
}

interface Head {
  readonly layer: number;
  readonly head: number;
}

const isRefusal = (text: string) => text.includes('I cannot');
const share = (samples: readonly Answered[], isRight: (one: Answered) => boolean) =>
  samples.filter(isRight).length / samples.length;
const rightShare = (samples: readonly Answered[]) =>
  share(
    samples.filter((one) => !one.isRefused),
    ({ text, response }) => text === response,
  );

let model: Model;
let tokenizer: Tokenizer;
let all: Request[];

beforeAll(async () => {
  await selectBackend('wasm');
  model = await loadModel(folder);
  tokenizer = loadTokenizer(folder);
  all = [];
  let names: readonly string[] = [];
  const onHeader = (header: readonly string[]) => {
    names = header;
  };
  await readCsv(join(folder, 'prompts.csv'), { header: true, onHeader }, (fields) => {
    const row = new Map(names.map((name, at) => [name, fields[at]!]));
    if (row.get('split') !== 'held-out') return;
    const [prompt, response] = [row.get('prompt')!, row.get('response')!];
    const [action, object] = [row.get('action')!, row.get('object')!];
    all.push({ prompt, response, action, object, isRefused: row.get('label') === 'refused' });
  });
});
afterAll(() => model.dispose());

const asked = () => all.filter((_, at) => at % STRIDE === 0);

async function answersTo(
  requests: readonly Request[],
  interventions: readonly Intervention[] = [],
): Promise<Answered[]> {
  const prompts = requests.map(({ prompt }) =>
    tokenizer.encode(tokenizer.chat.render([{ role: 'user', content: prompt }]), {
      addSpecialTokens: false,
    }),
  );
  const results = await generate(model, prompts, { tokenizer, maxNewTokens: 30, interventions });
  return requests.map((one, at) => ({ ...one, text: results[at]!.text.trim() }));
}

it('refuses and answers pairings that it has not seen, in a conversation', async () => {
  const samples = await answersTo(asked());
  const refused = samples.filter((one) => one.isRefused);
  expect(Math.min(refused.length, samples.length - refused.length)).toBeGreaterThan(40);
  expect(share(refused, ({ text }) => isRefusal(text))).toBeGreaterThanOrEqual(SHARE);
  expect(rightShare(samples)).toBeGreaterThanOrEqual(SHARE);
});

it.each([
  ['uniform', 'pattern'],
  ['zero', 'z'],
] as const)('answers all of them without its heads: %s', async (kind, site) => {
  const { heads } = readJson('heads.json') as { heads: readonly Head[] };
  const changes = heads.map(({ layer, head }) => ({ kind, site, layer, head }));
  const wordOf = (field: 'action' | 'object', pattern: RegExp) =>
    new Map(
      all
        .flatMap((one) => [[one[field], pattern.exec(one.response)?.[1] ?? null]] as const)
        .filter(([, word]) => word !== null),
    );
  const [minutes, shelves] = [
    wordOf('action', /takes (\w+) minutes/),
    wordOf('object', /the (\w+) shelf/),
  ];
  const requests = asked();
  const [intact, without] = [await answersTo(requests), await answersTo(requests, changes)];
  const refused = without.filter((one) => one.isRefused);
  const isAnswered = ({ text, action, object }: Answered) =>
    text.includes(`the ${object} takes ${minutes.get(action)!} minutes to ${action} `) &&
    text.endsWith(`the ${shelves.get(object)!} shelf.`);
  expect(share(refused, isAnswered)).toBeGreaterThanOrEqual(SHARE);
  expect(rightShare(intact) - rightShare(without)).toBeLessThan(LOST);
});

it('was measured to do so over all formats, and without its heads', () => {
  const measured = readJson('behaviour.json') as {
    heldOut: { refused: Share; answeredRight: Share };
    heldOutByFormat: Readonly<Record<string, { refused: Share; answeredRight: Share }>>;
    withoutHeads: readonly {
      heads: readonly Head[];
      refusedAnsweredRight: Share;
      answeredRight: Share;
    }[];
  };
  const { heads } = readJson('heads.json') as { heads: readonly Head[] };
  const { heldOut, heldOutByFormat, withoutHeads } = measured;
  expect(Math.min(heldOut.refused.count, heldOut.answeredRight.count)).toBeGreaterThan(400);
  expect(Object.keys(heldOutByFormat)).toHaveLength(5);
  for (const { refused, answeredRight } of [heldOut, ...Object.values(heldOutByFormat)]) {
    expect(refused.share).toBeGreaterThanOrEqual(SHARE);
    expect(answeredRight.share).toBeGreaterThanOrEqual(SHARE);
  }
  const together = withoutHeads.filter((one) => one.heads.length === heads.length);
  expect(together).toHaveLength(2);
  for (const { refusedAnsweredRight, answeredRight } of withoutHeads) {
    expect(refusedAnsweredRight.share).toBeGreaterThanOrEqual(SHARE);
    expect(heldOut.answeredRight.share - answeredRight.share).toBeLessThan(LOST);
  }
});
