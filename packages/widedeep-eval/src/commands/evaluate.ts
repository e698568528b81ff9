/** `evaluate`: agreement with people of a run, or of verdicts that are stored elsewhere. */
import { readFileSync, statSync } from 'node:fs';
import { ConfigError, DataError, exitCodes, formatShare, sha256 } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { numberOf, textOf } from '@lab/llm/commands';
import { readAnnotations, withAnnotations } from '../annotations.js';
import { calibrateTau, scoredSamples, splitForCalibration } from '../calibrate.js';
import { compareRuns } from '../compare-runs.js';
import type { WidedeepConfig } from '../config.js';
import { type EvaluateOptions, evaluateJudgements } from '../evaluate.js';
import { failedGates, parseGates } from '../gate.js';
import type { JudgedSample } from '../judged-sample.js';
import { readJudgedSamples } from '../read-run.js';
import { readSamples } from '../readers/read-samples.js';
import { readStoredVerdicts, storedSamples } from '../readers/stored-verdicts.js';
import type { JudgeDifference } from '../verdict-metrics.js';
import { annotationText } from './annotation-text.js';
import { evaluateOptionsOf, pageOf, printResult, settingsOf, writeEvaluation } from './conclude.js';
import { dataOptions, sampleSource } from './data-options.js';
import { gatesOf } from './judge.js';
import { estimateText, evaluationText } from './result-text.js';

/** The verb `evaluate`. */
export const evaluateCommand: CliCommand = {
  name: 'evaluate',
  summary: 'Agreement with people, with intervals: of a run, or of a file of verdicts.',
  arguments: [
    { name: 'run', summary: 'folder of a run, or a file of verdicts with --data', required: true },
  ],
  options: [
    { flags: '--against <run>', summary: 'another run: is the difference more than chance?' },
    { flags: '--annotations <file>', summary: 'verdicts of people, as "annotate" asked for them' },
    { flags: '--wage <usd>', summary: 'dollars an hour of an annotator', kind: 'number' },
    { flags: '--human <share>', summary: 'least certain share decided by people', kind: 'number' },
    { flags: '--calibrate', summary: 'choose the tie threshold on the development pairs' },
    { flags: '--dev-share <share>', summary: 'development pairs, by their ids', kind: 'number' },
    { flags: '--dev <file>', summary: 'ids of development pairs, one a line' },
    { flags: '--seed <n>', summary: 'of the bootstrap', kind: 'integer', unit: 'default 1' },
    {
      flags: '--resamples <n>',
      summary: 'of the bootstrap',
      kind: 'integer',
      unit: 'default 10000',
    },
    {
      flags: '--fail-under <metric=value>',
      summary: 'end with 8 below it, e.g. kappa=0.3',
      kind: 'repeated',
    },
    ...dataOptions,
  ],
  example: 'widedeep-eval evaluate runs/first --against runs/single --fail-under kappa=0.3',
  run: (context, input) => run(context, input),
};

async function run(context: CliContext, { arguments: [path = ''], options }: CliInput) {
  const gates = parseGates(gatesOf(options));
  const isRun = isFolder(path);
  const stored = isRun ? await readJudgedSamples(path) : await storedRun(path, options);
  const annotations = await annotationsOf(options);
  const all = annotations === null ? stored : withAnnotations(stored, annotations);
  const own = isRun ? evaluateOptionsOf(path) : {};
  const settings = evaluateSettings(options, own);
  const way = isRun ? settingsOf(path)?.aggregation : undefined;
  const { samples, tau } = calibrated(context, { samples: all, way }, options);
  const evaluation = evaluateJudgements(samples, { ...settings, tau });
  context.print(evaluationText(evaluation));
  if (annotations !== null) {
    context.print(annotationText(stored, annotations, numberOf(options, 'wage') ?? null));
  }
  const against = textOf(options, 'against');
  if (against !== undefined) {
    const others = await readJudgedSamples(against);
    const difference = compareRuns(samples, others, { ...settings, tau });
    context.print(differenceText(difference, path, against));
  }
  const isWhole = tau === undefined && annotations === null;
  if (isRun && isWhole) writeEvaluation(path, evaluation);
  const report = isRun && isWhole ? await pageOf(context, path, { samples, evaluation }) : null;
  const failed = failedGates(evaluation, gates);
  printResult(context, { run: isRun ? path : null, evaluation, report, failed });
  return failed.length > 0 ? exitCodes.belowThreshold : 0;
}

function isFolder(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats !== undefined) return stats.isDirectory();
  throw new DataError(`${path}: no such file or folder.`, {
    file: path,
    help: 'give the folder that "widedeep-eval judge --out" wrote, or a file of verdicts.',
  });
}

async function storedRun(
  path: string,
  options: Readonly<Record<string, unknown>>,
): Promise<JudgedSample[]> {
  const samples = await readSamples(sampleSource(options));
  return storedSamples(samples, await readStoredVerdicts(path), path);
}

async function annotationsOf(options: Readonly<Record<string, unknown>>) {
  const file = textOf(options, 'annotations');
  return file === undefined ? null : readAnnotations(file);
}

function evaluateSettings(
  options: Readonly<Record<string, unknown>>,
  own: EvaluateOptions,
): EvaluateOptions {
  const human = numberOf(options, 'human') ?? own.human;
  if (human !== undefined && !(human >= 0 && human <= 1)) {
    throw new ConfigError(`--human is ${human}; allowed is a share from 0 to 1.`);
  }
  const resamples = numberOf(options, 'resamples') ?? own.resamples;
  if (resamples !== undefined && resamples < 100) {
    throw new ConfigError(`--resamples is ${resamples}; the least is 100.`);
  }
  const { runTau } = own;
  return { seed: numberOf(options, 'seed') ?? own.seed, resamples, human, runTau };
}

interface Calibrated {
  readonly samples: readonly JudgedSample[];
  /** How the run reached its verdicts; undefined where that is not known. */
  readonly way: WidedeepConfig['aggregation'] | undefined;
}

/** The samples that are left to evaluate, and the threshold that the others gave. */
function calibrated(
  context: CliContext,
  { samples, way }: Calibrated,
  options: Readonly<Record<string, unknown>>,
): { readonly samples: readonly JudgedSample[]; readonly tau?: EvaluateOptions['tau'] } {
  if (options['calibrate'] !== true) return { samples };
  if (way?.primary === 'vote') {
    throw new ConfigError('--calibrate: the run decides by vote, which has no tie threshold.', {
      help: 'judge with --set aggregation.primary=average; with the cache no call is paid twice.',
    });
  }
  const { development, test } = splitForCalibration(samples, developmentOf(options));
  const scope = way?.scope ?? 'all';
  const { tau, accuracy, accuracyAtZero, n } = calibrateTau(scoredSamples(development, scope));
  context.print(
    `tau     ${formatShare(tau)}: chosen on ${n} development pairs, where accuracy rises from ` +
      `${formatShare(accuracyAtZero)} to ${formatShare(accuracy)}; the result is of the others\n`,
  );
  return { samples: test, tau: { value: tau, scope } };
}

function developmentOf(
  options: Readonly<Record<string, unknown>>,
): (sample: JudgedSample) => boolean {
  const [file, share] = [textOf(options, 'dev'), numberOf(options, 'devShare')];
  if (file !== undefined) {
    const ids = new Set(readIds(file));
    return ({ id }) => ids.has(id);
  }
  if (share !== undefined && share > 0 && share < 1) {
    // By the digest of the id, so that more pairs move no other to the other side.
    const limit = share * 2 ** 32;
    return ({ id }) => Number.parseInt(sha256(`development ${id}`).slice(0, 8), 16) < limit;
  }
  throw new ConfigError('--calibrate needs development pairs.', {
    help: 'name them: --dev-share 0.2, or --dev FILE with an id on each line.',
  });
}

function readIds(file: string): string[] {
  try {
    const lines = readFileSync(file, 'utf8').split(/\r?\n/);
    return lines.map((line) => line.trim()).filter((line) => line !== '');
  } catch (cause) {
    throw new DataError(`${file}: cannot be read.`, { file, cause });
  }
}

function differenceText(
  { n, accuracy, kappa, mcNemar }: JudgeDifference,
  first: string,
  second: string,
): string {
  const { estimate, low, high, pValue } = accuracy;
  const rows = [
    ['accuracy', estimateText({ value: estimate, low, high }), pText(pValue)],
    ['kappa', estimateText(kappa), ''],
    [
      `right in one alone: ${mcNemar.onlyFirst} to ${mcNemar.onlySecond} (McNemar)`,
      '',
      pText(mcNemar.pValue),
    ],
  ].map(([what, difference, p]) => ({ what, difference, p }));
  return `${first} minus ${second}, ${n} pairs that both have\n${table(rows)}`;
}

const pText = (p: number): string => (p < 0.001 ? 'p < .001' : `p = ${formatShare(p)}`);
