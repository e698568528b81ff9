/**
 * Who gives and who receives: donors that are answered, recipients, and tokens that open responses.
 */
import { readFileSync } from 'node:fs';
import { ConfigError, DataError } from '@lab/core';
import type { CliContext, CliInput, CliOption } from '@lab/core/cli';
import {
  firstTokenOf,
  firstTokens,
  bestFirstTokens,
  measuredOpenings,
  namedOpenings,
  type Openings,
} from '../first-tokens.js';
import type { FormattedPrompt } from '../prompt-set.js';
import type { Collected, CollectedPrompts, ReadCollection } from './collected.js';

/** Flags that name classes and openings. */
export const sideOptions: readonly CliOption[] = [
  { flags: '--answered <class>', summary: 'class that is answered; default the first' },
  { flags: '--refused <class>', summary: 'class that is refused; default the second' },
  {
    flags: '--openings <file>',
    summary: 'JSON { "refusal": ["Sorry"], "compliance": ["Sure"] }; default measured',
  },
];

/** A class of a collection. */
export interface Side {
  readonly label: string;
  /** Its rows, at most as many as asked for. */
  readonly rows: readonly number[];
  readonly prompts: readonly FormattedPrompt[];
}

/** Two classes, and tokens that tell a refusal from an answer. */
export interface Sides {
  readonly answered: Side;
  readonly refused: Side;
  readonly openings: Openings;
}

/**
 * Reads both classes of a collection and their openings.
 *
 * @param limit - prompts of each class at most.
 * @throws {ConfigError} for classes that are not there, or the same twice.
 */
export async function readSides(
  context: CliContext,
  input: CliInput,
  collected: Collected,
  limit: number,
): Promise<Sides> {
  const [first, second] = sideLabels(input, collected);
  const answered = sideOf(collected, first, limit);
  const refused = sideOf(collected, second, limit);
  const openings = await openingsOf(context, input, collected, { answered, refused });
  context.note(`classes  answered ${answered.label}, refused ${refused.label}`);
  return { answered, refused, openings };
}

/**
 * Names of the classes: answered, refused.
 *
 * @throws {ConfigError} for the same twice.
 */
export function sideLabels(
  input: CliInput,
  { collection }: Pick<CollectedPrompts, 'collection'>,
): [string, string] {
  const { classes } = collection.store.about;
  const labels: [string, string] = [
    nameOf(input, 'answered') ?? classes[0]!,
    nameOf(input, 'refused') ?? classes[1]!,
  ];
  if (labels[0] !== labels[1]) return labels;
  throw new ConfigError(`--answered and --refused are both ${labels[0]}.`, {
    help: `Give two of ${classes.join(', ')}.`,
  });
}

const nameOf = ({ options }: CliInput, name: string) => options[name] as string | undefined;

/** The first prompts of a class. */
export function sideOf(collected: ReadCollection, label: string, limit: number): Side {
  const rows = collected.rowsOf(label).slice(0, limit);
  return { label, rows, prompts: promptsOf(collected, label, limit) };
}

/** Prompts of a class, at most so many. */
export const promptsOf = (
  { rowsOf, prompts }: ReadCollection,
  label: string,
  limit: number,
): FormattedPrompt[] =>
  rowsOf(label)
    .slice(0, limit)
    .map((row) => prompts[row]!);

/**
 * Whole responses in passes over their prompts: the prompt is read once, and every new token alone.
 *
 * @param times - how often all prompts are responded to.
 */
export function responsePasses({ prompts, resolved }: CollectedPrompts, times: number): number {
  const tokens = prompts.reduce((sum, { ids }) => sum + ids.length, 0) / prompts.length;
  return times * (1 + resolved.config.graft.maxTokens / tokens);
}

async function openingsOf(
  context: CliContext,
  input: CliInput,
  { model, tokenizer }: Collected,
  { answered, refused }: Omit<Sides, 'openings'>,
): Promise<Openings> {
  const path = nameOf(input, 'openings');
  if (path !== undefined) return namedOpenings(tokenizer, readOpenings(path));
  context.progress.update('measuring openings');
  const { signal } = context;
  return measuredOpenings(
    await bestFirstTokens(model, refused.prompts, { signal }),
    await bestFirstTokens(model, answered.prompts, { signal }),
  );
}

function readOpenings(path: string): { refusal: string[]; compliance: string[] } {
  const help = 'Write { "refusal": ["Sorry"], "compliance": ["Sure"] }.';
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new DataError(`${path}: cannot be read (${(cause as Error).message}).`, {
      ...{ file: path, cause, help },
    });
  }
  const { refusal, compliance } = (value ?? {}) as Record<string, unknown>;
  if (isTexts(refusal) && isTexts(compliance)) return { refusal, compliance };
  throw new DataError(`${path}: has no lists refusal and compliance.`, { file: path, help });
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');

/**
 * Rows of donors: the first so many whose first token opens what a donor of their class should.
 *
 * @throws {DataError} where the model does so for none.
 */
export async function donorRows(
  { model }: Collected,
  side: Side,
  { openings, count, isRefused }: DonorRules,
): Promise<number[]> {
  const gaps: number[] = [];
  await firstTokens(model, side.prompts, (at, logits) => {
    gaps[at] = firstTokenOf(logits, openings).gap;
  });
  const rows = side.rows.filter((_, at) => gaps[at]! > 0 === isRefused).slice(0, count);
  if (rows.length > 0) return rows;
  throw new DataError(
    `weak-probe/graft: none of ${side.rows.length} prompts of ${side.label} is ` +
      `${isRefused ? 'refused' : 'answered'}.`,
    { help: 'Name the classes with --answered and --refused, or check the format.' },
  );
}

/** Which prompts are donors. */
export interface DonorRules {
  readonly openings: Openings;
  /** At most. */
  readonly count: number;
  /** Whether donors are to be refused. */
  readonly isRefused: boolean;
}
