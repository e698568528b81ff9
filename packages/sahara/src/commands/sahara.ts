/** `sahara`: a group of heads that moves a data set most, grown head by head. */
import { appendJsonLine, DataError, formatNumber, type Run } from '@lab/core';
import { type CliCommand, type CliContext, table } from '@lab/core/cli';
import { configuredAblation } from '../config.js';
import type { DatasetReference } from '../dataset-ships.js';
import { headKey } from '../head.js';
import {
  doneSteps,
  doneUnits,
  openScoreRun,
  runFiles,
  stepFile,
  withinRun,
} from '../run-folder.js';
import { groupKey, sahara, type SaharaOptions, type SaharaStep } from '../sahara.js';
import { loadScores, saveScores, type ScoreFile } from '../score-file.js';
import {
  limitsOf,
  openScoreInput,
  passedFlags,
  placeOf,
  runFlags,
  type ScoreInput,
  scoreFlags,
  withEarlierFlags,
} from './score-input.js';
import { printRun, scoreFileHead, scoresWithTies } from './score-output.js';

/** The verb `sahara`. */
export const saharaCommand: CliCommand = {
  name: 'sahara',
  summary: 'Find the group of heads that moves a data set of prompts most.',
  options: [
    ...scoreFlags,
    { flags: '--size <n>', summary: 'heads of the group', kind: 'integer', unit: 'default 3' },
    {
      flags: '--measure <what>',
      summary: 'turn of the subspace, or mean divergence of the next token',
      choices: ['subspace', 'divergence'],
    },
    ...runFlags,
  ],
  example: 'sahara sahara --model example:organism --prompts prompts.csv --limit 24 --size 3',
  run: async (context, given) => {
    const input = withEarlierFlags(given, 'sahara');
    const scoring = await openScoreInput(context, input);
    try {
      assertSeveral(scoring);
      const { resolved, opened, data } = scoring;
      const command = ['sahara', ...process.argv.slice(2)];
      const passed = passedFlags(input);
      const facts = { resolved, opened, data, label: 'sahara', command, passed };
      const run = openScoreRun(facts, placeOf(given));
      context.setRun(run.dir);
      context.onSecondInterrupt('ended at once; the layer at work is scored again on resume.');
      const steps = await search(context, run, scoring);
      context.print(stepTable(steps));
      const group = steps.at(-1)?.group ?? [];
      printRun(context, run, { metrics: null, group, steps: steps.map(summaryOf) });
    } finally {
      scoring.opened.model.dispose();
    }
  },
};

function assertSeveral({ prompts, resolved }: ScoreInput): void {
  if (prompts.length > 1 || resolved.config.scores.measure === 'divergence') return;
  throw new DataError('sahara: there is one prompt; a subspace needs two at least.', {
    help: 'Give a file of prompts, or take --measure divergence.',
  });
}

async function search(context: CliContext, run: Run, scoring: ScoreInput): Promise<SaharaStep[]> {
  const { opened, prompts } = scoring;
  const steps = doneSteps(run);
  let reference: DatasetReference | null = null;
  await withinRun(run, context.signal, async () => {
    const options: SaharaOptions = {
      ...searchOptions(scoring),
      ...{ steps: [...steps], known: doneUnits(run), signal: context.signal },
      onReference: (found) => {
        reference = found;
        remarkOnGap(context, found);
      },
      onScores: (group, found) => appendJsonLine(run.path(runFiles.units), { group, found }),
      onProgress: (share) => context.progress.update(`sahara  step ${steps.length + 1}`, share),
    };
    for await (const step of sahara(opened.model, prompts, options)) {
      // Files first: a step that is listed as done has them.
      saveStep(run, scoring, { step, reference });
      appendJsonLine(run.path(runFiles.steps), step);
      steps.push(step);
      const { group, score, unit } = step;
      context.note(`step ${step.step}   ${headKey(group.at(-1)!)}  ${formatNumber(score)} ${unit}`);
    }
    context.progress.done();
    return { group: steps.at(-1)?.group ?? [], steps: steps.map(summaryOf) };
  });
  return steps;
}

/** Options of a search, as settings have them. */
export function searchOptions({ resolved }: ScoreInput): SaharaOptions {
  const { scores, search: own } = resolved.config;
  const { measure, numerics, side, center, rank } = scores;
  return {
    ...limitsOf(resolved.config),
    ...{ ablation: configuredAblation(resolved.config), measure, numerics, side, center, rank },
    ...{ size: own.size, beam: own.beam },
    minGain: own.minGain === 0 ? undefined : own.minGain,
  };
}

function remarkOnGap(context: CliContext, { subspace }: DatasetReference): void {
  if (subspace === null) return;
  const { rank, askedRank, gap } = subspace;
  if (rank < askedRank) {
    context.note(`remark   states have ${rank} directions, not ${askedRank}: it is that many.`);
  }
  if (gap < 0.01) {
    context.note(
      `remark   singular value ${rank + 1} is next to ${rank}: the subspace is hardly defined.`,
    );
  }
}

interface StepParts {
  readonly step: SaharaStep;
  readonly reference: DatasetReference | null;
}

function saveStep(run: Run, scoring: ScoreInput, { step, reference }: StepParts): void {
  const { side, center } = scoring.resolved.config.scores;
  const subspace = reference?.subspace ?? null;
  const own = subspace && { side, center, rank: subspace.rank, gap: subspace.gap };
  const file: ScoreFile = {
    ...scoreFileHead(scoring),
    ...{ kind: 'sahara-step', unit: step.unit, ...scoresWithTies(step.scores) },
    ...(own === null ? {} : { subspace: own }),
    group: [...step.group],
  };
  saveScores(run.path(stepFile(step.step)), file);
  const alone = step.step === 1 ? file : loadScores(run.path(stepFile(1)));
  const whole: ScoreFile = { ...alone, kind: 'dataset-ships', group: [...step.group] };
  saveScores(run.path(runFiles.scores), whole);
}

const summaryOf = ({ step, group, score, gain, unit, ties }: SaharaStep) => ({
  ...{ step, head: headKey(group.at(-1)!), score, gain, unit, ties: ties.map(headKey) },
});

function stepTable(steps: readonly SaharaStep[]): string {
  const rows = steps.map(({ step, group, score, gain, ties }) => ({
    ...{ step, head: headKey(group.at(-1)!), score: formatNumber(score) },
    ...{ gain: formatNumber(gain), group: groupKey(group), ties: ties.length },
  }));
  return `${table(rows, ['step', 'head', 'score', 'gain', 'group', 'ties'])}\n`;
}
