/** A run of `r0`, `r1`, ... that asks one question each, and what it wrote. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import type { ChatRequest } from '../../chat.js';
import type { RunRowsOptions } from '../run-rows.js';
import { rowsOf, type smallClient } from './small-client.js';

export type Row = { readonly id: string };

export const description = {
  method: 'llm',
  label: 'test',
  config: { model: 'small', prompt: 'p1' },
};
export const requestOf = ({ id }: Row, prompt = ''): ChatRequest => ({
  messages: [{ role: 'user', content: `${prompt}${id}` }],
  maxTokens: 10,
});

/** Settings of a run of `count` rows that ask one question each. */
export function settings(
  client: ReturnType<typeof smallClient>['client'],
  more: Partial<RunRowsOptions<Row, string>> = {},
): RunRowsOptions<Row, string> {
  return {
    rows: rowsOf(50),
    client,
    step: async (row, context) => (await context.client.chat(requestOf(row))).text,
    hashOf: (row) => client.hashOf(requestOf(row)),
    out: join(temporaryFolder(), 'run'),
    description,
    concurrency: 8,
    ...more,
  };
}

export const text = (dir: string, name = 'predictions.jsonl') =>
  readFileSync(join(dir, name), 'utf8');
export const lines = (dir: string, name?: string) =>
  text(dir, name)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
export const idsOf = (dir: string) => lines(dir).map(({ id }) => id);

/** Answers in an order far from that of the rows. */
export const late = (prompt: string) =>
  new Promise<string>((resolve) => {
    const turns = (Number(prompt.replace(/\D/g, '')) * 7919) % 13;
    const wait = (left: number) => (left === 0 ? resolve(`re: ${prompt}`) : tick(left));
    const tick = (left: number) => setImmediate(() => wait(left - 1));
    wait(turns);
  });
