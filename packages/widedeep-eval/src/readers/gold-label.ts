/**
 * Labels of people, as files spell them.
 */
import { ConfigError, DataError } from '@lab/core';
import type { Verdict } from '../verdict.js';

/** Spellings without case, blanks, hyphens and underscores. */
const known: Readonly<Record<string, Verdict | null>> = {
  '': null,
  none: null,
  null: null,
  ...{ '1': '1', a: '1', first: '1', left: '1' },
  ...{ '2': '2', b: '2', second: '2', right: '2' },
  ...spellingsOf(['model', 'response', 'answer', 'assistant', 'output']),
  ...{ tie: 'tie', '0': 'tie', equal: 'tie', both: 'tie', draw: 'tie', same: 'tie' },
  ...{ neither: 'tie', 'tie(bothbad)': 'tie' },
};

function spellingsOf(nouns: readonly string[]): Record<string, Verdict> {
  const ends = { '1': '1', a: '1', '2': '2', b: '2' } as const;
  return Object.fromEntries(
    nouns.flatMap((noun) =>
      Object.entries(ends).map(([end, verdict]) => [`${noun}${end}`, verdict] as const),
    ),
  );
}

/** Where a label stands. */
export interface LabelPlace {
  readonly file: string;
  readonly line: number;
  readonly field: string;
  readonly text?: string | undefined;
  /** What is numbered; default `line`. */
  readonly unit?: 'item' | 'line' | undefined;
}

/** Further spellings of labels, e.g. `{ good: '1' }`. */
export type LabelMap = Readonly<Record<string, Verdict | null>>;

/**
 * The verdict that a label spells; null for an empty one.
 *
 * @throws {DataError} with file and line for any other.
 */
export function parseLabel(label: unknown, place: LabelPlace, map: LabelMap = {}): Verdict | null {
  const text = label === null || label === undefined ? '' : labelText(label);
  const folded = text.trim().toLowerCase();
  if (Object.hasOwn(map, folded)) return map[folded] ?? null;
  const spelling = folded.replace(/[\s_-]+/g, '');
  if (Object.hasOwn(known, spelling)) return known[spelling] ?? null;
  const where = `${place.file} ${place.unit ?? 'line'} ${place.line}`;
  const said = JSON.stringify(text.slice(0, 40));
  throw new DataError(`${where}: ${place.field} ${said} is none of 1, 2, tie.`, {
    ...place,
    help: `write 1, 2 or tie, or say what it means: --gold-map ${text.trim()}=1.`,
  });
}

function labelText(label: unknown): string {
  return typeof label === 'string' || typeof label === 'number'
    ? `${label}`
    : JSON.stringify(label);
}

/**
 * The spellings that a text like `good=1,bad=2,even=tie` names.
 *
 * @throws {ConfigError} for another verdict than 1, 2 or tie.
 */
export function parseLabelMap(text: string): LabelMap {
  const entries = text.split(',').map((part) => {
    const at = part.lastIndexOf('=');
    const verdict = part.slice(at + 1).trim();
    if (at > 0 && (verdict === '1' || verdict === '2' || verdict === 'tie')) {
      return [part.slice(0, at).trim().toLowerCase(), verdict as Verdict] as const;
    }
    throw new ConfigError(`--gold-map: ${JSON.stringify(part)} names no verdict.`, {
      help: 'write label=1, label=2 or label=tie, with commas between.',
    });
  });
  return Object.fromEntries(entries);
}
