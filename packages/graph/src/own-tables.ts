import { DataError, type OnDefect } from '@lab/core';
import { readCsv } from '@lab/core/csv';
import { createLinkCollector, type LinkReading } from './link-table.js';
import { recordDefect, reportDefects } from './records.js';

/** Words by which a heading is known, for each column that is looked for. */
export type ColumnWords = Readonly<Record<string, readonly string[]>>;

/** One row of a table: the wanted cells by name. */
export interface TableRow {
  /** Cells in the order of the wanted columns. */
  readonly cells: readonly string[];
  readonly line: number;
  /** The whole row for messages. */
  readonly text: string;
}

/** How {@link eachTableRow} reads. */
export interface TableReading {
  readonly file: string;
  /** Wanted columns in their default order. */
  readonly columns: ColumnWords;
  readonly onDefect: OnDefect;
}

function plainWord(cell: string): string {
  return cell
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

/**
 * Positions of the wanted columns when `row` is a heading that names all of them, else undefined.
 *
 * @param row - first row of a table.
 * @param columns - wanted columns and the words that name them.
 */
export function headingPositions(
  row: readonly string[],
  columns: ColumnWords,
): number[] | undefined {
  const words = row.map(plainWord);
  const positions = Object.values(columns).map((names) =>
    words.findIndex((word) => names.includes(word)),
  );
  return positions.includes(-1) ? undefined : positions;
}

/** Text of a row as a message shows it. */
export function rowText(row: readonly string[]): string {
  return row.join(',');
}

/**
 * Resolves when each row of a CSV or TSV file was given to `onRow`. A first row that names all
 * wanted columns is taken as heading and decides where they are (others are passed over); else
 * they are the first columns in the given order. Empty cells and line breaks in wanted columns are
 * defects: a line break comes from a quote that was not closed, and has taken rows with it.
 *
 * @param reading - file, wanted columns, receiver of defects.
 * @param onRow - receives the wanted cells.
 * @returns whether all rows were read: no, where the file ends in an error, or a quote took some.
 */
export async function eachTableRow(
  reading: TableReading,
  onRow: (row: TableRow) => void,
): Promise<boolean> {
  const { file, columns, onDefect } = reading;
  const names = Object.keys(columns);
  let isWhole = true;
  let positions: number[] | undefined;
  const take = (row: string[], line: number): void => {
    if (positions === undefined) {
      positions = headingPositions(row, columns);
      if (positions !== undefined) return;
      positions = names.map((_, i) => i);
    }
    const text = rowText(row);
    const cells = positions.map((position) => (row[position] ?? '').trim());
    const broken = positions.find((position) => row[position]?.includes('\n'));
    if (broken !== undefined) {
      isWhole = false;
      onDefect(quoteDefect({ file, line, row, position: broken }));
    } else if (cells.includes('')) {
      onDefect(missingCell({ file, line, text }, { cells, positions, names, width: row.length }));
    } else onRow({ cells, line, text });
  };
  const summary = await reportDefects(onDefect, () => readCsv(file, { onDefect }, take));
  return isWhole && summary !== undefined;
}

/** The defect of an empty cell in a wanted column. */
function missingCell(
  place: { readonly file: string; readonly line: number; readonly text: string },
  row: {
    readonly cells: readonly string[];
    readonly positions: readonly number[];
    readonly names: readonly string[];
    readonly width: number;
  },
): DataError {
  const missing = row.cells.indexOf('');
  const field = row.names[missing] as string;
  const what = `no ${field} in column ${(row.positions[missing] as number) + 1} of ${row.width}`;
  const help = `Give ${row.names.join(', ')} in this order, or name the columns in the first row.`;
  return recordDefect({ ...place, field }, what, help);
}

/** The defect of a name that runs over several lines. */
function quoteDefect(place: {
  readonly file: string;
  readonly line: number;
  readonly row: readonly string[];
  readonly position: number;
}): DataError {
  const { file, row, position } = place;
  const before = row.slice(0, position);
  const breaks = (cells: readonly string[]) => rowText(cells).split('\n').length - 1;
  const line = place.line + breaks(before);
  const lastLine = line + breaks([row[position] as string]);
  const head = rowText(before).split('\n').at(-1) as string;
  const column = head.length + (position === 0 ? 1 : 2);
  const start = `${head}${position === 0 ? '' : ','}"${(row[position] as string).split('\n')[0]}`;
  const what = `a quote that is not closed before line ${lastLine}`;
  const help = 'Close it in its own line: names hold no line breaks. Inside quotes write " twice.';
  return recordDefect({ file, line, text: start, column }, what, help);
}

/** Columns of a triple table. */
export const tripleColumns: ColumnWords = {
  head: ['head', 'h', 'subject', 's', 'source', 'from', 'start'],
  relation: ['relation', 'r', 'rel', 'predicate', 'p', 'property', 'edge', 'type', 'label'],
  tail: ['tail', 't', 'object', 'o', 'target', 'to', 'end'],
};

/** Columns of a link table. */
const linkColumns: ColumnWords = {
  left: ['left', 'source', 'kg1', 'entity1', 'id1', 'from', 'a', 'subject'],
  right: ['right', 'target', 'kg2', 'entity2', 'id2', 'to', 'b', 'object'],
};

/**
 * The links of a CSV or TSV table (`left,right`, with or without heading, further columns passed
 * over) as interleaved dense pairs, and whether all rows were read; bad links are defects.
 *
 * @param file - path.
 * @param reading - how ends are looked up and defects reported.
 */
export async function readLinkTable(
  file: string,
  reading: LinkReading,
): Promise<{ readonly pairs: Int32Array; readonly isWhole: boolean }> {
  const collector = createLinkCollector(reading);
  const { onDefect } = reading;
  const table = { file, columns: linkColumns, onDefect };
  const isWhole = await eachTableRow(table, ({ cells, line, text }) => {
    collector.add(cells, { file, line, text, column: 1 });
  });
  return { pairs: collector.pairs(), isWhole };
}

const entityWords = ['entity', 'id', 'name', 'subject', 's', 'uri', 'iri', 'key', 'head'];
const attributeWords = ['attribute', 'attr', 'property', 'predicate', 'attributename'];

/** Receives the attributes of a table. */
export interface AttributeTarget {
  /** Dense index of an entity name, -1 when unknown. */
  readonly indexOf: (name: string) => number;
  readonly add: (entity: number, attribute: string) => void;
  readonly onDefect: OnDefect;
  /** Whether all entities are known; where not, many unknown ones are no defect. */
  readonly isWhole?: boolean | undefined;
}

/** Layout of an attribute table: one attribute a row, or one column an attribute. */
type AttributeLayout =
  | { readonly kind: 'long'; readonly entity: number; readonly attribute: number }
  | { readonly kind: 'wide'; readonly entity: number; readonly names: readonly string[] };

function attributeLayout(row: readonly string[]): { layout: AttributeLayout; isHeading: boolean } {
  const words = row.map(plainWord);
  const attribute = words.findIndex((word) => attributeWords.includes(word));
  const entity = words.findIndex((word, i) => i !== attribute && entityWords.includes(word));
  if (entity >= 0 && attribute >= 0) {
    return { layout: { kind: 'long', entity, attribute }, isHeading: true };
  }
  if (entity >= 0 && row.length > 1) {
    return { layout: { kind: 'wide', entity, names: row }, isHeading: true };
  }
  return { layout: { kind: 'long', entity: 0, attribute: 1 }, isHeading: false };
}

function attributesOf(row: readonly string[], layout: AttributeLayout): string[] {
  if (layout.kind === 'long') return [(row[layout.attribute] ?? '').trim()];
  return layout.names.filter((_, i) => i !== layout.entity && (row[i] ?? '').trim() !== '');
}

/**
 * Adds the attribute names of a CSV or TSV table and resolves to the number of rows and of rows
 * whose entity is unknown. Two layouts: `entity,attribute[,value]`, one attribute a row; or a
 * heading `entity,<attribute>,<attribute>,...`, where an entity has those attributes whose cell
 * is not empty. More than half of unknown entities is a defect, and so is a name with line breaks.
 *
 * @param file - path.
 * @param target - receives the attributes.
 */
export async function readAttributeTable(
  file: string,
  target: AttributeTarget,
): Promise<{ rows: number; unknown: number }> {
  const counts = { rows: 0, unknown: 0 };
  let layout: AttributeLayout | undefined;
  const take = (row: string[], line: number): void => {
    if (layout === undefined) {
      const found = attributeLayout(row);
      layout = found.layout;
      if (found.isHeading) return;
    }
    counts.rows += 1;
    const named = layout.kind === 'long' ? [layout.entity, layout.attribute] : [layout.entity];
    const broken = named.find((position) => row[position]?.includes('\n'));
    if (broken !== undefined) {
      target.onDefect(quoteDefect({ file, line, row, position: broken }));
      return;
    }
    const attributes = attributesOf(row, layout);
    if (attributes.includes('')) {
      const help = 'Give entity and attribute in each row, or a heading with one column each.';
      const place = { file, line, text: rowText(row), field: 'attribute' };
      target.onDefect(recordDefect(place, `no attribute name in ${row.length} column(s)`, help));
      return;
    }
    const entity = target.indexOf((row[layout.entity] ?? '').trim());
    if (entity < 0) counts.unknown += 1;
    else for (const attribute of attributes) target.add(entity, attribute.trim());
  };
  const { onDefect } = target;
  await reportDefects(onDefect, () => readCsv(file, { onDefect }, take));
  if (2 * counts.unknown > counts.rows && target.isWhole !== false) {
    const what = `${counts.unknown} of ${counts.rows} rows name an entity that no triple has`;
    const help =
      'Spell entities as in the triples, or list entities without triples (entities.csv).';
    onDefect(new DataError(`${file}: ${what}.`, { file, help }));
  }
  return counts;
}
