import { ConfigError, formatCount, formatNumber, formatShare } from '@lab/core';

/** One axis of a plot. */
export interface Axis {
  /** What is measured, in the reader's words. */
  readonly label: string;
  /** Printed behind the label in brackets. */
  readonly unit?: string;
  /** Logarithmic; all values must then be positive. */
  readonly isLog?: boolean;
  /** Always contains 0; default false, bars always do. */
  readonly hasZero?: boolean;
  /** Fixed ends instead of those of the data. */
  readonly domain?: readonly [number, number];
  /** How ticks and values read: shares as `.61`, other numbers with three digits (default). */
  readonly format?: 'number' | 'share';
}

/** The words beside an axis: its label with the unit, and "log" when it is. */
export function axisLabel(axis: Axis): string {
  const remarks = [axis.unit, axis.isLog ? 'log' : undefined].filter((part) => part !== undefined);
  return remarks.length > 0 ? `${axis.label} (${remarks.join(', ')})` : axis.label;
}

/** A value as the axis writes it. */
export function axisValue(axis: Pick<Axis, 'format'>, value: number): string {
  if (axis.format === 'share') return formatShare(value);
  return Number.isInteger(value) && Math.abs(value) < 1e6
    ? formatCount(value)
    : formatNumber(value);
}

/** Ticks of a plot's axis: where they are (or how many), and how they read. */
export interface AxisTicks {
  readonly ticks: number | number[];
  readonly tickFormat?: (value: number) => string;
}

/** About `count` ticks: round numbers on a linear axis, 1-2-5 steps or decades on a log one. */
export function axisTicks(axis: Axis, domain: readonly [number, number], count: number): AxisTicks {
  if (axis.isLog) return { ticks: logTicks(domain, count), tickFormat: plainNumber };
  if (axis.format !== 'share') return { ticks: count };
  const tickFormat = (value: number) => plainNumber(value).replace(/^(-?)0\./, '$1.');
  return { ticks: count, tickFormat };
}

function plainNumber(value: number): string {
  const rounded = Number(value.toPrecision(6));
  const isPlain = rounded === 0 || (Math.abs(rounded) >= 1e-4 && Math.abs(rounded) < 1e6);
  return isPlain ? rounded.toLocaleString('en-US', { maximumSignificantDigits: 6 }) : `${rounded}`;
}

function logTicks([low, high]: readonly [number, number], count: number): number[] {
  const exponents: number[] = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) exponents.push(power);
  const at = (steps: readonly number[]) =>
    exponents
      .flatMap((power) => steps.map((step) => Number(`${step}e${power}`)))
      .filter((value) => value >= low && value <= high);
  const candidates = [at([1, 2, 3, 5, 7]), at([1, 2, 5]), at([1, 3]), at([1])];
  const fitting = candidates.find((ticks) => ticks.length <= count + 1);
  if (fitting) return fitting;
  const decades = at([1]);
  const stride = Math.ceil(decades.length / count);
  return decades.filter((_, index) => index % stride === 0);
}

/**
 * The ends of the axis: fixed ones, or those of the data with a little air, or with 0.
 *
 * @throws {ConfigError} when a logarithmic axis meets a value that is not positive.
 */
export function axisDomain(axis: Axis, values: readonly number[], air = 0.04): [number, number] {
  if (axis.domain) return [axis.domain[0], axis.domain[1]];
  const finite = values.filter((value) => Number.isFinite(value));
  let low = finite.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  let high = finite.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (finite.length === 0) return axis.isLog ? [1, 10] : [0, 1];
  if (axis.isLog) return logDomain(axis, low, high);
  if (axis.hasZero) [low, high] = [Math.min(low, 0), Math.max(high, 0)];
  if (low === high) [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) / 10, high * 1.1];
  const margin = (high - low) * air;
  const bottom = axis.hasZero && low === 0 ? 0 : low - margin;
  const top = axis.hasZero && high === 0 ? 0 : high + margin;
  const isShare = axis.format === 'share' && low >= 0 && high <= 1;
  return isShare ? [Math.max(0, bottom), Math.min(1, top)] : [bottom, top];
}

function logDomain(axis: Axis, low: number, high: number): [number, number] {
  if (low > 0) return low === high ? [low / 2, high * 2] : [low / 1.1, high * 1.1];
  throw new ConfigError(
    `report/plot: the axis "${axis.label}" is logarithmic, its least value is ${low}.`,
    { help: 'Leave out values that are not positive, or use a linear axis.' },
  );
}

/** Pixel position of a value on an axis that runs from one pixel to another. */
export function axisPosition(
  axis: Axis,
  domain: readonly [number, number],
  range: readonly [number, number],
): (value: number) => number {
  const scale = axis.isLog ? Math.log : (value: number) => value;
  const [low, high] = [scale(domain[0]), scale(domain[1])];
  return (value) => range[0] + ((scale(value) - low) / (high - low)) * (range[1] - range[0]);
}
