/**
 * Results of a group of cells as files: a table and a figure.
 */
import { join } from 'node:path';
import { type ExperimentTable, InterruptedError, LabError, writeFileAtomic } from '@lab/core';
import { tInterval } from '@lab/metrics';
import {
  barPlot,
  type Figure,
  linePlot,
  markdownTable,
  meanCell,
  standaloneSvg,
  svgToPng,
  type Table,
} from '@lab/report';
import { isAutomatic } from '../automatic-seeds.js';
import { PEAK_MEMORY } from '../peak-memory.js';
import type { AblationGroup } from './cell.js';
import { readProjectionFigure } from './projection.js';

/** What is said beside every table: the data, and how long and how often was trained. */
export interface ResultHeading {
  readonly dir: string;
  readonly dataName: string;
  /** Where the seed pairs came from; automatic ones are named in every table and figure. */
  readonly seedOrigin: string;
  readonly epochs: number;
  readonly seeds: readonly number[];
}

/** A group and the numbers of its cells. */
export interface GroupResult {
  readonly group: AblationGroup;
  readonly table: ExperimentTable;
}

/** A number per cell: its name in the results, and how a table and an axis write it. */
interface Measure {
  readonly key: string;
  readonly kind: 'share' | 'number' | 'count';
}

const RANKING: readonly Measure[] = ['H@1', 'H@10', 'MRR', 'H@1 backward'].map((key) => ({
  key,
  kind: 'share',
}));

/** Names of the numbers that say what an epoch costs. */
export const costNames = {
  seconds: 'seconds per epoch',
  megabytes: `${PEAK_MEMORY}, MB`,
  edges: 'neighbour pairs',
} as const;

const COST: readonly Measure[] = [
  { key: costNames.edges, kind: 'count' },
  { key: costNames.seconds, kind: 'number' },
  { key: costNames.megabytes, kind: 'count' },
];

/** Whether a group measures cost on made-up pairs in place of the ranking of test pairs. */
export function isCostGroup({ cells }: AblationGroup): boolean {
  return cells.some(({ syntheticEntities }) => syntheticEntities !== undefined);
}

/** Table and figure files of one group; their paths. */
export async function writeGroup(heading: ResultHeading, found: GroupResult): Promise<string[]> {
  const isCost = isCostGroup(found.group);
  const isMarked = !isCost && isAutomatic(heading.seedOrigin);
  const title = `${found.group.title}${isMarked ? ' (AUTOMATIC seeds)' : ''}`;
  const result = { ...found, group: { ...found.group, title } };
  const { group, table } = result;
  const { dataName, epochs } = heading;
  const seeds = `${heading.seeds.length === 1 ? 'seed' : 'seeds'} ${heading.seeds.join(', ')}`;
  const origin = isMarked ? `; known pairs ${heading.seedOrigin}` : '';
  const conditions = isCost ? `${seeds}.` : `${dataName}, ${epochs} epochs, ${seeds}${origin}.`;
  const path = join(heading.dir, `${group.name}.md`);
  const text = markdownTable(groupTable(group, table));
  writeFileAtomic(path, `## ${group.title}\n\n${group.caption} ${conditions}\n\n${text}\n`);
  const projected = group.cells.filter((cell) => cell.isProjected);
  const figures: [string, Figure][] = isCost
    ? [
        [group.name, groupFigure(result, costNames.seconds)],
        [`${group.name}-memory`, groupFigure(result, costNames.megabytes)],
      ]
    : projected.length > 0
      ? [[group.name, readProjectionFigure(heading.dir, group.title, projected)]]
      : [[group.name, groupFigure(result, 'H@1')]];
  const files = [path];
  for (const [name, figure] of figures) {
    files.push(...(await writeFigure(join(heading.dir, name), figure)));
  }
  return files;
}

/** `<path>.svg`, and `<path>.png` where the optional package for it is there. */
export async function writeFigure(path: string, figure: Figure): Promise<string[]> {
  const svg = standaloneSvg(figure);
  writeFileAtomic(`${path}.svg`, svg);
  try {
    writeFileAtomic(`${path}.png`, await svgToPng(svg));
    return [`${path}.svg`, `${path}.png`];
  } catch (error) {
    // PNG needs an optional package; tables and SVG are complete without it.
    if (!LabError.is(error) || error instanceof InterruptedError) throw error;
    return [`${path}.svg`];
  }
}

function groupTable(group: AblationGroup, table: ExperimentTable): Table {
  const measures = isCostGroup(group) ? COST : RANKING;
  return {
    columns: [
      { key: 'label', label: 'setting' },
      ...measures.map(({ key, kind }) => ({ key, label: key, kind })),
    ],
    rows: table.rows.map((row) => ({
      label: group.cells.find(({ id }) => id === row.id)!.label,
      ...Object.fromEntries(measures.map(({ key }) => [key, meanCell(row.values[key]!)])),
    })),
  };
}

/**
 * Mean of the runs of a cell, with the ends of Student's 95 % interval of that mean where there are
 * two runs or more that differ.
 */
export function meanSpread(values: readonly number[]): {
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
} {
  const { mean: value, deviation, n, low, high } = tInterval(values);
  return n > 1 && deviation > 0 ? { value, low, high } : { value };
}

/** As {@link meanSpread}, of shares: no end of the interval lies beyond 0 or 1. */
export function shareSpread(values: readonly number[]): ReturnType<typeof meanSpread> {
  const { value, low, high } = meanSpread(values);
  if (low === undefined || high === undefined) return { value };
  return { value, low: Math.max(0, low), high: Math.min(1, high) };
}

function groupFigure({ group, table }: GroupResult, key: string): Figure {
  const rowOf = new Map(table.rows.map((row) => [row.id, row]));
  const isCost = isCostGroup(group);
  const spreadOf = isCost ? meanSpread : shareSpread;
  const spread = (id: string) => spreadOf(rowOf.get(id)!.values[key]!);
  const y = isCost ? { label: key, hasZero: true } : { label: key, format: 'share' as const };
  if (group.axis === undefined) {
    const bars = group.cells.map(({ id, label }) => ({ label, ...spread(id) }));
    return barPlot({ title: group.title, value: y, bars });
  }
  const names = [...new Set(group.cells.map(({ series }) => series!))];
  return linePlot({
    title: isCost ? `${group.title}: ${key}` : group.title,
    x: group.axis,
    y,
    series: names.map((name) => ({
      name,
      points: group.cells
        .filter(({ series }) => series === name)
        .map(({ id, x }) => ({ x: x!, ...renamed(spread(id)) })),
    })),
  });
}

function renamed({ value, ...interval }: ReturnType<typeof meanSpread>) {
  return { y: value, ...interval };
}
