/** `baseline`: other ways to find heads, and checkpoints without single weights or directions. */
import { ConfigError, formatCount, formatPercent } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { type EditedCheckpoint, loadTokenizer, type PromptData } from '@lab/transformer';
import {
  chosenBackend,
  formatFlags,
  modelFlags,
  modelFolder,
  promptFlags,
  promptFormatOf,
  readPrompts,
} from '@lab/transformer/commands';
import { baselines } from '../baselines.js';
import type { CalibrationRow } from '../baselines/linear-inputs.js';
import type { PrunedCheckpoint } from '../baselines/prune.js';
import {
  type BaselineData,
  type HeadMethod,
  headMethods,
  neededHarmless,
  rankByMethod,
} from './baseline-heads.js';
import { patchNeurons } from './baseline-neurons.js';
import { judgeOptions } from './judge-options.js';

const weightMethods = ['wanda', 'sparse-gpt', 'set-difference', 'act-svd'] as const;
type WeightMethod = (typeof weightMethods)[number];

/** Neurons that two models differ in. */
const NEURONS = 'neurons';
const methods = [...headMethods, ...weightMethods, NEURONS];

/** The verb `baseline`. */
export const baselineCommand: CliCommand = {
  name: 'baseline',
  summary: 'Rank heads by other methods, or write a checkpoint without single weights.',
  arguments: [{ name: 'method', summary: methods.join(', '), required: true }],
  options: [
    { flags: '--harmless <file>', summary: 'prompts that are answered; of weights: utility data' },
    {
      flags: '-o, --out <path>',
      summary: 'folder of a run; of heads also FILE.json of scores; of weights: a checkpoint',
    },
    { flags: '--resume <run>', summary: 'of neurons: goes on with a run that was interrupted' },
    { flags: '--force', summary: 'write over a checkpoint that is there', kind: 'boolean' },
    { flags: '--top <n>', summary: 'heads that are printed', kind: 'integer', default: 10 },
    { flags: '--scores <file>', summary: 'scores.json or run that heads are compared with' },
    { flags: '--refusal <text>', summary: 'first word of a refusal', default: 'Sorry' },
    { flags: '--compliance <text>', summary: 'first word of an answer', default: 'Sure' },
    {
      flags: '--share <x>',
      ...{ summary: 'of weights removed, or of neurons patched', kind: 'number' },
      unit: 'default .5, of neurons .05',
    },
    {
      flags: '--block-size <n>',
      ...{ summary: 'of sparse-gpt: columns that are pruned together', kind: 'integer' },
      unit: 'default 128',
    },
    {
      flags: '--damping <x>',
      ...{ summary: 'of sparse-gpt: of the mean of the diagonal', kind: 'number' },
      unit: 'default .01',
    },
    {
      flags: '--safety-share <x>',
      ...{ summary: 'of set-difference', kind: 'number', unit: 'default .05' },
    },
    {
      flags: '--utility-share <x>',
      ...{ summary: 'of set-difference', kind: 'number', unit: 'default .05' },
    },
    {
      flags: '--score <name>',
      ...{ summary: 'of set-difference', choices: ['wanda', 'snip'], unit: 'default wanda' },
    },
    {
      flags: '--rank <r>',
      ...{ summary: 'of act-svd: directions', kind: 'integer', unit: 'default 10' },
    },
    { flags: '--donor <dir>', summary: 'of neurons: the base model, whose activations go in' },
    {
      flags: '--max-new-tokens <n>',
      ...{ summary: 'of neurons: of a response', kind: 'integer', unit: 'default 128' },
    },
    {
      flags: '--random <n>',
      ...{ summary: 'of neurons: draws of as many random ones', kind: 'integer' },
      unit: 'default 1',
    },
    { flags: '--store-responses', summary: 'of neurons: keep texts, too', kind: 'boolean' },
    { flags: '--seed <n>', summary: 'of all draws', kind: 'integer', unit: 'default 1' },
    ...judgeOptions,
    ...promptFlags,
    ...formatFlags,
    ...modelFlags,
  ],
  example:
    'sahara baseline refusal-direction --model example:organism --prompts refused.csv ' +
    '--harmless answered.csv --scores runs/SCAN --out runs/direction',
  run: async (context, input) => {
    const method = input.arguments[0]!;
    const isOf = <T extends string>(known: readonly T[], name: string): name is T =>
      (known as readonly string[]).includes(name);
    if (method === NEURONS) return patchNeurons(context, input);
    if (input.options['resume'] !== undefined) {
      throw new ConfigError(`--resume is of neurons, not of ${method}.`, {
        help: `Run "sahara baseline ${method}" again.`,
      });
    }
    if (isOf<HeadMethod>(headMethods, method)) {
      return rankByMethod(context, input, { method, data: await dataOf(context, input) });
    }
    if (isOf<WeightMethod>(weightMethods, method)) return prune(context, input, method);
    throw new ConfigError(`there is no baseline "${method}".`, {
      help: `There are ${methods.join(', ')}.`,
    });
  },
};

async function dataOf(context: CliContext, input: CliInput): Promise<BaselineData> {
  const prompts = await readPrompts(context, input);
  const path = input.options['harmless'];
  return {
    prompts,
    harmless: typeof path === 'string' ? await readPrompts(context, input, path) : null,
  };
}

/** A checkpoint without weights or directions that matter for safety. */
async function prune(context: CliContext, input: CliInput, method: WeightMethod): Promise<void> {
  const { options } = input;
  if (typeof options['out'] !== 'string') {
    throw new ConfigError('--out DIR is missing.', { help: 'Name the folder of the checkpoint.' });
  }
  const data = await dataOf(context, input);
  const folder = modelFolder(input);
  const tokenizer = loadTokenizer(folder);
  const format = promptFormatOf(input, tokenizer);
  await chosenBackend(context, input);
  const isOfText = method === 'wanda' || method === 'sparse-gpt';
  const tokens = isOfText ? ('all' as const) : ('response' as const);
  const rowsOf = ({ records }: PromptData) =>
    baselines.responseRows(tokenizer, records, { ...format, tokens });
  const safety = rowsOf(data.prompts);
  const utility = data.harmless === null ? null : rowsOf(data.harmless);
  if (method === 'set-difference') neededHarmless(data, method);
  context.progress.update(`${method}  ${formatCount(safety.length)} texts`);
  const pruned = await prunedCheckpoint(context, input, { method, folder, safety, utility });
  context.progress.done();
  const what =
    pruned.removed !== undefined && pruned.total !== undefined
      ? `${formatCount(pruned.removed)} weights of blocks ` +
        `(${formatPercent(pruned.removed / pruned.total, 2)})`
      : `directions of ${pruned.changedWeights.length} matrices`;
  context.printJson({ run: null, status: 'success', metrics: null, ...pruned });
  context.print(`removed ${what}\nmodel   ${pruned.folder}\n`);
}

interface Pruning {
  readonly method: WeightMethod;
  readonly folder: string;
  readonly safety: readonly CalibrationRow[];
  readonly utility: readonly CalibrationRow[] | null;
}

function prunedCheckpoint(
  context: CliContext,
  { options }: CliInput,
  { method, folder, safety, utility }: Pruning,
): Promise<EditedCheckpoint & Partial<PrunedCheckpoint>> {
  const number = (name: string) => options[name] as number | undefined;
  const shared = {
    ...{ to: String(options['out']), force: options['force'] === true, signal: context.signal },
  };
  const onMatrix = (done: number, total: number) =>
    context.progress.update(`${method}  ${done}/${total} matrices`, done / total);
  switch (method) {
    case 'wanda':
      return baselines.pruneByWanda(folder, safety, { ...shared, share: number('share') });
    case 'sparse-gpt':
      return baselines.pruneBySparseGpt(folder, safety, {
        ...{ ...shared, share: number('share'), blockSize: number('blockSize') },
        ...{ damping: number('damping'), onMatrix },
      });
    case 'set-difference':
      return baselines.pruneSetDifference(
        folder,
        { safety, utility: utility! },
        {
          ...shared,
          safetyShare: number('safetyShare'),
          utilityShare: number('utilityShare'),
          score: options['score'] as 'snip' | 'wanda' | undefined,
        },
      );
    case 'act-svd':
      return baselines.removeSafetyRanks(folder, safety, {
        ...{ ...shared, rank: number('rank'), utility: utility ?? undefined },
        ...{ seed: number('seed'), onProgress: onMatrix },
      });
  }
}
