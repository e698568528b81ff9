// Which heads of a model carry its refusals, and what does it do without them?
//   main.ts [MODEL PROMPTS]
// Without arguments: a small shipped model that refuses some harmless requests to a workshop.
import { join } from 'node:path';
import { table } from '@lab/core/cli';
import {
  ablationChanges,
  type Arm,
  armResults,
  baselines,
  createJudge,
  headKey,
  meanScores,
  rankHeads,
  resolveAblation,
  type ResponseLine,
  runArms,
  sahara,
  shipsOfEach,
} from '@lab/sahara';
import { selectBackend } from '@lab/tensor';
import {
  encodePrompt,
  exampleModel,
  loadModel,
  loadTokenizer,
  readPromptData,
} from '@lab/transformer';

const [folder = exampleModel('organism'), file = join(folder, 'prompts.csv')] =
  process.argv.slice(2);
await selectBackend('auto');
const [model, tokenizer] = [await loadModel(folder), loadTokenizer(folder)];

// Requests that are refused: heads are scored on the first, and taken out on the others.
const { records } = await readPromptData(file);
const refused = records.filter(({ label }) => label === undefined || label === 'refused');
const [scored, asked] = [refused.slice(0, 16), refused.slice(16, 48)];
const prompts = scored.map(({ id, prompt }) => ({ id, ids: encodePrompt(tokenizer, prompt).ids }));

// Ships: how far the next token's distribution moves without each head.
const scores = [];
for await (const one of shipsOfEach(model, prompts)) scores.push(one);
const ranking = rankHeads(meanScores(scores));
console.error(
  table(ranking.slice(0, 5).map((head) => ({ head: headKey(head), nats: head.score }))),
);

// Sahara: a group of three, grown head by head.
let group: readonly { layer: number; head: number }[] = [];
for await (const step of sahara(model, prompts, { size: 3, measure: 'divergence' })) {
  group = step.group;
}

// Responses without the group, and without random groups of as many heads.
const uniform = resolveAblation({ kind: 'uniform' }, model.architecture);
const without = (heads: typeof group) => ablationChanges(model, uniform, heads);
const draws = { size: group.length, draws: 3, seed: 1, except: group };
const arms: Arm[] = [
  { name: 'intact' },
  { name: `without ${group.map(headKey).join(', ')}`, changes: without(group) },
  ...baselines.randomHeads(model.architecture, draws).map((heads) => ({
    name: `without ${heads.map(headKey).join(', ')}, by chance`,
    changes: without(heads),
  })),
];
const lines: ResponseLine[] = [];
const judge = createJudge('sahara-paper');
for await (const line of runArms({ model, tokenizer }, asked, arms, { judge, maxNewTokens: 32 })) {
  lines.push(line);
}
const results = armResults(lines);
console.error(table(results.map(({ arm, rate }) => ({ arm, answered: rate.share, n: rate.n }))));
model.dispose();

const [intact, ablated, ...random] = results.map(({ rate }) => rate.share);
const highest = Math.max(...random);
console.log(JSON.stringify({ first: headKey(ranking[0]!), group, intact, ablated, highest }));
