/**
 * Where two tokenizers would do something else.
 */
import { type TokenizerForm, tokenizerForm } from './tokenizer-form.js';

type Content = Readonly<Record<string, unknown>>;

interface Model {
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges: readonly (string | readonly [string, string])[];
}

interface Added {
  readonly id: number;
  readonly content: string;
  readonly [flag: string]: unknown;
}

const modelOf = (content: Content) => content['model'] as unknown as Model;
const addedOf = (content: Content) => (content['added_tokens'] ?? []) as readonly Added[];

/** What differs between two contents of tokenizer.json, in words. */
export function tokenizerDifferences(own: Content, other: Content): string[] {
  return [
    ...formDifferences(tokenizerForm(own), tokenizerForm(other)),
    ...differentIds(idsOf(own), idsOf(other)),
    ...differentMerges(modelOf(own), modelOf(other)),
    ...differentFlags(own, other),
  ];
}

function formDifferences(own: TokenizerForm, other: TokenizerForm): string[] {
  // Bytes are never unknown.
  const isBytes = own.decoder === 'ByteLevel' && other.decoder === 'ByteLevel';
  const names = Object.keys(own) as (keyof TokenizerForm)[];
  return names.flatMap((name) => {
    if (isBytes && (name === 'unknown' || name === 'fusesUnknown')) return [];
    const [a, b] = [JSON.stringify(own[name]), JSON.stringify(other[name])];
    return a === b ? [] : [`${name} ${a}, read as ${b}`];
  });
}

function idsOf(content: Content): Map<string, number> {
  const ids = new Map(Object.entries(modelOf(content).vocab));
  for (const { id, content: token } of addedOf(content)) ids.set(token, id);
  return ids;
}

function differentIds(own: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>) {
  const tokens = new Set([...own.keys(), ...other.keys()]);
  const wrong = [...tokens].filter((token) => own.get(token) !== other.get(token));
  if (wrong.length === 0) return [];
  const [token] = wrong as [string];
  const shown = `${JSON.stringify(token)}: ${own.get(token)}, read as ${other.get(token)}`;
  return [`ids of ${wrong.length} tokens (${shown})`];
}

function differentMerges(own: Model, other: Model): string[] {
  const shown = (merge: string | readonly [string, string] | undefined) =>
    JSON.stringify(typeof merge === 'object' ? merge.join(' ') : (merge ?? null));
  const count = Math.max(own.merges.length, other.merges.length);
  for (let at = 0; at < count; at += 1) {
    const [a, b] = [shown(own.merges[at]), shown(other.merges[at])];
    if (a !== b) return [`merge ${at + 1} of ${own.merges.length} is ${a}, read as ${b}`];
  }
  return [];
}

const FLAGS = ['single_word', 'lstrip', 'rstrip', 'special'] as const;

function differentFlags(own: Content, other: Content): string[] {
  const theirs = new Map(addedOf(other).map((token) => [token.content, token]));
  const { normalizer } = tokenizerForm(own);
  // Where no step changes a token it is no matter whether it is looked for before or after.
  const isMoved = (content: string) =>
    normalizer !== '' && !(normalizer === '{"type":"NFC"}' && content.trim() === '');
  const isSame = (token: Added) => {
    const same = theirs.get(token.content);
    if (token['normalized'] === true && isMoved(token.content)) return false;
    return FLAGS.every((flag) => (token[flag] ?? false) === (same?.[flag] ?? false));
  };
  const wrong = addedOf(own).filter((token) => !isSame(token));
  const more = addedOf(other).length - addedOf(own).length;
  if (wrong.length === 0) return more === 0 ? [] : [`${more} more added tokens are read`];
  const [first] = wrong as [Added];
  const flags = ['normalized', ...FLAGS].filter((flag) => first[flag] === true).join(', ');
  return [`added token ${JSON.stringify(first.content)} (${flags || 'no flags'})`];
}
