/**
 * Changes of JSON texts that know their structure: numbers, types, names, places.
 */
import type { Random } from '@lab/core';

/** Numbers at limits, of other forms, and what only looks like a number. */
const NUMBERS = [
  ...['0', '-0', '1', '-1', '2', '3', '7', '8', '0.5', '-0.5', '1.5', '255', '256', '65536'],
  ...['2147483647', '2147483648', '-2147483648', '4294967295', '4294967296', '4294967297'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '18446744073709551615'],
  ...['1e3', '1e6', '1e9', '1e15', '1e300', '-1e300', '1e309', '-1e309', '1e-320', '1E+2', '10e-1'],
  ...['NaN', 'Infinity', '-Infinity', '0x10', '00', '1.', '.5', '+1', '1_0', '1'.repeat(400)],
];

/** Values of every type, and names that objects have of themselves. */
const VALUES = [
  ...[
    'null',
    'true',
    'false',
    '""',
    '" "',
    '"x"',
    '"0"',
    '"-1"',
    '[]',
    '{}',
    '[0]',
    '[[]]',
    '[1,2,3]',
  ],
  ...['{"a":1}', '{"toString":1}', '{"toString":null,"valueOf":null}', '{"length":3}', '[null]'],
  ...['{"__proto__":{"a":1}}', '{"constructor":null}', '{"toJSON":"x"}', '"__proto__"'],
  ...['"constructor"', '"toString"', '"\\ud800"', '"\\u0000"', '"\\ufeff"', '"a\\nb"'],
  ...[`${'['.repeat(20_000)}${']'.repeat(20_000)}`, `${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}`],
  JSON.stringify('x'.repeat(20_000)),
];

type Container = Record<string, unknown>;

/** One of the elements. */
export function oneOf<T>(random: Random, values: readonly T[]): T {
  return values[random.integer(values.length)]!;
}

const isContainer = (value: unknown): value is Container =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

interface Place {
  readonly owner: Container;
  readonly key: string;
}

/** A place that is reached by steps to one child or another, so that lists weigh no more. */
function placeIn(random: Random, value: unknown, depthShare: number): Place | undefined {
  let owner = value;
  while (isContainer(owner)) {
    const key = oneOf(random, Object.keys(owner));
    const child = owner[key];
    if (!isContainer(child) || random.uniform() > depthShare) return { owner, key };
    owner = child;
  }
  return undefined;
}

function numberIn(random: Random, value: unknown): Place | undefined {
  for (let walk = 0; walk < 30; walk += 1) {
    const place = placeIn(random, value, 1);
    if (place !== undefined && typeof place.owner[place.key] === 'number') return place;
  }
  return undefined;
}

/** The text of a number near another one, or at a limit. */
export function otherNumber(random: Random, value: number): string {
  if (random.uniform() < 0.5) return oneOf(random, NUMBERS);
  return String(
    oneOf(random, [
      ...[value + 1, value - 1, value * 2, value / 2, -value, value + 0.5, value + 8, value - 8],
      ...[value + 2 ** 32, value * 2 ** 32, value + 2 ** 53, value ** 2],
    ]),
  );
}

/** Texts that stand for themselves in the final JSON. */
class RawTexts {
  private readonly texts: string[] = [];

  /** A value that becomes `text`. */
  add(text: string): string {
    return `@@raw${this.texts.push(text) - 1}@@`;
  }

  write(value: unknown): string {
    return JSON.stringify(value)
      .replaceAll(/"@@raw(\d+)@@"/g, (_, at: string) => this.texts[Number(at)]!)
      .replaceAll('"@@twice@@', '"');
  }
}

const EDITS = ['value', 'value', 'remove', 'rename', 'twice', 'swap', 'insert'] as const;

function edit(random: Random, value: unknown, raw: RawTexts): void {
  const number = random.uniform() < 0.5 ? numberIn(random, value) : undefined;
  if (number !== undefined) {
    const { owner, key } = number;
    owner[key] = raw.add(otherNumber(random, owner[key] as number));
    return;
  }
  const place = placeIn(random, value, 0.75);
  if (place === undefined) return;
  const { owner, key } = place;
  const other = raw.add(oneOf(random, random.uniform() < 0.4 ? NUMBERS : VALUES));
  switch (oneOf(random, EDITS)) {
    case 'value':
      owner[key] = other;
      return;
    case 'remove':
      remove(owner, key);
      return;
    case 'rename':
      if (!Array.isArray(owner)) owner[`${key}_`] = owner[key];
      remove(owner, key);
      return;
    case 'twice':
      if (Array.isArray(owner)) owner.push(owner[Number(key)]);
      else owner[`@@twice@@${key}`] = other;
      return;
    case 'insert':
      if (Array.isArray(owner)) owner.splice(Number(key), 0, other);
      else owner[oneOf(random, ['__proto__x', 'type', 'length', 'a'])] = other;
      return;
    case 'swap': {
      const second = placeIn(random, value, 0.75);
      if (second === undefined) return;
      const held = owner[key];
      const taken = second.owner[second.key];
      // A value must not come to stand inside of itself.
      if (isContainer(held) || isContainer(taken)) return;
      owner[key] = taken;
      second.owner[second.key] = held;
    }
  }
}

function remove(owner: Container, key: string): void {
  if (Array.isArray(owner)) owner.splice(Number(key), 1);
  else delete owner[key];
}

/**
 * The text of a JSON value with one to three changes of its structure.
 *
 * @param more - a change of the value that a format adds, called before the others.
 */
export function changedJson(
  random: Random,
  text: string,
  more?: (value: Container, raw: (text: string) => string) => void,
): string {
  const value = JSON.parse(text) as Container;
  const raw = new RawTexts();
  more?.(value, (own) => raw.add(own));
  const count = more === undefined ? 1 + random.integer(3) : random.integer(2);
  for (let at = 0; at < count; at += 1) edit(random, value, raw);
  return raw.write(value);
}
