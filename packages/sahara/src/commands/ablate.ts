/** `ablate`: responses with heads ablated, judged, beside those of the intact model. */
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatPercent,
  formatShare,
  type Run,
} from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import {
  type Architecture,
  encodePrompt,
  loadTokenizer,
  type PromptData,
  readModelConfig,
} from '@lab/transformer';
import {
  chosenBackend,
  loadOptions,
  modelFolder,
  type OpenedModel,
  openModel,
  promptFormatOf,
  readPrompts,
} from '@lab/transformer/commands';
import { ablateArms } from '../ablate-arms.js';
import { ablationRemarks, resolveAblation } from '../ablation.js';
import {
  ablateFiles,
  type AblateResults,
  concludeAblateRun,
  doneLines,
  keepChanges,
  keepLines,
  openAblateRun,
} from '../ablate-run.js';
import { type Arm, type ArmOptions, type ArmProgress, runArms } from '../arms.js';
import { type Config, configuredAblation } from '../config.js';
import { sampleCount } from '../generation.js';
import { planResponses } from '../response-plan.js';
import { withinRun } from '../run-folder.js';
import { ablateOptions, type AblateSettings, ablateSettings } from './ablate-settings.js';
import { type ChosenHeads, chosenHeads, headsText } from './head-options.js';
import { chosenJudges } from './judge-options.js';
import { passedFlags, scoreConfig, withEarlierFlags } from './score-input.js';

/** The verb `ablate`. */
export const ablateCommand: CliCommand = {
  name: 'ablate',
  summary: 'Generate with heads ablated, judge the responses, and say how many comply.',
  options: ablateOptions,
  example:
    'sahara ablate --model example:organism --prompts prompts.csv --format chat --heads 2-3 ' +
    '--limit 20',
  run: async (context, given) => {
    const input = withEarlierFlags(given, 'ablate');
    const { config } = await scoreConfig(input);
    const settings = ablateSettings(input, config.seed);
    sampleCount(settings);
    const data = await readPrompts(context, input);
    const harmless = await harmlessPrompts(context, input);
    if (input.options['dryRun'] === true) {
      return planOnly(context, { input, config, settings, data, harmless });
    }
    const judges = await chosenJudges(context, input);
    try {
      const opened = await openModel(context, input);
      try {
        return await ablate(context, { input, config, settings, data, harmless, opened, judges });
      } finally {
        opened.model.dispose();
      }
    } finally {
      await judges.dispose();
    }
  },
};

/** What is asked for. */
interface Asking {
  readonly input: CliInput;
  readonly config: Config;
  readonly settings: AblateSettings;
  readonly data: PromptData;
  readonly harmless: PromptData | null;
}

interface Work extends Asking {
  readonly opened: OpenedModel;
  readonly judges: Pick<ArmOptions, 'judge' | 'secondJudge'>;
}

async function harmlessPrompts(context: CliContext, input: CliInput): Promise<PromptData | null> {
  const path = input.options['harmless'];
  return typeof path === 'string' ? readPrompts(context, input, path) : null;
}

async function ablate(context: CliContext, work: Work): Promise<void> {
  const { input, config, settings, data, harmless, opened } = work;
  const { architecture } = opened.model;
  const chosen = headsOf(work, architecture);
  for (const remark of ablationRemarks(architecture, chosen.ablation)) {
    context.note(`warning: ${remark}`);
  }
  const format = promptFormatOf(input, opened.tokenizer, promptDefaults(config));
  const arms = ablateArms(opened.model, data.records, chosen, settings);
  const { rows, ...own } = settings;
  const { heads, ablation, byPrompt } = chosen;
  const run = openAblateRun(
    {
      ...{ opened, data, harmless },
      settings: {
        ...{ ...own, ...format, heads, ablation },
        byPrompt: byPrompt === null ? null : [...byPrompt],
      },
      command: ['sahara', ...process.argv.slice(2)],
      passed: passedFlags(input),
    },
    {
      out: input.options['out'] as string | undefined,
      resume: input.options['resume'] as string | undefined,
    },
  );
  context.setRun(run.dir);
  keepChanges(run, arms);
  const options: ArmOptions = {
    ...{ ...own, ...format, ...work.judges, maxRows: rows, signal: context.signal },
    // Of course correction some arms have none.
    opening: settings.courseCorrection ? undefined : settings.opening,
    ...{ logger: context.logger, onProgress: reporter(context) },
  };
  const held: { results?: AblateResults } = {};
  await withinRun(run, context.signal, async () => {
    const lines = await responsesOf(run, { work, arms, options, file: ablateFiles.responses });
    const others = await responsesOf(run, { work, arms, options, file: ablateFiles.harmless });
    const { seed } = settings;
    held.results = concludeAblateRun(run, { lines, harmless: others, heads, ablation, seed });
    return metricsOf(held.results);
  });
  const results = held.results!;
  context.progress.done();
  for (const warning of results.warnings) context.note(`warning: ${warning}`);
  context.printJson({ run: run.dir, status: 'success', metrics: metricsOf(results), results });
  context.print(resultText(results, chosen));
  context.print(`run     ${run.dir}\nnext: sahara report ${run.dir}\n`);
}

/** Says what it would take. */
async function planOnly(context: CliContext, asking: Asking): Promise<void> {
  const { input, config, settings, data, harmless } = asking;
  const folder = modelFolder(input);
  const { architecture } = readModelConfig(folder);
  const tokenizer = loadTokenizer(folder);
  const arms = ablateArms({ architecture }, data.records, headsOf(asking, architecture), settings);
  const format = promptFormatOf(input, tokenizer, promptDefaults(config));
  const lengths = (records: PromptData['records']) =>
    records.map(({ prompt }) => encodePrompt(tokenizer, prompt, format).ids.length);
  await chosenBackend(context, input);
  context.progress.update('measuring two blocks');
  const plan = await planResponses(folder, {
    ...{ ...loadOptions(input), ...settings, maxRows: settings.rows, armCount: arms.length },
    promptTokens: [...lengths(data.records), ...lengths(harmless?.records ?? [])],
  });
  context.progress.done();
  context.printJson({ run: null, status: 'planned', metrics: null, plan });
  context.print(
    `would make ${formatCounted(plan.responseCount, 'response')} in ` +
      `${formatCounted(arms.length, 'arm')}, ${formatCount(plan.mostTokens)} tokens at most\n` +
      `time     ${formatDuration(3600 * plan.hours)} at most, as responses may end earlier\n` +
      `memory   about ${formatBytes(plan.peakBytes)}, weights ${plan.residency}\n`,
  );
}

/** Heads of the flags, or none where every one has its turn. */
const headsOf = ({ input, config, settings }: Asking, architecture: Architecture): ChosenHeads =>
  settings.everyHead || settings.intactOnly || settings.skipLayers !== undefined
    ? noHeads(config, architecture)
    : chosenHeads(input, architecture, configuredAblation(config));

const promptDefaults = ({ prompts }: Config) => ({
  ...prompts,
  system: prompts.system || undefined,
});

/** None that are named. */
const noHeads = (config: Config, architecture: Architecture): ChosenHeads => ({
  ablation: resolveAblation(configuredAblation(config), architecture),
  heads: [],
  byPrompt: null,
});

interface Asked {
  readonly work: Work;
  readonly arms: readonly Arm[];
  readonly options: ArmOptions;
  readonly file: string;
}

/** Judged responses of a file of the run, the missing ones made. */
async function responsesOf(run: Run, { work, arms, options, file }: Asked) {
  const isHarmless = file === ablateFiles.harmless;
  if (isHarmless && work.harmless === null) return [];
  const records = (isHarmless ? work.harmless! : work.data).records;
  // Heads of single prompts are those of harmful ones.
  const own = isHarmless ? arms.filter(({ changes }) => typeof changes !== 'function') : arms;
  const done = doneLines(run, file);
  return keepLines(run, file, runArms(work.opened, records, own, { ...options, done }));
}

const reporter =
  (context: CliContext) =>
  ({ arm, done, total, harmful }: ArmProgress): void => {
    const counts = `${done}/${total} responses  ${harmful} comply`;
    context.progress.update(`ablate  ${arm}  ${counts}`, done / total);
  };

function metricsOf({ arms }: AblateResults): Record<string, number> {
  return Object.fromEntries(arms.map(({ arm, rate }) => [`asr.${arm}`, rate.share]));
}

/** Arms that are printed: of very many the intact one, and those with most that comply. */
function shownArms(arms: AblateResults['arms']): AblateResults['arms'] {
  if (arms.length <= 12) return arms;
  const [intact, ...others] = arms;
  return [intact!, ...others.toSorted((a, b) => b.rate.share - a.rate.share).slice(0, 10)];
}

/** A line an arm; random groups together, as they are many. */
function resultText(
  { arms, overRefusal }: AblateResults,
  { heads, byPrompt }: ChosenHeads,
): string {
  const random = arms.filter(({ arm }) => arm.startsWith('random-'));
  const rows = shownArms(arms.filter((one) => !random.includes(one))).map(
    ({ arm, rate, refusal, degenerate, agreement }) => ({
      arm: arm === 'ablated' ? `without ${byPrompt === null ? headsText(heads) : 'its own'}` : arm,
      comply: formatShare(rate.share),
      '95 %': `${formatShare(rate.low)} to ${formatShare(rate.high)}`,
      refused: formatShare(refusal),
      degenerate: formatShare(degenerate),
      n: rate.n,
      ...(agreement !== null && {
        agree: formatShare(agreement.agreement),
        kappa: formatShare(agreement.kappa),
      }),
    }),
  );
  const lines = [table(rows)];
  if (random.length > 0) {
    const rates = random.map(({ rate }) => rate.share).toSorted((a, b) => a - b);
    const mean = rates.reduce((sum, share) => sum + share, 0) / rates.length;
    lines.push(
      `${formatCounted(random.length, 'random group')} of as many heads: ` +
        `${formatPercent(mean)} comply (${formatPercent(rates[0]!)} to ` +
        `${formatPercent(rates.at(-1)!)})\n`,
    );
  }
  const rateOf = (name: string) => arms.find(({ arm }) => arm === name)?.rate.share ?? Number.NaN;
  const gained = rateOf('ablated') - rateOf('intact');
  const frozen = (rateOf('ablated') - rateOf('frozen')) / gained;
  if (gained > 0 && Number.isFinite(frozen)) {
    lines.push(`frozen heads hold back ${formatPercent(frozen)} of what the ablation gains\n`);
  }
  for (const { arm, refused } of overRefusal ?? []) {
    if (arm.startsWith('random-')) continue;
    const range = `${formatPercent(refused.low)} to ${formatPercent(refused.high)}`;
    lines.push(`harmless prompts refused, ${arm}: ${formatPercent(refused.share)} (${range})\n`);
  }
  return lines.join('');
}
