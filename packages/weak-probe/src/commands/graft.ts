/** `graft`: states of one class put into the passes of another, state by state. */
import { ConfigError, formatNumber, formatPercent, formatShare } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import type { Interval } from '@lab/metrics';
import { bestState, graftEffects, type GraftResult } from '../graft-result.js';
import { graftCurve, type GraftPoint } from '../graft-sweep.js';
import { type GraftSource, graftSources } from '../graft-vectors.js';
import { writeResult } from '../run-files.js';
import { tokenNamer } from '../token-text.js';
import {
  assertResidual,
  type Collected,
  collectedOptions,
  collectionArgument,
  numbersOf,
  otherCollection,
  type ReadCollection,
  unsaved,
  withCollected,
} from './collected.js';
import {
  askedStates,
  beside,
  defaultSources,
  type GraftJob,
  graftOutline,
  lensBehind,
  sweep,
  wholeResponses,
} from './graft-job.js';
import { donorRows, readSides, sideOf, sideOptions } from './graft-sides.js';
import { judgeOf, responseOptions } from './response-options.js';

const topic = 'graft';

/** The verb `graft`. */
export const graftCommand: CliCommand = {
  name: 'graft',
  summary: 'Graft states of answered prompts into refused ones, and see at which state that tells.',
  arguments: [collectionArgument],
  options: [
    ...sideOptions,
    {
      flags: '--reverse',
      summary: 'states of refused prompts into answered ones: does it induce refusals',
      kind: 'boolean',
      topic,
    },
    {
      flags: '--donor-run <dir>',
      summary: 'collection of the same model whose prompts give; default the same',
      topic,
    },
    {
      flags: '--states <list>',
      summary: 'states that are grafted; default all',
      kind: 'list',
      topic,
    },
    {
      flags: '--sources <list>',
      summary: `donors and controls: ${graftSources.join(', ')}`,
      kind: 'list',
      unit: `default ${defaultSources.join()}`,
      topic,
    },
    {
      flags: '--context <how>',
      summary: 'behind the steps: read anew without the graft, or keep its keys and values',
      choices: ['fresh', 'kept'],
      default: 'fresh',
      topic,
    },
    {
      flags: '--positions <list>',
      summary: 'positions that are grafted, from the end of the prompt',
      kind: 'list',
      unit: 'default -1; write --positions=-1,-2',
      topic,
    },
    { flags: '--beside <class>', summary: 'a class to set beside, such as attacks', topic },
    { flags: '--lens', summary: 'read the lens behind the best graft', kind: 'boolean', topic },
    ...responseOptions,
    ...collectedOptions,
  ],
  example: 'weak-probe graft runs/organism --responses',
  run: (context, input) =>
    withCollected(context, input, {
      outline: (given) => graftOutline(input, given),
      run: (collected) => run(context, input, collected),
    }),
};

async function run(context: CliContext, input: CliInput, collected: Collected): Promise<void> {
  const { collection, resolved, folder, fingerprint, tokenizer } = collected;
  const { graft: settings } = resolved.config;
  const sides = await readSides(context, input, collected, settings.recipients);
  const isReversed = input.options['reverse'] === true;
  const [giving, taking] = isReversed
    ? [sides.refused, sides.answered]
    : [sides.answered, sides.refused];
  const { openings } = sides;
  const rules = { openings, count: settings.donors, isRefused: isReversed };
  const from = donorsFrom(input, collected);
  const states = askedStates(input, collected, from);
  for (const one of [collected, from]) assertResidual(one, states);
  const given = sideOf(from, giving.label, settings.recipients);
  const donors = await donorRows(collected, given, rules);
  const job: GraftJob = {
    ...{ context, input, collected, openings, sources: sourcesOf(input), judge: judgeOf(input) },
    graft: {
      ...{ semantics: settings.semantics, share: settings.interpolation, steps: settings.steps },
      isNormMatched: settings.isNormMatched,
      context: input.options['context'] as 'fresh' | 'kept',
      positions: numbersOf(input, 'positions') ?? [-1],
    },
    ...{ donors, donorRun: from, takers: taking.rows, states },
  };
  const points = graftCurve(await sweep(job));
  const best = bestState(points, collected.model.architecture.layerCount);
  const nameOf = tokenNamer(tokenizer);
  const other = input.options['beside'];
  const named = (ids: readonly number[]) => ids.map((id) => ({ id, text: nameOf(id) }));
  const result: GraftResult = {
    model: { path: folder, fingerprint: fingerprint.model },
    donors: { label: giving.label, prompts: donors.map((row) => from.prompts[row]!.id) },
    recipients: { label: taking.label, prompts: taking.prompts.map(({ id }) => id) },
    refused: sides.refused.label,
    settings: job.graft,
    openings: {
      origin: typeof input.options['openings'] === 'string' ? 'named' : 'measured',
      ...{ refusal: named(openings.refusal), compliance: named(openings.compliance) },
    },
    beside: typeof other === 'string' ? await besideOf(job, other) : null,
    ...{ points, bestState: best },
    responses: input.options['responses'] === true ? await wholeResponses(job, best) : null,
    lens: input.options['lens'] === true ? await lensOf(job, best) : null,
  };
  say(context, collection.dir, { result, nameOf });
}

const besideOf = (job: GraftJob, label: string) =>
  unsaved(`what --beside ${label} asks for`, () => beside(job, label));

const lensOf = (job: GraftJob, state: number) =>
  unsaved('what --lens asks for', () => lensBehind(job, state));

/** Whose prompts give: those of the same collection, unless another one is named. */
function donorsFrom({ options }: CliInput, collected: Collected): ReadCollection {
  const dir = options['donorRun'];
  if (typeof dir !== 'string') return collected;
  return otherCollection(dir, collected);
}

function sourcesOf({ options }: CliInput): GraftSource[] {
  const asked = (options['sources'] ?? defaultSources) as string[];
  const wrong = asked.find((name) => !(graftSources as readonly string[]).includes(name));
  if (wrong === undefined) return asked as GraftSource[];
  throw new ConfigError(`--sources ${wrong}: there is no such source.`, {
    help: `There are ${graftSources.join(', ')}.`,
  });
}

interface Said {
  readonly result: GraftResult;
  readonly nameOf: (id: number) => string;
}

function say(context: CliContext, dir: string, { result, nameOf }: Said): void {
  const path = writeResult(dir, 'graft', result);
  context.progress.done();
  const none = result.points.find(({ source }) => source === 'none')!;
  context.print(
    `${result.donors.prompts.length} donors of ${result.donors.label}, ` +
      `${none.n} recipients of ${result.recipients.label}\n` +
      `without a graft ${formatPercent(none.refusalShare)} open a refusal, gap ` +
      `${formatNumber(none.gap)} nats\n\n`,
  );
  const sources = [...new Set(result.points.map(({ source }) => source))].slice(1);
  const effects = graftEffects(result.points);
  const rows = effects.map(({ state, effect, control }) => ({
    state,
    ...Object.fromEntries(
      sources.map((source) => [`refused, ${source}`, shareAt(result.points, source, state)]),
    ),
    'first tokens': firstTokensAt(result.points, state, nameOf),
    effect: formatNumber(effect),
    'largest control': formatNumber(control),
  }));
  context.print(`${table(rows)}\n`);
  if (result.beside !== null) {
    const { label, n, refusalShare } = result.beside;
    context.print(
      `${n} prompts of ${label} as they are: ${formatPercent(refusalShare)} refused\n\n`,
    );
  }
  if (result.responses !== null) {
    const shares = result.responses.map(({ source, refusalShare, refusalInterval, ...one }) => ({
      source,
      refused: shareWithin(refusalShare, refusalInterval),
      answered: formatShare(one.answerShare),
      degenerate: formatShare(one.degenerateShare),
    }));
    context.print(`whole responses, graft at state ${result.bestState}\n${table(shares)}\n`);
  }
  context.print(`result  ${path}\nnext: weak-probe steer ${dir} --state ${result.bestState}\n`);
  const metrics = { bestState: result.bestState, withoutGraft: none.refusalShare };
  context.printJson({ run: dir, status: 'success', metrics, path });
}

const shareWithin = (share: number, { low, high }: Interval): string =>
  `${formatShare(share)} (${formatShare(low)}-${formatShare(high)})`;

/** What responses begin with under the donors of a state. */
function firstTokensAt(
  points: readonly GraftPoint[],
  state: number,
  nameOf: (id: number) => string,
): string {
  const found = points.find((point) => point.source !== 'none' && point.state === state);
  return (found?.bestTokens ?? [])
    .slice(0, 2)
    .map(({ id, share }) => `${nameOf(id).trim()} ${formatShare(share, 2)}`)
    .join('  ');
}

const shareAt = (points: readonly GraftPoint[], source: string, state: number): string => {
  const found = points.find((point) => point.source === source && point.state === state);
  return found === undefined ? 'n/a' : formatShare(found.refusalShare);
};
