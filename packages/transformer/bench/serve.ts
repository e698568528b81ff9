// Eight answers of 64 tokens asked of `transformer serve` together, beside eight in a row:
//   node --conditions=@lab/source --import tsx bench/serve.ts [SHAPE] [BACKEND]
// SHAPE is qwen2.5-0.5b or gpt2-small, of random bf16 weights made on the spot; prompts are 16 ids
// of tokens. Row and together take turns. Prints one JSON line, and fails where together takes more
// than half the time of a row, or where an answer is another one. Run it on an idle machine.
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
  readonly choices: readonly { readonly logprobs: { token_logprobs: number[] } | null }[];
  readonly usage: { readonly completion_tokens: number };
}

/** An answer; where they are wanted its log-probabilities, which tell it apart from others. */
async function ask(url: string, prompt: readonly number[], more: object = {}) {
  const response = await fetch(`${url}/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt, max_tokens: TOKENS, temperature: 0, ...more }),
  });
  const { choices, usage } = (await response.json()) as Body;
  if (usage.completion_tokens !== TOKENS) throw new Error(`${usage.completion_tokens} tokens`);
  return choices[0]!.logprobs?.token_logprobs ?? [];
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
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
  const row = async (more?: object) => {
    const answers: (readonly number[])[] = [];
    for (const prompt of prompts) answers.push(await ask(server.url, prompt, more));
    return answers;
  };
  const together = (more?: object) =>
    Promise.all(prompts.map((prompt) => ask(server.url, prompt, more)));
  // Not timed: log-probabilities cost both sides the same for each token.
  const [one, all] = [await row({ logprobs: 0 }), await together({ logprobs: 0 })];
  const isSame = one.every((answer, at) =>
    answer.every((logprob, token) => Math.abs(logprob - all[at]![token]!) < 1e-3),
  );
  const times = { row: [] as number[], together: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    times.row.push(await secondsOf(row));
    times.together.push(await secondsOf(together));
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
