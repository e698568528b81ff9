/**
 * Whether a probe means the same elsewhere: fitted on one set of states, measured on another, of
 * other prompts or of another checkpoint.
 */
import { ConfigError, DataError } from '@lab/core';
import {
  auroc,
  expectedCalibrationError,
  fitPlatt,
  type Interval,
  operatingPoint,
  wilson,
} from '@lab/metrics';
import type { Config } from './config.js';
import { readSamples, splitsOf } from './explain.js';
import { classOfScores, type PlainProbe, scoreState } from './plain-probe.js';
import type { SharedSamples } from './probe-input.js';
import { predictRows } from './probe-predictions.js';
import { accuracyOf } from './probe-scores.js';
import { fitProbe, type Probe, type ProbeKind, trainingRows } from './probes.js';
import type { Split } from './split.js';
import type { StateStore } from './state-store.js';

/** Figures of two classes; null for other numbers of classes. */
export interface BinaryTransfer {
  readonly auroc: number;
  /** Share of the second class found where 1 % of the first raises an alarm; own threshold. */
  readonly truePositiveRate: number;
  /** The same with the threshold that the first set chose, and the alarms it then raises. */
  readonly carriedTruePositiveRate: number;
  readonly carriedFalsePositiveRate: number;
  /** Expected calibration error of Platt's probabilities from the first set. */
  readonly ece: number;
}

/** A probe of one state, carried to other rows. */
export interface TransferPoint {
  readonly state: number;
  readonly probe: ProbeKind;
  /** On the test rows of the set it was fitted on. */
  readonly within: { readonly accuracy: number; readonly auroc: number | null };
  /** On the rows of the other set whose texts the probe was not fitted on. */
  readonly accuracy: number;
  /** 95 %, Wilson. */
  readonly interval: Interval;
  /** Rows that were measured, and rows left out: their texts were in the training. */
  readonly rowCount: number;
  readonly leftOutCount: number;
  /** Null where a class has no row left, as well. */
  readonly binary: BinaryTransfer | null;
  /** A probe fitted on the other set's training rows, on its test rows: what could be reached. */
  readonly native: number;
  /** Cosine of the two directions, -1..1; null for probes without one. */
  readonly directionCosine: number | null;
}

/** What {@link transferProbes} reads. */
export interface TransferOptions {
  /** States that probes are fitted on. */
  readonly from: StateStore;
  /** States that they are measured on: as many, as wide, of the same classes. */
  readonly to: StateStore;
  readonly config: Config;
  /** Names of the other set's classes in those of the first, e.g. `{ unsafe: 'malicious' }`. */
  readonly classNames?: Readonly<Record<string, string>> | undefined;
  readonly states?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((state: number) => void) | undefined;
}

/**
 * Probes of each state, fitted on one set's training rows and measured on another set.
 *
 * Rows of the other set whose text is among the training rows are left out: prompts that two
 * checkpoints have in common would else be measured on what the probe has seen.
 *
 * @throws {ConfigError} when width, number of states or classes of the two sets differ.
 * @throws {DataError} when no row is left.
 */
export async function transferProbes(options: TransferOptions): Promise<TransferPoint[]> {
  const { from, to, config } = options;
  const places = carriedPlaces(options);
  const [split] = splitsOf({ store: from, config });
  const [other] = splitsOf({ store: to, config });
  const unseen = unseenRows(options, split!);
  const all = Array.from({ length: from.stateCount }, (_, state) => state);
  const points: TransferPoint[] = [];
  for (const state of options.states ?? all) {
    options.onProgress?.(state);
    const source = { samples: await readSamples(from, state), split: split! };
    const found = await readSamples(to, state);
    const labels = found.labels.map((place) => places[place]!);
    const target = { samples: { ...found, labels }, split: other! };
    for (const kind of config.probe.kinds) {
      points.push({ state, ...(await carry(kind, { source, target, unseen, options })) });
    }
  }
  return points;
}

/** Rows of the other set whose texts are not among the training rows. */
function unseenRows({ from, to }: TransferOptions, { train }: Split): Int32Array {
  const seen = new Set(Array.from(train, (row) => from.rows[row]!.promptSha256));
  const kept = [...to.rows.keys()].filter((row) => !seen.has(to.rows[row]!.promptSha256));
  if (kept.length > 0) return Int32Array.from(kept);
  throw new DataError(
    `weak-probe/transfer: the probes were fitted on the texts of all ${to.rowCount} rows.`,
    { help: 'Carry them to other prompts, or to all prompts of the same set.' },
  );
}

/**
 * For each class of the other set its place in the first.
 *
 * @throws {ConfigError} when width, number of states or classes of the two sets differ.
 */
export function carriedPlaces({
  from,
  to,
  classNames = {},
}: Pick<TransferOptions, 'classNames' | 'from' | 'to'>): number[] {
  if (from.width !== to.width || from.stateCount !== to.stateCount) {
    throw new ConfigError(
      `weak-probe/transfer: ${from.stateCount} states of width ${from.width} and ` +
        `${to.stateCount} of width ${to.width}.`,
      { help: 'transfer between sets, or checkpoints, of the same architecture.' },
    );
  }
  const { classes } = from.about;
  const named = to.about.classes.map((name) => classNames[name] ?? name);
  const places = named.map((name) => classes.indexOf(name));
  const isWhole = new Set(places).size === classes.length && !places.includes(-1);
  if (isWhole && places.length === classes.length) return places;
  throw new ConfigError(
    `weak-probe/transfer: classes ${classes.join(', ')} and ${named.join(', ')} do not match.`,
    { help: 'name the other classes like the first: --rename unsafe=malicious.' },
  );
}

interface Side {
  readonly samples: SharedSamples;
  readonly split: Split;
}

interface Carrying {
  readonly source: Side;
  readonly target: Side;
  /** Rows of the target that are measured. */
  readonly unseen: Int32Array;
  readonly options: TransferOptions;
}

async function carry(
  kind: ProbeKind,
  { source, target, unseen, options }: Carrying,
): Promise<Omit<TransferPoint, 'state'>> {
  const { config, from, signal } = options;
  const { classes } = from.about;
  const fit = ({ samples, split }: Side) =>
    fitProbe(kind, trainingRows(samples, classes, split.train), { settings: config, signal });
  const probe = await fit(source);
  const native = await fit(target);
  const held = predictRows(probe, source.split.test, source.samples);
  const { rows } = target.samples;
  const labels = unseen.map((row) => target.samples.labels[row]!);
  const judge = probe.plain();
  const all = scoreRows(judge, rows.values);
  const scores = Array.from(unseen, (row) => all[row]!);
  const predicted = scores.map((own) => classOfScores(judge, own));
  const accuracy = accuracyOf({ predicted, actual: labels });
  const isWhole = classes.length === 2 && new Set(labels).size === 2;
  const margins = isWhole ? scores.map((own) => own[0]!) : null;
  return {
    ...{ probe: kind, accuracy },
    within: {
      accuracy: accuracyOf(held),
      auroc: held.margins === null ? null : auroc(held.margins, held.actual),
    },
    interval: wilson(accuracy * labels.length, labels.length),
    ...{ rowCount: labels.length, leftOutCount: rows.rowCount - labels.length },
    binary: margins === null || held.margins === null ? null : binaryOf(held, { margins, labels }),
    native: accuracyOf(predictRows(native, target.split.test, target.samples)),
    directionCosine: cosineOf(probe, native),
  };
}

/** Scores of each row of width D. */
export function scoreRows(probe: PlainProbe, values: ArrayLike<number>): Float64Array[] {
  const count = values.length / probe.width;
  return Array.from({ length: count }, (_, row) => scoreState(probe, values, row * probe.width));
}

function binaryOf(
  held: ReturnType<typeof predictRows>,
  { margins, labels }: { readonly margins: number[]; readonly labels: Int32Array },
): BinaryTransfer {
  const calibrate = fitPlatt(held.margins!, held.actual);
  const { threshold } = operatingPoint(held.margins!, held.actual);
  const shareAbove = (label: number) => {
    const own = margins.filter((_, row) => labels[row] === label);
    return own.filter((margin) => margin >= threshold).length / own.length;
  };
  return {
    auroc: auroc(margins, labels),
    truePositiveRate: operatingPoint(margins, labels).truePositiveRate,
    carriedTruePositiveRate: shareAbove(1),
    carriedFalsePositiveRate: shareAbove(0),
    ece: expectedCalibrationError(margins.map(calibrate), labels).ece,
  };
}

function cosineOf(one: Probe, other: Probe): number | null {
  const [a, b] = [one.direction(), other.direction()];
  if (a === null || b === null) return null;
  return a.reduce((sum, value, d) => sum + value * b[d]!, 0);
}
