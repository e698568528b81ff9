/** `steer`: a probe's direction added to states, and taken out of them. */
import { join } from 'node:path';
import { ConfigError, formatNumber, formatPercent, formatShare } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { type CausalCheck, causalCheck } from '../causal.js';
import { middleStates } from '../consistency.js';
import type { ProbeKind } from '../probes.js';
import { openRecordFile, type RecordFile } from '../record-file.js';
import { writeResult } from '../run-files.js';
import { pickedRows } from '../state-rows.js';
import { type ClassSteering, probeDirection, type SteerResult } from '../steer-result.js';
import { defaultDoses, doseResponse, type DosePoint } from '../steering.js';
import {
  assertResidual,
  type Collected,
  collectedOptions,
  type CollectedPrompts,
  collectionArgument,
  numbersOf,
  withCollected,
} from './collected.js';
import type { WorkOutline } from './dry-run.js';
import {
  promptsOf,
  readSides,
  responsePasses,
  type Side,
  sideLabels,
  sideOptions,
  type Sides,
} from './graft-sides.js';
import { judgeOf, responseOptions } from './response-options.js';

const topic = 'steering';
const probes: readonly ProbeKind[] = ['mass-mean', 'svm', 'logistic', 'lda'];

/** The verb `steer`. */
export const steerCommand: CliCommand = {
  name: 'steer',
  summary: "Add a probe's direction to states and take it out: does the model use it.",
  arguments: [collectionArgument],
  options: [
    ...sideOptions,
    {
      flags: '--state <l>',
      summary: 'state of the probe; default the last middle one',
      kind: 'integer',
      topic,
    },
    {
      flags: '--probe <kind>',
      summary: 'linear probe whose direction is taken',
      choices: probes,
      default: 'mass-mean',
      topic,
    },
    {
      flags: '--doses <list>',
      summary: 'doses that are added; 1 is the distance of the classes',
      kind: 'list',
      unit: 'default -2 to 2 in halves',
      topic,
    },
    {
      flags: '--positions <which>',
      summary: 'tokens that are steered',
      choices: ['all', 'last'],
      default: 'all',
      topic,
    },
    {
      flags: '--remove-states <list>',
      summary: 'states that the direction is taken out of; default the same state',
      kind: 'list',
      topic,
    },
    {
      flags: '--draws <n>',
      summary: 'random directions beside',
      kind: 'integer',
      default: 20,
      topic,
    },
    ...responseOptions.filter(({ flags }) => flags !== '--store-responses'),
    ...collectedOptions,
  ],
  example: 'weak-probe steer runs/organism --state 4',
  run: (context, input) =>
    withCollected(context, input, {
      outline: (given) => outline(input, given),
      run: (collected) => run(context, input, collected),
    }),
};

function outline(input: CliInput, given: CollectedPrompts): WorkOutline {
  const { graft } = given.resolved.config;
  const doses = dosesOf(input).length;
  const whole = input.options['responses'] === true ? doses : 0;
  // Openings and both sides of the removal are a pass each.
  const count = 3 + doses + drawsOf(input) + responsePasses(given, whole);
  const passes = sideLabels(input, given).map((label) => ({
    prompts: promptsOf(given, label, graft.recipients),
    count,
  }));
  return { passes, rows: 0 };
}

async function run(context: CliContext, input: CliInput, collected: Collected): Promise<void> {
  const { collection, resolved, folder, fingerprint, model } = collected;
  const { config } = resolved;
  const { layerCount } = model.architecture;
  const kind = input.options['probe'] as ProbeKind;
  const middle = middleStates(layerCount, config.lens.middleFrom, config.lens.middleTo);
  const state = (input.options['state'] as number | undefined) ?? middle.at(-1)!;
  assertResidual(collected, [state]);
  const sides = await readSides(context, input, collected, config.graft.recipients);
  const { answered, refused } = sides;
  const rows = [...collected.rowsOf(answered.label), ...collected.rowsOf(refused.label)];
  const labels = Int32Array.from(rows, (row) =>
    collection.store.rows[row]!.label === refused.label ? 1 : 0,
  );
  const direction = await probeDirection(kind, {
    rows: await pickedRows(collection.store, rows).readState(state),
    ...{ labels, classes: [answered.label, refused.label], settings: config },
    signal: context.signal,
  });
  const given = { context, input, collected, sides, state, direction };
  const records = recordsOf(given);
  const classes: ClassSteering[] = [];
  for (const side of [answered, refused]) classes.push(await steered({ ...given, side, records }));
  const result: SteerResult = {
    model: { path: folder, fingerprint: fingerprint.model },
    ...{ probe: kind, state, towards: refused.label, unit: direction.unit, classes },
  };
  say(context, collection.dir, result);
}

/** What one class was found to do: at a dose, or without the direction. */
type SteerRecord = { readonly label: string } & (
  | { readonly point: DosePoint }
  | { readonly causal: CausalCheck }
);

interface SteerCall {
  readonly context: CliContext;
  readonly input: CliInput;
  readonly collected: Collected;
  readonly sides: Sides;
  readonly state: number;
  readonly direction: Awaited<ReturnType<typeof probeDirection>>;
}

interface SteerJob extends SteerCall {
  readonly side: Side;
  readonly records: RecordFile<SteerRecord>;
}

/** What an earlier call with the same flags has done, dose by dose. */
function recordsOf(call: SteerCall): RecordFile<SteerRecord> {
  const { input, collected, sides, state, direction } = call;
  const { collection, resolved, fingerprint } = collected;
  const { answered, refused, openings } = sides;
  const { name: judge, phraseCount } = judgeOf(input);
  const isWhole = input.options['responses'] === true;
  return openRecordFile<SteerRecord>(join(collection.dir, 'steer.jsonl'), {
    ...{ model: fingerprint.model, prompts: collection.store.about.promptsSha256 },
    ...{ answered: answered.rows, refused: refused.rows, openings, state },
    ...{ direction: Array.from(direction.vector), positions: input.options['positions'] },
    responses: isWhole ? { judge, phraseCount, tokens: resolved.config.graft.maxTokens } : null,
    ...{ removeStates: numbersOf(input, 'removeStates') ?? [state], draws: drawsOf(input) },
    seed: resolved.config.seed,
  });
}

async function steered(job: SteerJob): Promise<ClassSteering> {
  const { label } = job.side;
  const doses = dosesOf(job.input);
  const points: DosePoint[] = [];
  for (const dose of doses) {
    const done = points.length / doses.length;
    job.context.progress.update(`doses  ${label}  ${points.length}/${doses.length}`, done);
    points.push(await pointOf(job, dose));
  }
  return { label, doses: points, causal: await causalOf(job) };
}

/** Of the side's prompts. */
const promptsFor = ({ side, sides, context }: SteerJob) => ({
  ...{ prompts: side.prompts, openings: sides.openings, signal: context.signal },
});

const positionsOf = ({ options }: CliInput) => options['positions'] as 'all' | 'last';

async function pointOf(job: SteerJob, dose: number): Promise<DosePoint> {
  const { context, input, collected, side, state, direction, records } = job;
  for (const one of records.records) {
    if (one.label === side.label && 'point' in one && one.point.dose === dose) return one.point;
  }
  const { model, tokenizer, resolved } = collected;
  const { maxTokens: maxNewTokens } = resolved.config.graft;
  const [point] = await doseResponse(model, {
    ...promptsFor(job),
    steering: { direction, states: [state], positions: positionsOf(input) },
    doses: [dose],
    respond:
      input.options['responses'] === true
        ? { tokenizer, maxNewTokens, judge: judgeOf(input), signal: context.signal }
        : undefined,
  });
  records.append({ label: side.label, point: point! });
  return point!;
}

async function causalOf(job: SteerJob): Promise<CausalCheck> {
  const { context, input, collected, side, state, direction, records } = job;
  for (const one of records.records) {
    if (one.label === side.label && 'causal' in one) return one.causal;
  }
  const { label } = side;
  const [from, to] = direction.means;
  const causal = await causalCheck(collected.model, {
    ...promptsFor(job),
    ...{ direction, positions: positionsOf(input), seed: collected.resolved.config.seed },
    ...{ states: numbersOf(input, 'removeStates') ?? [state], coordinate: (from + to) / 2 },
    draws: drawsOf(input),
    onProgress: (done, all) =>
      context.progress.update(`random  ${label}  ${done}/${all}`, done / all),
  });
  records.append({ label, causal });
  return causal;
}

const dosesOf = (input: CliInput): readonly number[] => numbersOf(input, 'doses') ?? defaultDoses;

function drawsOf({ options }: CliInput): number {
  const draws = options['draws'] as number;
  if (draws >= 1) return draws;
  throw new ConfigError(`--draws is ${draws}.`, { help: 'Give 1 or more; 20 say enough.' });
}

function say(context: CliContext, dir: string, result: SteerResult): void {
  const path = writeResult(dir, 'steer', result);
  context.progress.done();
  const { classes, state, probe, towards } = result;
  const doses = classes[0]!.doses.map(({ dose }, at) => ({
    dose: String(dose),
    ...Object.fromEntries(
      classes.flatMap((one) => {
        const { refusalShare, gap, responses } = one.doses[at]!;
        const whole = responses === null ? [] : [[`${one.label}, whole`, responses.refusalShare]];
        return [
          [`${one.label}, refused`, formatShare(refusalShare)],
          [`${one.label}, gap`, formatNumber(gap)],
          ...whole.map(([name, share]) => [name, formatShare(share as number)]),
        ];
      }),
    ),
  }));
  context.print(`direction of ${probe} at state ${state}, towards ${towards}\n${table(doses)}\n`);
  for (const { label, causal } of classes) {
    const { unchanged, without, random, pValue } = causal;
    context.print(
      `${label}: without the direction ${formatPercent(without.refusalShare)} refused, with it ` +
        `${formatPercent(unchanged.refusalShare)}; random directions change that by ` +
        `${formatPercent(random.refusalLow)} to ${formatPercent(random.refusalHigh)}, ` +
        `p = ${pValue.toFixed(3)}\n`,
    );
  }
  context.print(`result  ${path}\nnext: weak-probe report ${dir}\n`);
  const metrics = Object.fromEntries(
    classes.map(({ label, causal }) => [label, causal.refusalEffect]),
  );
  context.printJson({ run: dir, status: 'success', metrics: { refusalEffect: metrics }, path });
}
