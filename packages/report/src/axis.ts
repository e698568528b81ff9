import { ConfigError, formatCount, formatNumber, formatShare } from '@lab/core';
import { linearTicks, logTicks } from './ticks.js';

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

/**
 * How values of one figure are written beside each other: with the same decimals, three digits in
 * the largest; shares, values of a logarithmic axis and whole numbers as `axisValue` writes them.
 */
export function valueWriter(axis: Axis, values: readonly number[]): (value: number) => string {
  const finite = values.filter((value) => Number.isFinite(value));
  const most = finite.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const isPlain = axis.format === 'share' || axis.isLog === true || most < 1e-6;
  if (isPlain || finite.every((value) => Number.isInteger(value))) {
    return (value) => axisValue(axis, value);
  }
  // A full mark such as 100 counts as the two digits of what lies below it.
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(most * 0.99)));
  return (value) => {
    if (decimals === 0 || !Number.isFinite(value)) return formatCount(value);
    return value.toFixed(decimals).replace(/^-(0\.0+)$/, '$1');
  };
}

/** An axis as it is drawn: with its ends and about how many ticks. */
export interface DrawnAxis {
  readonly axis: Axis;
  readonly domain: readonly [number, number];
  readonly count: number;
  /** Whether ticks stand at whole numbers only, as for epochs. */
  readonly isWhole?: boolean;
}

/** Whether ticks between whole numbers would be wrong: what is counted, such as epochs. */
export function hasWholeTicks({ format }: Axis, values: readonly number[]): boolean {
  return format !== 'share' && values.every((value) => Number.isInteger(value));
}

/** Ticks in the form that Observable Plot takes: where they are and how they read. */
export interface AxisTicks {
  readonly ticks: number[];
  readonly tickFormat: (value: number) => string;
}

/** About `count` ticks: round numbers on a linear axis, 1-2-5 steps or decades on a log one. */
export function axisTicks({ axis, domain, count, isWhole = false }: DrawnAxis): AxisTicks {
  const isShare = axis.format === 'share';
  const { values, format } = axis.isLog
    ? logTicks(domain, count)
    : linearTicks(domain, { count, isShare, isWhole });
  return { ticks: values, tickFormat: format };
}

/**
 * The ends of the axis: fixed ones, or those of the data with a little air, or with 0; an axis of
 * shares stays within 0 and 1 while its values do.
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
  const isShare = axis.format === 'share' && low >= 0 && high <= 1;
  // Steps between numbers that differ by less than this underflow to 0.
  if (high - low < 1e-300) [low, high] = aroundValue(Math.abs(low) < 1e-290 ? 0 : low);
  const margin = (high - low) * air;
  const bottom = axis.hasZero && low === 0 ? 0 : low - margin;
  const top = axis.hasZero && high === 0 ? 0 : high + margin;
  return isShare ? [Math.max(0, bottom), Math.min(1, top)] : [bottom, top];
}

function aroundValue(value: number): [number, number] {
  if (value === 0) return [0, 1];
  const room = Number.isInteger(value) ? 1 : Math.abs(value) / 10;
  return [value - room, value + room];
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
