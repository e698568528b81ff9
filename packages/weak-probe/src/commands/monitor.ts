/** `monitor`: a probe as a file that other programs score states with; and scores of states. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ConfigError,
  DataError,
  formatCounted,
  formatShare,
  readJsonLines,
  writeFileAtomic,
} from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { writeCsv } from '@lab/core/csv';
import { type Collection, openCollection } from '../collection.js';
import type { Config } from '../config.js';
import { bestMonitorState, makeMonitor } from '../make-monitor.js';
import { createMonitor, type Monitor, type MonitorBundle } from '../monitor.js';
import { type ProbeKind, probeKinds } from '../probes.js';
import type { ProbePrediction } from '../probe-predictions.js';
import { predictionsFile, resultFiles } from '../run-files.js';
import { collectionArgument } from './collected.js';
import { probeConfig, probeOptions } from './probe.js';

/** The verb `monitor`. */
export const monitorCommand: CliCommand = {
  name: 'monitor',
  summary: 'Make a monitor of a probe, or score the states of a collection with one.',
  arguments: [collectionArgument],
  options: [
    {
      flags: '--state <n>',
      summary:
        'state it reads; default the best of "weak-probe probe" on rows that set the threshold',
      kind: 'integer',
    },
    { flags: '--probe <kind>', summary: 'kind of probe', choices: probeKinds, default: 'svm' },
    {
      flags: '--alarms <share>',
      summary: 'share of the first class that may raise an alarm',
      kind: 'number',
      default: 0.01,
    },
    { flags: '-o, --out <file>', summary: 'where it goes; default monitor.json in the run' },
    { flags: '--score <file>', summary: 'score the rows with this monitor instead of making one' },
    { flags: '--csv <file>', summary: 'scores of the rows as CSV, with --score' },
    ...probeOptions,
  ],
  example: 'weak-probe monitor runs/organism --state 3 --alarms 0.01 --out monitor.json',
  run: async (context, input) => {
    const collection = openCollection(input.arguments[0]!);
    const path = input.options['score'];
    if (typeof path === 'string') return score(context, input, { collection, path });
    return make(context, input, collection);
  },
};

async function make(context: CliContext, input: CliInput, collection: Collection): Promise<void> {
  const { options } = input;
  const config = await probeConfig(collection, input);
  const probe = options['probe'] as ProbeKind;
  const given = options['state'] as number | undefined;
  const state = given ?? bestState(collection, config, probe);
  context.progress.update(`monitor  state ${state}`);
  const bundle = await makeMonitor({
    ...{ store: collection.store, config, state, probe },
    ...{ falsePositiveRate: options['alarms'] as number, signal: context.signal },
  });
  context.progress.done();
  const out = (options['out'] as string | undefined) ?? join(collection.dir, resultFiles.monitor);
  writeFileAtomic(out, `${JSON.stringify(bundle)}\n`);
  const { quality } = bundle;
  context.print(qualityText(bundle));
  context.print(
    `monitor ${out}\nnext: weak-probe monitor ${collection.dir} --score ${out} --csv scores.csv\n`,
  );
  const about = { state, probe, threshold: bundle.threshold, path: out };
  context.printJson({ run: collection.dir, status: 'success', metrics: quality, ...about });
}

function bestState({ dir, store }: Collection, config: Config, probe: ProbeKind): number {
  const predictions = readJsonLines(join(dir, predictionsFile)).rows as ProbePrediction[];
  const best = bestMonitorState({ store, config, probe }, predictions);
  if (best !== null) return best;
  const why = predictions.some((one) => one.probe === probe)
    ? 'its probes were measured on other splits'
    : `it has no probes ${probe}`;
  throw new ConfigError(`${dir}: it is not known which state is best for ${probe}: ${why}.`, {
    help: `give --state N, or run first: weak-probe probe ${dir} --probes ${probe}`,
  });
}

function qualityText({ state, probe, quality, threshold }: MonitorBundle): string {
  const { rowCount, accuracy, auroc, truePositiveRate, falsePositiveRate, ece } = quality;
  const [calm, alarming] = probe.classes;
  return (
    `${probe.kind} at state ${state}: finds ${formatShare(truePositiveRate)} of ${alarming} and ` +
    `takes ${formatShare(falsePositiveRate)} of ${calm} for it, on ` +
    `${formatCounted(rowCount, 'row')} it was neither fitted nor set on\n` +
    `accuracy ${formatShare(accuracy)}, AUROC ${formatShare(auroc)}, calibration error ` +
    `${formatShare(ece)}, threshold ${threshold.toPrecision(3)}\n`
  );
}

/**
 * A monitor of a file.
 *
 * @throws {DataError} for a file that is not JSON; {@link MonitorError} for one that is no monitor.
 */
export function readMonitor(path: string): Monitor {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const isMissing = !existsSync(path);
    throw new DataError(`${path}: ${isMissing ? 'no such file' : 'cannot be read as JSON'}.`, {
      ...{ file: path, cause, help: 'give the file that "weak-probe monitor" wrote.' },
    });
  }
  return createMonitor(parsed);
}

interface Scoring {
  readonly collection: Collection;
  readonly path: string;
}

async function score(
  context: CliContext,
  { options }: CliInput,
  { collection, path }: Scoring,
): Promise<void> {
  const { store, dir } = collection;
  const monitor = readMonitor(path);
  const { state, site, positions } = monitor.bundle;
  if (site !== store.about.site || positions !== store.about.positions) {
    throw new ConfigError(
      `${path}: reads ${site} states at ${positions}; the collection has ${store.about.site} at ` +
        `${store.about.positions}.`,
      { help: 'collect with the same states.site and states.positions.' },
    );
  }
  const values = await store.readState(state);
  const readings = store.rows.map(({ id, label, token }, row) => {
    const own = values.subarray(row * store.width, (row + 1) * store.width);
    const reading = monitor.read(own, store.about.model.fingerprint);
    return { ...reading, id, token, predicted: reading.label, class: label };
  });
  const csv = options['csv'];
  if (typeof csv === 'string') {
    await writeCsv(
      csv,
      ['id', 'class', 'token', 'score', 'probability', 'alarm'],
      readings.map((one) => [
        ...[one.id, one.class, one.token ?? '', one.score, one.probability, one.isAlarm ? 1 : 0],
      ]),
    );
  }
  const rows = store.about.classes.map((name) => {
    const own = readings.filter((one) => one.class === name);
    const alarms = own.filter(({ isAlarm }) => isAlarm).length;
    const mean = own.reduce((sum, { probability }) => sum + probability, 0) / own.length;
    return {
      ...{ class: name, rows: own.length, alarms, share: formatShare(alarms / own.length) },
      'mean probability': formatShare(mean),
    };
  });
  context.print(table(rows));
  if (typeof csv === 'string') context.print(`scores  ${csv}\n`);
  context.printJson({ run: dir, status: 'success', metrics: null, classes: rows });
}
