import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, readRunRecord } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { failure, rowsOf, smallClient } from './__fixtures__/small-client.js';
import { mergeShards } from './merge-shards.js';
import { runRows } from './run-rows.js';

const count = 3;

async function* stream(rows = rowsOf(60)) {
  yield* rows;
}

/** Three shards in a folder; `broken` fails in one of them. */
async function shardedRun(broken?: string, prompts = ['p', 'p', 'p']) {
  const out = temporaryFolder();
  for (const index of [0, 1, 2]) {
    const { client } = smallClient((text) => {
      if (text === broken) throw failure('network');
      return `re: ${text}`;
    });
    await runRows({
      rows: rowsOf(60),
      step: async ({ id }, context) =>
        (await context.client.chat({ messages: [{ role: 'user', content: id }] })).text,
      ...{ client, out, shard: { index, count }, maxErrors: { count: 1 } },
      description: { method: 'llm', label: 'x', config: { prompt: prompts[index] } },
    });
  }
  return out;
}

describe('mergeShards', () => {
  it('gives the bytes of a run without shards', async () => {
    const whole = join(temporaryFolder(), 'whole');
    const { client } = smallClient();
    await runRows({
      rows: rowsOf(60),
      step: async ({ id }, context) =>
        (await context.client.chat({ messages: [{ role: 'user', content: id }] })).text,
      ...{ client, out: whole },
      description: { method: 'llm', label: 'x', config: { prompt: 'p' } },
    });
    const out = join(temporaryFolder(), 'merged');
    const summary = await mergeShards({ folders: [await shardedRun()], out, rows: stream() });
    expect(summary).toMatchObject({ shards: 3, gaps: 0, counts: { rows: 60, finished: 60 } });
    const bytes = (dir: string) => readFileSync(join(dir, 'predictions.jsonl'), 'utf8');
    expect(bytes(out)).toBe(bytes(whole));
    expect(readRunRecord(out)).toMatchObject({
      status: 'success',
      results: { finished: 60 },
      config: { resolved: { prompt: 'p', shard: null } },
    });
  });

  it('refuses gaps unless told not to', async () => {
    const folder = await shardedRun('r7');
    const out = join(temporaryFolder(), 'merged');
    const options = { folders: [folder], out, rows: stream() };
    await expect(mergeShards(options)).rejects.toThrow('no shard has finished 1 row: "r7"');
    const summary = await mergeShards({ ...options, rows: stream(), allowGaps: true });
    expect(summary).toMatchObject({ gaps: 1, counts: { finished: 59, failed: 1 } });
    expect(readFileSync(join(out, 'failures.jsonl'), 'utf8')).toContain('"r7"');
  });

  it('refuses doubles, foreign rows, other settings, and missing shards', async () => {
    const out = join(temporaryFolder(), 'merged');
    const folder = await shardedRun();
    await expect(mergeShards({ folders: [folder], out, rows: stream(rowsOf(59)) })).rejects.toThrow(
      '1 finished rows are not in the data',
    );
    const [first, second] = [0, 1].map((index) =>
      join(folder, `${index}-of-3`, `predictions.${index}-of-3.jsonl`),
    ) as [string, string];
    const line = readFileSync(first, 'utf8').split('\n')[0] ?? '';
    writeFileSync(second, `${readFileSync(second, 'utf8')}${line}\n`);
    await expect(mergeShards({ folders: [folder], out, rows: stream() })).rejects.toThrow(
      /1 rows are finished twice: "r\d+"/,
    );
    const mixed = await shardedRun(undefined, ['p', 'p', 'q']);
    await expect(mergeShards({ folders: [mixed], out, rows: stream() })).rejects.toThrow(
      'differ in prompt',
    );
    const some = ['0-of-3', '2-of-3'].map((name) => join(mixed, name));
    await expect(mergeShards({ folders: some, out, rows: stream() })).rejects.toThrow(
      'shard 1 of 3 is missing',
    );
    const twice = [...some, join(mixed, '1-of-3'), join(mixed, '1-of-3')];
    await expect(mergeShards({ folders: twice, out, rows: stream() })).rejects.toThrow(ConfigError);
    await expect(
      mergeShards({ folders: [temporaryFolder()], out, rows: stream() }),
    ).rejects.toThrow('no shards in');
  });
});
