/**
 * Proposed pairs as files that other tools read.
 */
import { ConfigError, writeFileAtomic } from '@lab/core';
import { writeCsv } from '@lab/core/csv';
import type { AlignmentData } from '@lab/graph';
import type { AlignedPair } from './align.js';
import { isAutomatic } from './automatic-seeds.js';

/** Endings of files that pairs can be written to. */
export const pairFormats = ['csv', 'tsv', 'nt', 'jsonl'] as const;

/** What the column `seeds` says; without automatic seeds there is no such column. */
const AUTOMATIC = 'automatic';
const HEADINGS = ['source', 'target', 'confidence', 'score', 'margin', 'mutual'];
const SAME_AS = '<http://www.w3.org/2002/07/owl#sameAs>';

/** What {@link writePairs} writes beside the pairs themselves. */
export interface PairLabels extends Pick<AlignmentData, 'entityNames'> {
  /** Where the seeds of the training came from. */
  readonly seedOrigin?: string | undefined;
}

/**
 * Writes pairs, surest first, in the format of the file's ending: CSV or TSV with headings,
 * N-Triples of `owl:sameAs`, or JSON lines. Pairs of a training on automatic seeds say so: a column
 * or key `seeds`, a comment above the triples.
 *
 * @param input - names of the entities, and where the seeds of the training came from.
 * @throws {ConfigError} for another ending; {DataError} when the file cannot be written.
 */
export async function writePairs(
  path: string,
  pairs: readonly AlignedPair[],
  { entityNames, seedOrigin = '' }: PairLabels,
): Promise<void> {
  const name = (entity: number) => entityNames[entity]!;
  const label = isAutomatic(seedOrigin) ? [AUTOMATIC] : [];
  const format = pairFormat(path);
  if (format === 'csv' || format === 'tsv') {
    const delimiter = format === 'csv' ? ',' : '\t';
    await writeCsv(
      path,
      label.length > 0 ? [...HEADINGS, 'seeds'] : HEADINGS,
      pairs.map((pair) => [...csvRow(pair, name), ...label]),
      { delimiter },
    );
    return;
  }
  if (format === 'nt') {
    const lines = pairs.map(
      ({ source, target }) => `${resource(name(source))} ${SAME_AS} ${resource(name(target))} .\n`,
    );
    const comment = label.length > 0 ? `# seeds of the training ${seedOrigin}\n` : '';
    writeFileAtomic(path, `${comment}${lines.join('')}`);
    return;
  }
  const seeds = label.length > 0 ? { seeds: AUTOMATIC } : {};
  const lines = pairs.map(({ source, target, ...evidence }) =>
    JSON.stringify({ source: name(source), target: name(target), ...evidence, ...seeds }),
  );
  writeFileAtomic(path, lines.map((line) => `${line}\n`).join(''));
}

/**
 * The format that a file's ending names.
 *
 * @throws {ConfigError} for another ending.
 */
export function pairFormat(path: string): (typeof pairFormats)[number] {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  const format = pairFormats.find((name) => name === ending);
  if (format !== undefined) return format;
  throw new ConfigError(`alignment: cannot tell the format of ${path}.`, {
    help: `end the file name in ${pairFormats.map((name) => `.${name}`).join(', ')}`,
  });
}

function csvRow(pair: AlignedPair, name: (entity: number) => string): (string | number)[] {
  return [
    name(pair.source),
    name(pair.target),
    pair.confidence === null ? '' : pair.confidence.toFixed(4),
    decimal(pair.score),
    decimal(pair.margin),
    pair.mutual ? 'yes' : 'no',
  ];
}

/** Four decimals, without the sign of a zero. */
const decimal = (value: number) => value.toFixed(4).replace(/^-(0\.0+)$/, '$1');

/** An IRI in N-Triples; names that are none become `urn:lab:` IRIs. */
function resource(name: string): string {
  const isIri = /^[a-z][a-z0-9+.-]*:/i.test(name);
  const text = isIri ? name : `urn:lab:${encodeURIComponent(name)}`;
  const escaped = text.replace(/[\u0000-\u0020<>"{}|^`\\]/g, (character) => {
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    return `\\u${code}`;
  });
  return `<${escaped}>`;
}
