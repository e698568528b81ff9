/**
 * Decisions of a review as pairs that are known to be right, and pairs that are refused.
 */
import { DataError, type OnDefect, reportDefect } from '@lab/core';
import { readCsv } from '@lab/core/csv';
import type { AlignmentData, LinkSplit } from '@lab/graph';
import { createNameLookup, type NameLookup } from './entity-names.js';
import { pairKey, pairKeys } from './refused-pairs.js';

/** What a reviewed file says; pairs are interleaved dense indices in the order of the file. */
export interface ReviewDecisions {
  readonly confirmed: Int32Array;
  /** Proposed pairs with "no", and those that were decided for another target. */
  readonly refused: Int32Array;
  /** Rows without a decision. */
  readonly undecided: number;
}

/** One row that was decided. */
interface DecidedRow {
  readonly line: number;
  readonly text: string;
  readonly source: number;
  readonly proposed: number;
  /** The target that was chosen, null for "no". */
  readonly chosen: number | null;
}

/** What decisions are read against. */
export interface DecisionContext {
  readonly data: Pick<AlignmentData, 'entityIds' | 'entityNames' | 'keyedBy' | 'left' | 'right'>;
  /** The pairs that the run was given; a decision for another counterpart contradicts them. */
  readonly split: Pick<LinkSplit, 'seeds' | 'validation'>;
  readonly onDefect: OnDefect;
}

const needed = ['source', 'target', 'decision'] as const;

/** Defects that are given the nearest names; the search takes its time. */
const HELPED = 20;

/**
 * The decisions of a reviewed CSV file with the columns `source`, `target` and `decision`, others
 * passed over. A decision is yes, no, nothing, or the name of another target.
 *
 * Defects, all of them: an unknown name or word, an entity decided twice, one that the seeds have
 * another counterpart for, and a file without any decision.
 */
export async function readDecisions(
  file: string,
  context: DecisionContext,
): Promise<ReviewDecisions> {
  const rows: DecidedRow[] = [];
  const counts = { undecided: 0 };
  const take = createRowReader(createFinder(file, context), { rows, counts });
  let columns: number[] = [];
  const onHeader = (header: readonly string[]) => {
    columns = needed.map((name) => header.findIndex((cell) => plain(cell) === name));
    const missing = needed.filter((_, at) => columns[at] === -1);
    if (missing.length === 0) return;
    throw new DataError(`${file}: the column ${missing.join(', ')} is missing.`, {
      file,
      line: 1,
      text: header.join(','),
      help: 'keep the headings that the review was written with',
    });
  };
  const options = { header: true, onHeader, onDefect: context.onDefect };
  await reportAsync(context.onDefect, () =>
    readCsv(file, options, (row, line) => {
      take(
        columns.map((column) => (row[column] ?? '').trim()),
        { line, text: row.join(',') },
      );
    }),
  );
  for (const defect of contradictions(file, rows, context)) context.onDefect(defect);
  const confirmed = rows.filter(({ chosen }) => chosen !== null);
  const refused = rows.filter(({ chosen, proposed }) => chosen !== proposed);
  return {
    confirmed: Int32Array.from(confirmed.flatMap(({ source, chosen }) => [source, chosen!])),
    refused: Int32Array.from(refused.flatMap(({ source, proposed }) => [source, proposed])),
    undecided: counts.undecided,
  };
}

const plain = (cell: string) =>
  cell
    .replace(/^\uFEFF/, '')
    .trim()
    .toLowerCase();

async function reportAsync(onDefect: OnDefect, body: () => Promise<unknown>): Promise<void> {
  try {
    await body();
  } catch (error) {
    reportDefect(onDefect, () => {
      throw error;
    });
  }
}

interface Place {
  readonly line: number;
  readonly text: string;
}

/** Finds entities; unknown ones become defects. */
interface EntityFinder {
  /** Dense index, -1 after a defect. */
  find(side: 'source' | 'target', name: string, place: Place): number;
  /** The target that a decision stands for, null for "no", undefined after a defect. */
  choose(word: string, proposed: number, place: Place): number | null | undefined;
}

function createFinder(file: string, { data, onDefect }: DecisionContext): EntityFinder {
  const lookups = {
    source: createNameLookup(data, data.left),
    target: createNameLookup(data, data.right),
  };
  let helped = 0;
  const nearOf = (lookup: NameLookup, name: string) => {
    helped += 1;
    return helped > HELPED ? '' : `; the nearest are ${lookup.near(name).join(', ')}`;
  };
  return {
    find: (side, name, place) => {
      const entity = lookups[side].find(name);
      if (entity >= 0) return entity;
      const what = `the ${side} "${name}" is no entity of its graph`;
      const help = `spell it as in the graph${nearOf(lookups[side], name)}`;
      onDefect(placed(file, place, { what, help }));
      return -1;
    },
    choose: (word, proposed, place) => {
      if (/^(yes|y)$/i.test(word)) return proposed;
      if (/^(no|n)$/i.test(word)) return null;
      const entity = lookups.target.find(word);
      if (entity >= 0) return entity;
      const what = `the decision "${word}" is neither yes nor no nor a target`;
      const near = nearOf(lookups.target, word);
      const help = `write yes, no, or the name of another target${near}`;
      onDefect(placed(file, place, { what, help }));
      return undefined;
    },
  };
}

/** Reads rows into what was decided; bad ones become defects. */
function createRowReader(
  { find, choose }: EntityFinder,
  found: { readonly rows: DecidedRow[]; readonly counts: { undecided: number } },
) {
  return ([sourceName, targetName, word]: readonly string[], place: Place): void => {
    if (word === '') {
      found.counts.undecided += 1;
      return;
    }
    const source = find('source', sourceName!, place);
    const proposed = find('target', targetName!, place);
    const chosen = choose(word!, proposed, place);
    if (source < 0 || proposed < 0 || chosen === undefined) return;
    found.rows.push({ ...place, source, proposed, chosen });
  };
}

function placed(
  file: string,
  { line, text }: Place,
  { what, help }: { readonly what: string; readonly help: string },
): DataError {
  return new DataError(`${file} line ${line}: ${what}.`, { file, line, text, help });
}

/** What a row says of pairs, as keys: of the proposed one, and of another that was chosen. */
function judgedPairs({ source, proposed, chosen }: DecidedRow): [number, number][] {
  const isOther = chosen !== null && chosen !== proposed;
  return [[source, proposed], ...(isOther ? [[source, chosen] as [number, number]] : [])];
}

/** Decisions against each other and against the pairs that the run was given. */
function contradictions(
  file: string,
  rows: readonly DecidedRow[],
  { data, split }: DecisionContext,
): DataError[] {
  if (rows.length === 0) return [nothingDecided(file)];
  const refused = rows.flatMap(({ source, proposed, chosen }) =>
    chosen === proposed ? [] : [source, proposed],
  );
  const given = knownPartners(split, pairKeys(Int32Array.from(refused)));
  const lines = new Map<string, number>();
  const lineOf = (key: string, line: number) => {
    const before = lines.get(key);
    if (before === undefined) lines.set(key, line);
    return before;
  };
  const name = (entity: number) => `"${data.entityNames[entity]}"`;
  return rows.flatMap((row) => {
    const found: string[] = [];
    const repeated = judgedPairs(row)
      .map(([left, right]) => lineOf(`pair ${left} ${right}`, row.line))
      .find((line) => line !== undefined);
    if (repeated !== undefined)
      found.push(`the pair is decided twice, in line ${repeated} already`);
    else if (row.chosen !== null) found.push(...confirmedTwice(row, lineOf, name));
    if (row.chosen !== null) found.push(...againstSeeds(row, row.chosen, { given, name }));
    const help =
      'keep one of the two; a pair of the seeds is refused by a row of its own with "no"';
    return found.map((what) => placed(file, row, { what, help }));
  });
}

function nothingDecided(file: string): DataError {
  return new DataError(`${file}: no row has a decision.`, {
    file,
    help: 'write yes, no, or the name of another target in the column "decision"',
  });
}

/** An entity with two counterparts in the file. */
function confirmedTwice(
  { source, chosen, line }: DecidedRow,
  lineOf: (key: string, line: number) => number | undefined,
  name: (entity: number) => string,
): string[] {
  const ends = [
    ['source', source],
    ['target', chosen!],
  ] as const;
  return ends.flatMap(([side, entity]) => {
    const before = lineOf(`${side} ${entity}`, line);
    if (before === undefined) return [];
    return [`the ${side} ${name(entity)} is decided twice, in line ${before} already`];
  });
}

/** An entity with another counterpart among the given pairs. */
function againstSeeds(
  { source }: DecidedRow,
  chosen: number,
  known: {
    readonly given: ReadonlyMap<number, number>;
    readonly name: (entity: number) => string;
  },
): string[] {
  const ends = [
    [source, chosen],
    [chosen, source],
  ] as const;
  return ends.flatMap(([entity, other]) => {
    const partner = known.given.get(entity);
    if (partner === undefined || partner === other) return [];
    return [`${known.name(entity)} has ${known.name(partner)} among the seeds`];
  });
}

/** Counterparts of the pairs that a run was given, less the refused ones. */
function knownPartners(
  { seeds, validation }: Pick<LinkSplit, 'seeds' | 'validation'>,
  refused: ReadonlySet<number>,
): Map<number, number> {
  const partners = new Map<number, number>();
  for (const pairs of [seeds, validation]) {
    for (let at = 0; at < pairs.length; at += 2) {
      const [left, right] = [pairs[at]!, pairs[at + 1]!];
      if (refused.has(pairKey(left, right))) continue;
      partners.set(left, right);
      partners.set(right, left);
    }
  }
  return partners;
}
