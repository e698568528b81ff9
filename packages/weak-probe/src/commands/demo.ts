/** `demo`: the whole way on a small shipped model. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatPercent, formatShare } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { bestProbe, readRun, type RunResults } from '../report/read-run.js';
import { writeReport } from '../report/run-page.js';
import { collectCommand } from './collect.js';
import { graftCommand } from './graft.js';
import { lensCommand } from './lens.js';
import { probeCommand } from './probe.js';

/** Prompts that receive a graft. */
const RECIPIENTS = 24;

/** The verb `demo`. */
export const demoCommand: CliCommand = {
  name: 'demo',
  summary: 'Collect, probe, read and graft on a small shipped model: a result in seconds.',
  options: [
    { flags: '--out <dir>', summary: 'folder of the run', default: 'runs/weak-probe-demo' },
    {
      flags: '--limit <n>',
      summary: 'requests of each class',
      kind: 'integer',
      default: 100,
    },
  ],
  example: 'weak-probe demo',
  run: (context, input) => run(context, input),
};

async function run(context: CliContext, { options }: CliInput): Promise<void> {
  const out = String(options['out']);
  const isThere = existsSync(join(out, 'run.json'));
  const collected = isThere
    ? { resume: out }
    : {
        ...{ out, model: 'example:organism', limit: options['limit'], format: 'chat' },
        classes: ['answered', 'refused'],
      };
  const quiet = silent(context);
  await collectCommand.run(quiet, inputOf(collectCommand, [], collected));
  for (const verb of [probeCommand, lensCommand]) await verb.run(quiet, inputOf(verb, [out]));
  const few = { set: [`graft.recipients=${RECIPIENTS}`], responses: true };
  await graftCommand.run(quiet, inputOf(graftCommand, [out], few));
  context.progress.update('drawing');
  const { page } = await writeReport(out);
  context.progress.done();
  say(context, { results: readRun(out), page, out });
}

/** The context without what a verb says at its end. */
const silent = (context: CliContext): CliContext => ({
  ...context,
  print: () => undefined,
  printJson: () => undefined,
  note: () => undefined,
});

/** What a verb is given: its flags' defaults, and some of its own. */
function inputOf(
  { options }: CliCommand,
  given: readonly string[],
  flags: Readonly<Record<string, unknown>> = {},
): CliInput {
  const defaults = options.map(({ flags: text, default: value }) => {
    const name = /--([\w-]+)/.exec(text)?.[1] ?? '';
    return [name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()), value] as const;
  });
  return { arguments: [...given], options: { ...Object.fromEntries(defaults), ...flags } };
}

interface Said {
  readonly results: RunResults;
  readonly page: string;
  readonly out: string;
}

function say(context: CliContext, { results, page, out }: Said): void {
  const { probes, lens, graft } = results;
  const telling = graft!.bestState;
  const { report, probe } = bestProbe(probes!);
  const { low, high } = probe.interval;
  const texts = Math.max(...probes!.controls.map(({ accuracy }) => accuracy));
  context.print(
    `refused or answered: a linear probe tells ${formatPercent(probe.accuracy)} at state ` +
      `${report.state} (95 %: ${formatPercent(low)} to ${formatPercent(high)}); ` +
      `the texts alone tell ${formatPercent(texts)}\n` +
      'a small shipped model with made-up, harmless requests; the page shows what it means\n',
  );
  context.print(table(stateRows(results)));
  const none = graft!.points.find(({ source }) => source === 'none')!;
  const best = graft!.points.find(({ source, state }) => source === 'mean' && state === telling);
  context.print(
    `refused requests open a refusal in ${formatPercent(none.refusalShare)}; with state ` +
      `${telling} of answered ones put into them, in ` +
      `${formatPercent(best?.refusalShare ?? Number.NaN)}\n` +
      `picture: ${page}\n` +
      `next: weak-probe steer ${out} --state ${telling}, or your own model:\n` +
      '      weak-probe check --model DIR --class normal=FILE --class harmful=FILE\n',
  );
  const accuracy = { value: probe.accuracy, low, high, state: report.state };
  const metrics = {
    accuracy,
    texts,
    consistency: lens!.classes.map((one) => one.consistency.value),
  };
  context.printJson({ run: out, status: 'success', metrics, report: page });
}

/** A row a state: probes, words of the lens, grafts. */
function stateRows({ probes, lens, graft }: RunResults): Record<string, string | number>[] {
  return probes!.states.map(({ state, probes: found }) => {
    const row: Record<string, string | number> = { state };
    for (const { probe, accuracy } of found) row[probe] = formatShare(accuracy);
    row['random labels'] = formatShare(found[0]?.randomLabels?.accuracy ?? Number.NaN);
    for (const { label, table: tokens } of lens!.classes) {
      const cells = tokens.states.find((one) => one.state === state)?.cells ?? [];
      row[`lens, ${label}`] = cells
        .slice(0, 2)
        .map(({ text }) => text.trim())
        .join(' ');
    }
    const point = graft!.points.find((one) => one.source === 'mean' && one.state === state);
    row['refused when grafted'] = point === undefined ? 'n/a' : formatShare(point.refusalShare);
    return row;
  });
}
