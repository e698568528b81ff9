import { readFile } from 'node:fs/promises';
import { DataError } from '@lab/core';
import { z } from 'zod';
import type { TokenUsage } from './chat.js';

const amount = z.number().min(0);

/** Prices of the models that a pattern covers, for a million tokens each. */
const priceSchema = z.strictObject({
  /** Of a prompt. */
  in: amount,
  /** Of an answer, reasoning included. */
  out: amount,
  /** Of the part of a prompt that the server had already; default `in`. */
  cachedIn: amount.optional(),
  /** What a provider's batch costs relative to single calls; default 1. */
  batchFactor: z.number().min(0).max(1).default(1),
  /** Three letters; only `USD` counts towards budgets. */
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('USD'),
});

const tableSchema = z.strictObject({
  /** Day of these prices, as `2026-08-01`. */
  date: z.iso.date(),
  /** By name of model; `*` stands for any characters. */
  models: z.record(z.string().min(1), priceSchema),
});

/** Prices of the models that a pattern covers, for a million tokens each. */
export type ModelPrice = z.output<typeof priceSchema>;
/** A table of prices as a user writes it. */
export type PriceTableInput = z.input<typeof tableSchema>;

/** An amount of money. */
export interface Cost {
  readonly amount: number;
  readonly currency: string;
}

/** How calls are made, as far as it changes their price. */
export interface CostOptions {
  /** Whether they go through a provider's batch interface. */
  readonly isBatch?: boolean;
}

/** What calls cost, by the user's own table: nothing is fetched, and nothing presumed. */
export interface PriceTable {
  /** Day of the prices. */
  readonly date: string;
  /** The price of a model, or null. An exact name goes before patterns, a longer one first. */
  priceOf(model: string): ModelPrice | null;
  /** What a call costs, or null where no price is known. */
  cost(model: string, usage: TokenUsage, options?: CostOptions): Cost | null;
  /** What a call costs in dollars, or null where no price in dollars is known. */
  costUsd(model: string, usage: TokenUsage, options?: CostOptions): number | null;
}

/**
 * A table of prices.
 *
 * `cost = factor ((prompt - cached) in + cached cachedIn + completion out) / 1,000,000`
 *
 * @param source - names it in errors.
 * @throws {DataError} when the table has not the form above.
 */
export function createPriceTable(table: PriceTableInput, source = 'prices'): PriceTable {
  const parsed = tableSchema.safeParse(table);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue!.path.join('.');
    throw new DataError(`llm/prices: ${field || 'the table'} of ${source}: ${issue!.message}.`, {
      file: source,
      field,
      help: 'Write { "date": "2026-08-01", "models": { "name-*": { "in": 1, "out": 4 } } }.',
    });
  }
  const { date, models } = parsed.data;
  const patterns = Object.entries(models)
    .map(([pattern, price]) => ({ pattern, price, matches: matcher(pattern) }))
    .sort((a, b) => b.pattern.length - a.pattern.length);
  const priceOf = (model: string): ModelPrice | null => {
    if (Object.hasOwn(models, model)) return models[model]!;
    return patterns.find(({ matches }) => matches(model))?.price ?? null;
  };
  const cost = (model: string, usage: TokenUsage, options: CostOptions = {}): Cost | null => {
    const price = priceOf(model);
    return price && { amount: amountOf(price, usage, options), currency: price.currency };
  };
  return {
    date,
    priceOf,
    cost,
    costUsd(model, usage, options) {
      const known = cost(model, usage, options);
      return known?.currency === 'USD' ? known.amount : null;
    },
  };
}

/**
 * The table of prices in a JSON file.
 *
 * @throws {DataError} when the file cannot be read or has another form.
 */
export async function readPrices(file: string): Promise<PriceTable> {
  let table: unknown;
  try {
    table = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`llm/prices: ${file} cannot be read as JSON (${why}).`, { file, cause });
  }
  return createPriceTable(table as PriceTableInput, file);
}

function amountOf(price: ModelPrice, usage: TokenUsage, { isBatch }: CostOptions): number {
  const { prompt, completion } = usage;
  const cached = Math.min(usage.cached, prompt);
  const full = (prompt - cached) * price.in + completion * price.out;
  const tokens = full + cached * (price.cachedIn ?? price.in);
  return ((isBatch === true ? price.batchFactor : 1) * tokens) / 1_000_000;
}

/** By pieces and not by a regular expression: many stars would make that one very slow. */
function matcher(pattern: string): (model: string) => boolean {
  const [head = '', ...others] = pattern.split('*');
  if (others.length === 0) return (model) => model === pattern;
  const tail = others.pop()!;
  return (model) => {
    if (!model.startsWith(head)) return false;
    let at = head.length;
    for (const piece of others) {
      const found = model.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return model.length - tail.length >= at && model.endsWith(tail);
  };
}
