import { eachLine, type OnDefect } from '@lab/core';
import type { Quad } from './n3.js';
import { recordDefect, reportDefects } from './records.js';

/** One statement of an N-Triples file. */
export interface Statement {
  readonly subject: string;
  readonly predicate: string;
  /** IRI or blank node of the object; null when the object is a literal. */
  readonly object: string | null;
  /** Language tag of a literal, '' without. */
  readonly language: string;
  /** Datatype IRI of a literal, '' for plain and language strings. */
  readonly datatype: string;
}

const batchLines = 2048;
type Parse = (text: string) => Quad[];

const plainString = 'http://www.w3.org/2001/XMLSchema#string';

function toStatement({ subject, predicate, object }: Quad): Statement {
  const isLiteral = object.termType === 'Literal';
  const language = object.language ?? '';
  const datatype = object.datatype?.value ?? '';
  const label = object.termType === 'BlankNode' ? `_:${object.value}` : object.value;
  return {
    subject: subject.termType === 'BlankNode' ? `_:${subject.value}` : subject.value,
    predicate: predicate.value,
    object: isLiteral ? null : label,
    language,
    datatype: language !== '' || datatype === plainString ? '' : datatype,
  };
}

/** The parser, loaded with the first file: 40 modules, and most commands read no such file. */
async function loadParse(): Promise<Parse> {
  const { Parser } = await import('./n3.js');
  // Labels are kept.
  return (text) => new Parser({ format: 'N-Triples', blankNodePrefix: '_:' }).parse(text);
}

/** Statements of one batch; when the batch does not parse, line by line, each bad one a defect. */
function parseBatch(
  lines: readonly string[],
  place: { readonly file: string; readonly firstLine: number; readonly parse: Parse },
  onDefect: OnDefect,
): Quad[] {
  try {
    return place.parse(lines.join('\n'));
  } catch (error) {
    if (lines.length > 1) {
      return lines.flatMap((text, i) =>
        parseBatch([text], { ...place, firstLine: place.firstLine + i }, onDefect),
      );
    }
    const reason = (error instanceof Error ? error.message : String(error)).replace(
      / on line.*/,
      '',
    );
    const at = { file: place.file, line: place.firstLine, text: lines[0] as string };
    const help = 'Each line is <subject> <predicate> <object> or "literal", then a point.';
    onDefect(recordDefect(at, `not an N-Triples statement (${reason})`, help));
    return [];
  }
}

/**
 * Resolves when every statement of an N-Triples file was given to `onStatement`, in batches of
 * lines, so that a dump of any size is read in constant memory. Each line that does not parse is
 * a defect.
 *
 * @param path - plain or gzipped file.
 * @param onDefect - receives every defect.
 * @param onStatement - receives the statements in order.
 */
export async function eachStatement(
  path: string,
  onDefect: OnDefect,
  onStatement: (statement: Statement) => void,
): Promise<void> {
  const parse = await loadParse();
  let batch: string[] = [];
  let firstLine = 1;
  const flush = (): void => {
    for (const quad of parseBatch(batch, { file: path, firstLine, parse }, onDefect)) {
      onStatement(toStatement(quad));
    }
    batch = [];
  };
  const onLine = (text: string, line: number): void => {
    if (batch.length === 0) firstLine = line;
    while (firstLine + batch.length < line) batch.push('');
    batch.push(text);
    if (batch.length >= batchLines) flush();
  };
  await reportDefects(onDefect, () => eachLine(path, onLine, { onDefect }));
  flush();
}
