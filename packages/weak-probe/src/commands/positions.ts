/** `positions`: where in a prompt a class can be read, from a collection of all tokens. */
import { join } from 'node:path';
import { formatShare, resumeRun } from '@lab/core';
import { type CliCommand, type CliContext, table } from '@lab/core/cli';
import { openCollection } from '../collection.js';
import { positionLabel } from '../figures/position-figures.js';
import { comparePositions, type PositionReport, type PositionScore } from '../positions.js';
import { type ProbeKind, probeKinds } from '../probes.js';
import { writeResult } from '../run-files.js';
import { collectionArgument, numbersOf } from './collected.js';
import { probeConfig, probeOptions } from './probe.js';

/** The verb `positions`. */
export const positionsCommand: CliCommand = {
  name: 'positions',
  summary: 'Say where in a prompt a class can be read: last token, pools, tokens a probe chooses.',
  arguments: [collectionArgument],
  options: [
    {
      flags: '--probe <kind>',
      summary: 'probe of single rows',
      choices: probeKinds,
      default: 'logistic',
    },
    { flags: '--states <list>', summary: 'states that are read; default all', kind: 'list' },
    {
      flags: '--offsets <n>',
      summary: 'tokens from the end that are read one by one',
      kind: 'integer',
      default: 8,
    },
    ...probeOptions,
  ],
  example: 'weak-probe positions runs/organism-tokens --states 2,3,4',
  run: async (context, input) => {
    const collection = openCollection(input.arguments[0]!);
    const config = await probeConfig(collection, input);
    context.setRun(collection.dir);
    context.onSecondInterrupt('ended at once; the state at work is read again next time.');
    const run = resumeRun(collection.dir);
    try {
      const result = await comparePositions({
        ...{ store: collection.store, config, probe: input.options['probe'] as ProbeKind },
        ...{ states: numbersOf(input, 'states'), offsetCount: input.options['offsets'] as number },
        ...{ recordPath: join(collection.dir, 'position-states.jsonl'), signal: context.signal },
        onProgress: (state, position) =>
          context.progress.update(`positions  state ${state}  ${positionLabel(position)}`),
      });
      context.progress.done();
      const path = writeResult(collection.dir, 'positions', result);
      say(context, collection.dir, { states: result.states, path });
    } finally {
      context.progress.done();
      run.release();
    }
  },
};

interface Said {
  readonly states: readonly PositionReport[];
  readonly path: string;
}

function say(context: CliContext, dir: string, { states, path }: Said): void {
  const rows = states.map(({ state, positions, offsets }) => ({
    state,
    ...Object.fromEntries(
      positions.map(({ position, ...score }) => [positionLabel(position), text(score)]),
    ),
    'best single token': bestToken(offsets),
  }));
  const isEarly = states.some(({ positions }) => positions.some(({ converged }) => !converged));
  const remark = isEarly ? '; * training ended by mlp.maxEpochs' : '';
  context.print(`accuracy with its 95 % interval${remark}\n${table(rows)}\n`);
  context.print(`result  ${path}\nnext: weak-probe report ${dir}\n`);
  const names = states[0]?.positions.map(({ position }) => position) ?? [];
  const best = names.map((name, place) => [
    name,
    Math.max(...states.map(({ positions }) => positions[place]!.accuracy)),
  ]);
  const metrics = { bestAccuracy: Object.fromEntries(best) as Record<string, number> };
  context.printJson({ run: dir, status: 'success', metrics, path });
}

const text = ({ accuracy, interval: { low, high }, converged }: PositionScore): string =>
  `${formatShare(accuracy)} (${formatShare(low)}-${formatShare(high)})${converged ? '' : ' *'}`;

function bestToken(offsets: PositionReport['offsets']): string {
  if (offsets.length === 0) return 'n/a';
  const best = offsets.reduce((most, one) => (one.accuracy > most.accuracy ? one : most));
  return `${best.offset}: ${formatShare(best.accuracy)}`;
}
