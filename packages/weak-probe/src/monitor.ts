/**
 * A probe as a monitor: scores states of a model as they come. This file and what it imports need
 * no tensors and nothing of Node, so that it runs wherever numbers arrive (entry
 * `@lab/weak-probe/monitor`).
 */
import { classOfScores, type PlainProbe, type ProbeLayer, scoreState } from './plain-probe.js';

/** How a monitor fared on rows it was not fitted on. */
export interface MonitorQuality {
  readonly rowCount: number;
  readonly accuracy: number;
  readonly auroc: number;
  /** Rates at the threshold. */
  readonly truePositiveRate: number;
  readonly falsePositiveRate: number;
  /** Expected calibration error of the probabilities. */
  readonly ece: number;
}

/** A monitor as it is stored, plain JSON. */
export interface MonitorBundle {
  readonly schemaVersion: 1;
  readonly kind: 'weak-probe-monitor';
  /** Whose states it reads; those of another model mean nothing to it. */
  readonly model: { readonly path: string; readonly fingerprint: string };
  readonly tokenizerFingerprint: string;
  readonly format: string;
  readonly system: string;
  /** Whether prompts get a full stop: `period` or `none`. */
  readonly normalisation: string;
  readonly site: string;
  readonly positions: string;
  /** State it reads: behind so many blocks. */
  readonly state: number;
  /** Whether that state stands behind the final norm. */
  readonly isNormed: boolean;
  /** The probe; the second of its two classes is the one that raises an alarm. */
  readonly probe: PlainProbe;
  /** `probability = 1 / (1 + exp(-(slope score + intercept)))`. */
  readonly calibration: { readonly slope: number; readonly intercept: number };
  /** Scores at or above it raise an alarm. */
  readonly threshold: number;
  readonly quality: MonitorQuality;
}

/** What a monitor says of a state. */
export interface MonitorReading {
  /** Above 0: the probe's class is the second. */
  readonly score: number;
  /** Of the second class, 0..1. */
  readonly probability: number;
  readonly isAlarm: boolean;
  /** Name of the class. */
  readonly label: string;
}

/** A monitor at work. */
export interface Monitor {
  readonly bundle: MonitorBundle;
  /**
   * Reads a state.
   *
   * @param state - D numbers of the monitored state.
   * @param model - fingerprint of the model they come from, where it is known.
   * @throws {MonitorError} for another width or model, and values that are not finite.
   */
  read(state: ArrayLike<number>, model?: string): MonitorReading;
  /** A stream of states, token by token. */
  stream(options?: StreamOptions): MonitorStream;
}

/** How a stream of readings becomes one. */
export interface StreamOptions {
  /** Weight of the newest score in the running mean, 0 < w <= 1; default 1, each by itself. */
  readonly weight?: number;
  /** Alarms in a row that make the stream's; default 1. */
  readonly patience?: number;
}

/** A reading of a stream so far. */
export interface StreamReading extends MonitorReading {
  /** Tokens read. */
  readonly count: number;
  /** Running mean of the scores. */
  readonly meanScore: number;
  /** Highest running mean so far. */
  readonly highestScore: number;
  /** Whether the stream has raised its alarm; it stays. */
  readonly isRaised: boolean;
}

/** See {@link Monitor.stream}. */
export interface MonitorStream {
  read(state: ArrayLike<number>): StreamReading;
}

/**
 * A state or a bundle that a monitor cannot take (`LAB_DATA`, exit code 3). `LabError.is` of
 * `@lab/core` knows it by its mark; the class itself is not imported, as that needs Node.
 */
export class MonitorError extends Error {
  override readonly name = 'MonitorError';
  readonly code = 'LAB_DATA';
  readonly details: Record<string, unknown> = {};

  constructor(
    message: string,
    /** What to do about it. */
    readonly help: string,
  ) {
    super(message);
    Object.defineProperty(this, Symbol.for('lab.error'), { value: true });
  }
}

/**
 * A monitor from its stored form.
 *
 * @param bundle - what `weak-probe monitor` wrote, parsed.
 * @throws {MonitorError} when it is no bundle, or one of another version.
 */
export function createMonitor(bundle: unknown): Monitor {
  const checked = checkBundle(bundle);
  const read: Monitor['read'] = (state, model) => {
    checkState(checked, state, model);
    return readingOf(checked, scoreState(checked.probe, state)[0]!);
  };
  return { bundle: checked, read, stream: (options) => openStream(checked, read, options) };
}

function readingOf({ probe, calibration, threshold }: MonitorBundle, score: number) {
  const logit = calibration.slope * score + calibration.intercept;
  return {
    score,
    probability: 1 / (1 + Math.exp(-logit)),
    isAlarm: score >= threshold,
    label: probe.classes[classOfScores(probe, [score])]!,
  };
}

function openStream(
  bundle: MonitorBundle,
  read: Monitor['read'],
  { weight = 1, patience = 1 }: StreamOptions = {},
): MonitorStream {
  if (!(weight > 0 && weight <= 1) || !Number.isInteger(patience) || patience < 1) {
    throw new MonitorError(
      `weak-probe/monitor: weight ${weight}, patience ${patience}.`,
      'allowed are 0 < weight <= 1, and 1, 2, ... alarms.',
    );
  }
  let [count, alarms, meanScore, highestScore] = [0, 0, 0, Number.NEGATIVE_INFINITY];
  let isRaised = false;
  return {
    read: (state) => {
      const { score } = read(state);
      meanScore = count === 0 ? score : meanScore + weight * (score - meanScore);
      count += 1;
      highestScore = Math.max(highestScore, meanScore);
      const reading = readingOf(bundle, meanScore);
      alarms = reading.isAlarm ? alarms + 1 : 0;
      isRaised ||= alarms >= patience;
      return { ...reading, score, count, meanScore, highestScore, isRaised };
    },
  };
}

function checkState(
  { probe, model }: MonitorBundle,
  state: ArrayLike<number>,
  fingerprint: string | undefined,
): void {
  if (fingerprint !== undefined && fingerprint !== model.fingerprint) {
    throw new MonitorError(
      `weak-probe/monitor: the state is of model ${fingerprint.slice(0, 12)}, the monitor was ` +
        `made for ${model.fingerprint.slice(0, 12)} (${model.path}).`,
      'make a monitor for this model: weak-probe collect, then monitor.',
    );
  }
  if (state.length !== probe.width) {
    throw new MonitorError(
      `weak-probe/monitor: the state has ${state.length} numbers, the monitor reads ` +
        `${probe.width}.`,
      'give the state that the bundle names.',
    );
  }
  for (let d = 0; d < state.length; d += 1) {
    if (Number.isFinite(state[d])) continue;
    throw new MonitorError(
      `weak-probe/monitor: number ${d} of the state is ${state[d]}.`,
      'find where the model stops giving finite numbers.',
    );
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function checkBundle(value: unknown): MonitorBundle {
  if (!isObject(value) || value['kind'] !== 'weak-probe-monitor') {
    throw new MonitorError(
      'weak-probe/monitor: this is no monitor.',
      'make one: weak-probe monitor.',
    );
  }
  if (value['schemaVersion'] !== 1) {
    throw new MonitorError(
      `weak-probe/monitor: the bundle is of version ${String(value['schemaVersion'])}, this ` +
        'program reads version 1.',
      'make it again: weak-probe monitor.',
    );
  }
  const { probe } = value;
  const isWhole =
    isObject(probe) && isObject(probe['layer']) && hasSizes(probe as unknown as PlainProbe);
  if (isWhole && isObject(value['calibration']) && typeof value['threshold'] === 'number') {
    return value as unknown as MonitorBundle;
  }
  throw new MonitorError(
    'weak-probe/monitor: the bundle is damaged.',
    'make it again: weak-probe monitor.',
  );
}

/** Whether there are as many numbers as width and units say. */
function hasSizes({ layer, width, classes }: PlainProbe): boolean {
  const isNumbers = (values: unknown, count: number) =>
    Array.isArray(values) && values.length === count && values.every(Number.isFinite);
  if (!Array.isArray(classes) || classes.length !== 2) return false;
  return layer.form === 'linear'
    ? isNumbers(layer.weights, width) && isNumbers(layer.intercepts, 1)
    : hasHiddenSizes(layer, width, isNumbers);
}

function hasHiddenSizes(
  layer: Extract<ProbeLayer, { form: 'mlp' }>,
  width: number,
  isNumbers: (values: unknown, count: number) => boolean,
): boolean {
  const units = layer.hiddenBiases?.length ?? 0;
  return (
    isNumbers(layer.hiddenWeights, units * width) &&
    isNumbers(layer.hiddenBiases, units) &&
    isNumbers(layer.outputWeights, units) &&
    isNumbers(layer.outputBiases, 1)
  );
}
