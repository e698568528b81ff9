// How many of the five best heads are among those that screening picks, on the example models:
//   node --conditions=@lab/source --import tsx bench/recall.ts [PROMPTS] [TOKENS] [MIXTURES]
// For every model and share the mean over prompts of recall@5; the last line is JSON. Fails where
// the default share, .25, finds less than .8 on any of them, or .15 on average.
import { join } from 'node:path';
import { selectBackend } from '@lab/tensor';
import {
  encodePrompt,
  exampleModel,
  exampleModelNames,
  loadModel,
  loadTokenizer,
  readPromptData,
} from '@lab/transformer';
import { headKey, rankHeads } from '../src/head.js';
import { screenedShips } from '../src/screened-scan.js';

const [topTokens, mixtures] = [Number(process.argv[3] ?? 0), Number(process.argv[4] ?? 1)];
const SHARES = [0.1, 0.15, 0.2, 0.25, 0.3, 0.4] as const;
const [AVERAGE_SHARE, DEFAULT_SHARE] = [0.15, 0.25] as const;
const LEAST = 0.8;
const BEST = 5;

const count = Number(process.argv[2] ?? '40');
const rounded = (value: number) => Number(value.toFixed(3));
const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

await selectBackend('wasm');
const recalls: Record<string, number[]> = {};
for (const name of exampleModelNames) {
  const folder = exampleModel(name);
  const model = await loadModel(folder);
  const tokenizer = loadTokenizer(folder);
  const { records } = await readPromptData(join(folder, 'prompts.csv'));
  const format = tokenizer.chat.names.includes('default') ? 'chat' : 'direct';
  const refused = records.filter(({ label }) => label === 'refused').slice(0, count);
  const found: number[][] = [];
  for (const { id, prompt } of refused) {
    const { ids } = encodePrompt(tokenizer, prompt, { format });
    const { scores, estimates } = await screenedShips(
      model,
      { id, ids },
      { share: 1, topTokens, mixtures },
    );
    const best = rankHeads(scores, BEST).map(headKey);
    const ranked = rankHeads(estimates).map(headKey);
    found.push(
      SHARES.map((share) => {
        const picked = ranked.slice(0, Math.ceil(share * ranked.length));
        return best.filter((head) => picked.includes(head)).length / BEST;
      }),
    );
  }
  recalls[name] = SHARES.map((_, at) => rounded(mean(found.map((row) => row[at]!))));
  console.log(`${name.padEnd(22)} ${recalls[name].join('  ')}`);
  model.dispose();
}
const means = SHARES.map((_, at) => rounded(mean(Object.values(recalls).map((row) => row[at]!))));
console.log(JSON.stringify({ shares: SHARES, means, recalls }));
const least = Math.min(
  means[SHARES.indexOf(AVERAGE_SHARE)]!,
  ...Object.values(recalls).map((row) => row[SHARES.indexOf(DEFAULT_SHARE)]!),
);
if (least < LEAST) process.exitCode = 1;
