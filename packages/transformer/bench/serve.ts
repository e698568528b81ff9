// Eight answers of 64 tokens asked of `transformer serve` together, beside eight in a row, in turns:
//   node --conditions=@lab/source --import tsx bench/serve.ts [SHAPE] [BACKEND]
// SHAPE is qwen2.5-0.5b or gpt2-small, of random bf16 weights made on the spot; prompts are 16 token
// ids. Prints one JSON line, and fails where together takes more than half the time of a row, or
// where an answer is another one. Run it on an idle machine.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { type BackendChoice, selectBackend } from '@lab/tensor';
import { loadModel, loadTokenizer, serveModel, writeRandomCheckpoint } from '../src/index.js';
import { type ShapeName, SHAPES } from './shapes.js';

const [ROUNDS, ANSWERS, TOKENS, PROMPT] = [3, 8, 64, 16];
const GATE = 0.5;
const shape = (process.argv[2] ?? 'qwen2.5-0.5b') as ShapeName;
const backend = (process.argv[3] ?? 'auto') as BackendChoice;
const config = SHAPES[shape];
const folder = mkdtempSync(join(tmpdir(), 'lab-serve-'));
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

interface Body {
  readonly choices: readonly { readonly logprobs: { readonly token_logprobs: number[] } }[];
  readonly usage: { readonly completion_tokens: number };
}

/** The log-probabilities of an answer: they tell it apart from every other. */
async function ask(url: string, prompt: readonly number[]): Promise<readonly number[]> {
  const response = await fetch(`${url}/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt, max_tokens: TOKENS, temperature: 0, logprobs: 0 }),
  });
  const { choices, usage } = (await response.json()) as Body;
  if (usage.completion_tokens !== TOKENS) throw new Error(`${usage.completion_tokens} tokens`);
  return choices[0]!.logprobs.token_logprobs;
}

async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; value: T }> {
  const began = performance.now();
  const value = await work();
  return { seconds: (performance.now() - began) / 1000, value };
}

try {
  await writeRandomCheckpoint(folder, config, { dtype: 'bfloat16' });
  // Its vocabulary is smaller: tokens beyond it have no text, which nobody reads here.
  const tokenizers = join(import.meta.dirname, '../test/golden/tokenizers');
  cpSync(join(tokenizers, 'qwen2'), folder, { recursive: true });
  const report = await selectBackend(backend);
  const tokenizer = loadTokenizer(folder);
  const server = await serveModel(() => loadModel(folder), { tokenizer, servedName: shape });
  const random = createRandom(1).fork('ids');
  const prompts = Array.from({ length: ANSWERS }, () =>
    Array.from({ length: PROMPT }, () => random.integer(config.vocab_size)),
  );
  const row = async () => {
    const answers: (readonly number[])[] = [];
    for (const prompt of prompts) answers.push(await ask(server.url, prompt));
    return answers;
  };
  const together = () => Promise.all(prompts.map((prompt) => ask(server.url, prompt)));
  await ask(server.url, prompts[0]!);
  const times = { row: [] as number[], together: [] as number[] };
  let isSame = true;
  for (let round = 0; round < ROUNDS; round += 1) {
    const [one, all] = [await timed(row), await timed(together)];
    times.row.push(one.seconds);
    times.together.push(all.seconds);
    isSame &&= one.value.every((answer, at) =>
      answer.every((logprob, token) => Math.abs(logprob - all.value[at]![token]!) < 1e-3),
    );
  }
  await server.close();
  const ratio = median(times.together.map((seconds, at) => seconds / times.row[at]!));
  const shown = (value: number) => Number(value.toPrecision(3));
  console.log(
    JSON.stringify({
      ...{ shape, backend: report.name, simd: report.simd, threads: report.threads },
      rowSeconds: shown(median(times.row)),
      togetherSeconds: shown(median(times.together)),
      tokensPerSecond: shown((ANSWERS * TOKENS) / median(times.together)),
      ...{ ratio: shown(ratio), gate: GATE, isSame },
    }),
  );
  if (!(ratio <= GATE) || !isSame) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
