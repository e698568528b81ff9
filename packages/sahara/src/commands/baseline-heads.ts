/** Heads ranked by other methods than ablating them, as the same files of scores. */
import { ConfigError, createRun, formatNumber, type RunRecord } from '@lab/core';
import { type CliContext, type CliInput, table } from '@lab/core/cli';
import { encodePrompt, type PromptData, type Tokenizer } from '@lab/transformer';
import { type OpenedModel, openModel, promptFormatOf } from '@lab/transformer/commands';
import { baselines } from '../baselines.js';
import { headKey, rankHeads } from '../head.js';
import type { TokenPrompt } from '../head-outputs.js';
import { compareScores } from '../overlap.js';
import { runFiles, withinRun } from '../run-folder.js';
import { loadScores, saveScores, type ScoreFile } from '../score-file.js';
import { version } from '../version.js';
import { headsText, scoreFilePath } from './head-options.js';
import { passedFlags } from './score-input.js';
import { scoresWithTies } from './score-output.js';

/** Methods that score heads. */
export const headMethods = ['probe-heads', 'refusal-direction', 'refusal-logits'] as const;

/** One of {@link headMethods}. */
export type HeadMethod = (typeof headMethods)[number];

const UNITS: Readonly<Record<HeadMethod, ScoreFile['unit']>> = {
  'probe-heads': 'accuracy',
  'refusal-direction': 'length',
  'refusal-logits': 'logits',
};

/** Prompts of both kinds. */
export interface BaselineData {
  readonly prompts: PromptData;
  readonly harmless: PromptData | null;
}

interface Ranking {
  readonly opened: OpenedModel;
  readonly data: BaselineData;
  readonly input: CliInput;
  readonly context: CliContext;
}

/**
 * Prompts that are answered.
 *
 * @throws {ConfigError} without them.
 */
export function neededHarmless({ harmless }: BaselineData, method: string): PromptData {
  if (harmless !== null) return harmless;
  throw new ConfigError(`--harmless FILE is missing: ${method} compares two sets of prompts.`, {
    help: 'Give prompts that the model answers.',
  });
}

/** Scores of heads: printed, kept where that is asked for, and compared with a scan. */
export async function rankByMethod(
  context: CliContext,
  input: CliInput,
  { method, data }: { readonly method: HeadMethod; readonly data: BaselineData },
): Promise<void> {
  if (method !== 'refusal-logits') neededHarmless(data, method);
  const opened = await openModel(context, input);
  try {
    const work: Ranking = { opened, data, input, context };
    const { out, scores: other, top } = input.options;
    const { file, run } = await scored(work, method, out as string | undefined);
    context.progress.done();
    const best = rankHeads(file.scores, top as number);
    const compared =
      typeof other === 'string'
        ? compareScores(file, loadScores(scoreFilePath(other)), { top: top as number })
        : null;
    const result = { method, model: opened.fingerprint, scores: file.scores, compared };
    context.printJson({ run, status: 'success', metrics: null, ...result });
    context.print(
      table(
        best.map((head, at) => ({
          ...{ rank: at + 1, head: headKey(head), [file.unit]: formatNumber(head.score) },
        })),
      ),
    );
    if (compared !== null) {
      const { both, k, expected, pValue } = compared.top;
      context.print(
        `${both.length} of these ${k} heads are among the best ${k} of the scan (by chance ` +
          `${formatNumber(expected)}, p = ${formatNumber(pValue)}): ${headsText(both) || 'none'}\n`,
      );
    }
    if (run !== null) context.print(`run     ${run}\nnext: sahara report ${run}\n`);
  } finally {
    opened.model.dispose();
  }
}

/** Scores, in a run or a file of their own where a path is given. */
async function scored(
  work: Ranking,
  method: HeadMethod,
  out: string | undefined,
): Promise<{ readonly file: ScoreFile; readonly run: string | null }> {
  if (out === undefined) return { file: await scoreFile(work, method), run: null };
  if (out.endsWith('.json')) {
    const file = await scoreFile(work, method);
    saveScores(out, file);
    return { file, run: null };
  }
  const { opened, context, input, data } = work;
  const { layerCount, headCount } = opened.model.architecture;
  const run = createRun({
    ...{ dir: out, parent: 'runs', method: 'sahara', label: 'baseline' },
    ...{ seed: seedOf(input), backend: opened.backend },
    ...{ command: ['sahara', ...process.argv.slice(2)], passed: passedFlags(input) },
    config: { method, format: input.options['format'] ?? 'template' },
    data: dataFiles(data),
    packages: { '@lab/sahara': version },
    environment: {
      model: { path: opened.folder, ...opened.fingerprint, layerCount, headCount },
    },
  });
  context.setRun(run.dir);
  const held: { file?: ScoreFile } = {};
  await withinRun(run, context.signal, async () => {
    const file = await scoreFile(work, method);
    saveScores(run.path(runFiles.scores), file);
    held.file = file;
    return { top: rankHeads(file.scores, 10) };
  });
  return { file: held.file!, run: run.dir };
}

const seedOf = ({ options }: CliInput): number => (options['seed'] as number | undefined) ?? 1;

const dataFiles = ({ prompts, harmless }: BaselineData): RunRecord['data'] =>
  [prompts, harmless].flatMap((one) => one?.file ?? []);

async function scoreFile(work: Ranking, method: HeadMethod): Promise<ScoreFile> {
  const { opened, data, input } = work;
  const { layerCount, headCount } = opened.model.architecture;
  const factsOf = ({ sha256, records }: PromptData) => ({ sha256, promptCount: records.length });
  return {
    ...{ schemaVersion: 1, kind: method, unit: UNITS[method] },
    model: { path: opened.folder, fingerprint: opened.fingerprint.model, layerCount, headCount },
    tokenizer: { fingerprint: opened.fingerprint.tokenizer },
    format: promptFormatOf(input, opened.tokenizer).format ?? 'template',
    data: factsOf(data.prompts),
    ...(method !== 'refusal-logits' && { harmless: factsOf(data.harmless!) }),
    ...scoresWithTies(await headScores(work, method)),
  };
}

async function headScores(
  { opened, data, input, context }: Ranking,
  method: HeadMethod,
): Promise<number[][]> {
  const { model, tokenizer } = opened;
  const { refusal, compliance } = input.options as Record<string, string>;
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
    ...{ seed: seedOf(input), signal },
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
