/** `baseline`: other ways to find heads, and checkpoints without single weights or directions. */
import { ConfigError, formatCount, formatNumber, formatPercent, writeFileAtomic } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { encodePrompt, loadTokenizer, type PromptData, type Tokenizer } from '@lab/transformer';
import {
  chosenBackend,
  formatFlags,
  modelFlags,
  modelFolder,
  openModel,
  promptFlags,
  promptFormatOf,
  readPrompts,
} from '@lab/transformer/commands';
import { baselines } from '../baselines.js';
import { headKey, rankHeads } from '../head.js';
import type { TokenPrompt } from '../head-outputs.js';
import { compareScores } from '../overlap.js';
import { loadScores } from '../score-file.js';
import { headsText, scoreFilePath } from './head-options.js';

const headKinds = ['probe-heads', 'refusal-direction', 'refusal-logits'] as const;
const weightKinds = ['wanda', 'set-difference', 'act-svd'] as const;

/** The verb `baseline`. */
export const baselineCommand: CliCommand = {
  name: 'baseline',
  summary: 'Rank heads by other methods, or write a checkpoint without single weights.',
  arguments: [
    { name: 'method', summary: [...headKinds, ...weightKinds].join(', '), required: true },
  ],
  options: [
    { flags: '--harmless <file>', summary: 'prompts that are answered; of weights: utility data' },
    { flags: '-o, --out <path>', summary: 'JSON with scores; of weights: folder of a checkpoint' },
    { flags: '--force', summary: 'write over a checkpoint that is there', kind: 'boolean' },
    { flags: '--top <n>', summary: 'heads that are printed', kind: 'integer', default: 10 },
    { flags: '--scores <file>', summary: 'scores.json or run that heads are compared with' },
    { flags: '--refusal <text>', summary: 'first word of a refusal', default: 'Sorry' },
    { flags: '--compliance <text>', summary: 'first word of an answer', default: 'Sure' },
    { flags: '--share <x>', summary: 'of wanda: share of weights removed', kind: 'number' },
    { flags: '--safety-share <x>', summary: 'of set-difference', kind: 'number', unit: '.05' },
    { flags: '--utility-share <x>', summary: 'of set-difference', kind: 'number', unit: '.05' },
    { flags: '--score <name>', summary: 'of set-difference', choices: ['wanda', 'snip'] },
    { flags: '--rank <r>', summary: 'of act-svd: directions', kind: 'integer', unit: '10' },
    { flags: '--seed <n>', summary: 'of all draws', kind: 'integer', default: 1 },
    ...promptFlags,
    ...formatFlags,
    ...modelFlags,
  ],
  example:
    'sahara baseline refusal-direction --model example:organism --prompts refused.csv ' +
    '--harmless answered.csv --scores runs/SCAN',
  run: async (context, input) => {
    const method = input.arguments[0]!;
    if ((headKinds as readonly string[]).includes(method)) return rank(context, input, method);
    if ((weightKinds as readonly string[]).includes(method)) return prune(context, input, method);
    throw new ConfigError(`there is no baseline "${method}".`, {
      help: `There are ${[...headKinds, ...weightKinds].join(', ')}.`,
    });
  },
};

interface BaselineData {
  readonly prompts: PromptData;
  readonly harmless: PromptData | null;
}

async function dataOf(context: CliContext, input: CliInput): Promise<BaselineData> {
  const prompts = await readPrompts(context, input);
  const path = input.options['harmless'];
  return {
    prompts,
    harmless: typeof path === 'string' ? await readPrompts(context, input, path) : null,
  };
}

function needed(harmless: PromptData | null, method: string): PromptData {
  if (harmless !== null) return harmless;
  throw new ConfigError(`--harmless FILE is missing: ${method} compares two sets of prompts.`, {
    help: 'Give prompts that the model answers.',
  });
}

/** Scores of heads, printed, and compared with a scan. */
async function rank(context: CliContext, input: CliInput, method: string): Promise<void> {
  const data = await dataOf(context, input);
  if (method !== 'refusal-logits') needed(data.harmless, method);
  const opened = await openModel(context, input);
  try {
    const { scores, out, top } = input.options;
    const found = await headScores(method, { ...opened, data, input, context });
    context.progress.done();
    // Signs tell the side that a head is on; how far it is from none counts.
    const sizes = found.map((row) => row.map(Math.abs));
    const best = rankHeads(sizes, top as number);
    const compared =
      typeof scores === 'string'
        ? compareScores({ scores: sizes }, loadScores(scoreFilePath(scores)), {
            top: top as number,
          })
        : null;
    const result = { method, model: opened.fingerprint, scores: found, compared };
    if (typeof out === 'string') writeFileAtomic(out, `${JSON.stringify(result)}\n`);
    context.printJson({ run: null, status: 'success', metrics: null, ...result });
    context.print(
      table(
        best.map((head, at) => ({
          ...{ rank: at + 1, head: headKey(head) },
          score: formatNumber(found[head.layer]![head.head]!),
        })),
      ),
    );
    if (compared === null) return;
    const { both, k, expected, pValue } = compared.top;
    context.print(
      `${both.length} of these ${k} heads are among the best ${k} of the scan (by chance ` +
        `${formatNumber(expected)}, p = ${formatNumber(pValue)}): ${headsText(both) || 'none'}\n`,
    );
  } finally {
    opened.model.dispose();
  }
}

type Ranking = Awaited<ReturnType<typeof openModel>> & {
  readonly data: BaselineData;
  readonly input: CliInput;
  readonly context: CliContext;
};

async function headScores(
  method: string,
  { model, tokenizer, data, input, context }: Ranking,
): Promise<number[][]> {
  const { refusal, compliance, seed } = input.options as Record<string, string> & { seed: number };
  const { signal } = context;
  const format = promptFormatOf(input, tokenizer);
  const tokens = ({ records }: PromptData): TokenPrompt[] =>
    records.map(({ id, prompt }) => ({ id, ids: encodePrompt(tokenizer, prompt, format).ids }));
  const prompts = tokens(data.prompts);
  if (method === 'refusal-logits') {
    const opening = {
      refusal: firstToken(tokenizer, refusal!),
      compliance: firstToken(tokenizer, compliance!),
    };
    return baselines.refusalLogits(model, prompts, { ...opening, signal });
  }
  const others = tokens(data.harmless!);
  if (method === 'refusal-direction') {
    const { heads } = await baselines.refusalDirection(model, prompts, others, { signal });
    return heads.map((row) => [...row]);
  }
  const labels = [...prompts.map(() => 1 as const), ...others.map(() => 0 as const)];
  return baselines.probeHeads(model, [...prompts, ...others], labels, {
    ...{ seed, signal },
    onProgress: (done, total) =>
      context.progress.update(`probes  layer ${done}/${total}`, done / total),
  });
}

/** The token that a word begins with behind what prompts end with. */
function firstToken(tokenizer: Tokenizer, word: string): number {
  const [id] = tokenizer.encode(word, { addSpecialTokens: false });
  if (id !== undefined) return id;
  throw new ConfigError(`the word ${JSON.stringify(word)} has no token.`, {
    help: 'Give another.',
  });
}

/** A checkpoint without weights or directions that matter for safety. */
async function prune(context: CliContext, input: CliInput, method: string): Promise<void> {
  const { options } = input;
  const number = (name: string) => options[name] as number | undefined;
  if (typeof options['out'] !== 'string') {
    throw new ConfigError('--out DIR is missing.', { help: 'Name the folder of the checkpoint.' });
  }
  const data = await dataOf(context, input);
  const folder = modelFolder(input);
  const tokenizer = loadTokenizer(folder);
  const format = promptFormatOf(input, tokenizer);
  await chosenBackend(context, input);
  const tokens = method === 'wanda' ? ('all' as const) : ('response' as const);
  const rowsOf = ({ records }: PromptData) =>
    baselines.responseRows(tokenizer, records, { ...format, tokens });
  const safety = rowsOf(data.prompts);
  const shared = { to: options['out'], force: options['force'] === true, signal: context.signal };
  context.progress.update(`${method}  ${formatCount(safety.length)} texts`);
  if (method === 'act-svd') {
    const utility = data.harmless === null ? undefined : rowsOf(data.harmless);
    const rank = number('rank');
    const done = await baselines.removeSafetyRanks(folder, safety, {
      ...{ ...shared, rank, utility, seed: number('seed') },
      onProgress: (at, total) =>
        context.progress.update(`act-svd  ${at}/${total} matrices`, at / total),
    });
    return concludePruning(context, `directions of ${done.changedWeights.length} matrices`, done);
  }
  const pruned =
    method === 'wanda'
      ? await baselines.pruneByWanda(folder, safety, { ...shared, share: number('share') })
      : await baselines.pruneSetDifference(
          folder,
          { safety, utility: rowsOf(needed(data.harmless, method)) },
          {
            ...shared,
            safetyShare: number('safetyShare'),
            utilityShare: number('utilityShare'),
            score: options['score'] as 'snip' | 'wanda' | undefined,
          },
        );
  const share = formatPercent(pruned.removed / pruned.total, 2);
  concludePruning(context, `${formatCount(pruned.removed)} weights of blocks (${share})`, pruned);
}

function concludePruning(
  context: CliContext,
  what: string,
  done: { readonly folder: string },
): void {
  context.progress.done();
  context.printJson({ run: null, status: 'success', metrics: null, ...done });
  context.print(`removed ${what}\nmodel   ${done.folder}\n`);
}
