// Greedy continuation of a GGUF file of ours beside llama.cpp, which reads the same file through
// node-llama-cpp, in one run, in turns:
//   node --conditions=@lab/source --import tsx bench/decode-llama-cpp.ts [SHAPE] [BACKEND] [FOLDER]
// SHAPE is gpt2-small or qwen2.5-0.5b, of random weights made on the spot, written as F16; FOLDER
// has node_modules/node-llama-cpp, else it is installed below runs/long. Seconds of 32 tokens after
// the first, which stands for the prompt. Prints one JSON line. Run it on an idle machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { type BackendChoice, selectBackend } from '@lab/tensor';
import { generate, loadModel, writeGguf, writeRandomCheckpoint } from '../src/index.js';
import { writeLetters } from './gguf-tokenizers.js';
import { LLAMA_CPP_VERSION, loadLlamaCpp } from './node-llama-cpp.js';
import { type ShapeName, SHAPES } from './shapes.js';

const [ROUNDS, PROMPT, TOKENS] = [5, 16, 32];
const shape = (process.argv[2] ?? 'qwen2.5-0.5b') as ShapeName;
const backend = (process.argv[3] ?? 'auto') as BackendChoice;
const config = SHAPES[shape];
const folder = mkdtempSync(join(tmpdir(), 'lab-decode-gguf-'));
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

interface Round {
  readonly prompt: number;
  readonly decode: number;
  readonly ids: readonly number[];
}

/** Times the first token, and those that follow it. */
class Clock {
  private readonly began = performance.now();
  private first = 0;
  private readonly ids: number[] = [];

  take(id: number): void {
    if (this.ids.length === 0) this.first = performance.now();
    this.ids.push(id);
  }

  round(): Round {
    if (this.ids.length !== TOKENS + 1) throw new Error(`${this.ids.length} tokens`);
    const [prompt, decode] = [this.first - this.began, performance.now() - this.first];
    return { prompt: prompt / 1000, decode: decode / 1000, ids: this.ids };
  }
}

try {
  await writeRandomCheckpoint(join(folder, 'model'), config, { dtype: 'float16' });
  writeLetters(join(folder, 'model'));
  const file = join(folder, 'model.gguf');
  await writeGguf(join(folder, 'model'), file, { type: 'f16' });
  rmSync(join(folder, 'model'), { recursive: true });
  const random = createRandom(1).fork('ids');
  const ids = Array.from({ length: PROMPT }, () => random.integer(config.vocab_size));
  const report = await selectBackend(backend);
  const own = await loadModel(file);
  const llama = await loadLlamaCpp(process.argv[4]);
  const theirs = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
  const context = await theirs.createContext({
    ...{ contextSize: 128, batchSize: 128, flashAttention: false, threads: report.threads },
  });
  const sequence = context.getSequence();
  const ownRound = async (): Promise<Round> => {
    const clock = new Clock();
    await generate(own, [ids], {
      ...{ maxNewTokens: TOKENS + 1, ignoreEos: true },
      onToken: ({ id }) => clock.take(id),
    });
    return clock.round();
  };
  const theirRound = async (): Promise<Round> => {
    await sequence.clearHistory();
    const clock = new Clock();
    let left = TOKENS + 1;
    for await (const id of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
      clock.take(id);
      left -= 1;
      if (left === 0) break;
    }
    return clock.round();
  };
  const [ours, others]: [Round[], Round[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round += 1) {
    ours.push(await ownRound());
    others.push(await theirRound());
  }
  const shown = (value: number) => Number(value.toPrecision(3));
  const middle = (rounds: readonly Round[], part: 'prompt' | 'decode') =>
    median(rounds.slice(1).map((round) => round[part]));
  const [decode, theirDecode] = [middle(ours, 'decode'), middle(others, 'decode')];
  const same = ours[0]!.ids.findIndex((id, at) => id !== others[0]!.ids[at]);
  console.log(
    JSON.stringify({
      ...{ shape, backend: report.name, simd: report.simd, threads: report.threads },
      speed: shown(theirDecode / decode),
      tokensPerSecond: shown(TOKENS / decode),
      llamaCpp: shown(TOKENS / theirDecode),
      promptSpeed: shown(middle(others, 'prompt') / middle(ours, 'prompt')),
      sameTokens: same === -1 ? TOKENS + 1 : same,
      nodeLlamaCpp: LLAMA_CPP_VERSION,
    }),
  );
  own.dispose();
  await context.dispose();
  await theirs.dispose();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
