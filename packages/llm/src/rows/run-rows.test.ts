import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, readRunRecord } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { failure, rowsOf, smallClient } from './__fixtures__/small-client.js';
import {
  description,
  idsOf,
  late,
  lines,
  type Row,
  requestOf,
  settings,
  text,
} from './__fixtures__/small-run.js';
import { FailedRowsError } from './error-limit.js';
import { runRows } from './run-rows.js';

describe('runRows', () => {
  it('writes predictions in the order of the input, however they finish', async () => {
    const { client, seen, peak } = smallClient(late);
    const options = settings(client);
    const result = await runRows(options);
    expect(idsOf(options.out)).toEqual(rowsOf(50).map(({ id }) => id));
    expect(lines(options.out)[3]).toEqual({
      id: 'r3',
      requestHash: client.hashOf(requestOf({ id: 'r3' })),
      status: 'ok',
      output: 're: r3',
      usage: { prompt: 10, completion: 5, cached: 0, reasoning: 0 },
      costUsd: 0.001,
    });
    expect(seen).toHaveLength(50);
    expect(peak.most).toBe(8);
    expect(result.counts).toEqual({
      rows: 50,
      byStatus: { ok: 50 },
      finished: 50,
      skipped: 0,
      failed: 0,
    });
    expect(result.usage).toMatchObject({ promptTokens: 500, completionTokens: 250, sentCalls: 50 });
    expect(result.usage.costUsd).toBeCloseTo(0.05);
    const record = readRunRecord(options.out);
    expect(record).toMatchObject({ status: 'success', results: { finished: 50, failed: 0 } });
    expect(existsSync(join(options.out, 'lock'))).toBe(false);
    expect(lines(options.out, 'timings.jsonl')).toHaveLength(50);
    expect(text(options.out, 'failures.jsonl')).toBe('');
  });

  it('reads rows only as fast as they are done', async () => {
    let read = 0;
    let started = 0;
    let most = 0;
    async function* rows() {
      for (const row of rowsOf(200)) {
        read += 1;
        most = Math.max(most, read - started);
        yield row;
      }
    }
    const { client } = smallClient((prompt) => {
      started += 1;
      return late(prompt);
    });
    await runRows(settings(client, { rows: rows(), concurrency: 4 }));
    expect(most).toBeLessThanOrEqual(2);
  });

  it('goes on after a failure of the infrastructure with that row alone', async () => {
    let isDown = true;
    const { client, seen } = smallClient((prompt) => {
      if (isDown && /r(7|30)$/.test(prompt)) throw failure('server', 6);
      return late(prompt);
    });
    const options = settings(client);
    await expect(runRows(options)).rejects.toThrow(FailedRowsError);
    expect(lines(options.out)).toHaveLength(48);
    expect(lines(options.out, 'failures.jsonl').map(({ id, kind }) => [id, kind])).toEqual([
      ['r7', 'server'],
      ['r30', 'server'],
    ]);
    expect(readRunRecord(options.out)).toMatchObject({ status: 'error', results: { failed: 2 } });
    isDown = false;
    seen.length = 0;
    const { counts } = await runRows({ ...options, resume: true });
    expect(seen).toEqual(['r7', 'r30']);
    expect(counts).toMatchObject({ finished: 50, skipped: 48, failed: 0 });
    expect(text(options.out, 'failures.jsonl')).toBe('');
    const whole = settings(smallClient().client);
    await runRows(whole);
    expect(text(options.out)).toBe(text(whole.out));
  });

  it('puts up with as many failures as it is told', async () => {
    const { client } = smallClient((prompt) => {
      if (/[05]$/.test(prompt)) throw failure('timeout');
      return prompt;
    });
    const result = await runRows(settings(client, { maxErrors: { share: 0.2 } }));
    expect(result.counts).toMatchObject({ failed: 10, finished: 40 });
    const strict = settings(client, { maxErrors: { count: 3 }, concurrency: 1 });
    await expect(runRows(strict)).rejects.toMatchObject({ code: 'LAB_FAILED_ROWS' });
    expect(lines(strict.out)).toHaveLength(12); // r0, r5, r10, r15 failed, and it ended there
  });

  it('finishes rows whose answer is none, with their status', async () => {
    const { client } = smallClient((prompt) => {
      if (prompt === 'r1') throw failure('refusal');
      if (prompt === 'r2') throw failure('parse');
      return prompt;
    });
    const options = settings(client);
    const { counts } = await runRows(options);
    expect(counts.byStatus).toEqual({ ok: 48, parse: 1, refusal: 1 });
    expect(lines(options.out)[1]).toMatchObject({
      status: 'refusal',
      output: null,
      problem: 'it was refusal',
    });
  });

  it('ends after three truncated rows in a row, and not after three in all', async () => {
    const { client } = smallClient((prompt) => {
      if (/r(3|5|7)$/.test(prompt)) throw failure('truncated');
      return prompt;
    });
    const some = await runRows(settings(client, { concurrency: 1 }));
    expect(some.counts.byStatus).toEqual({ ok: 47, truncated: 3 });
    const cut = smallClient(() => {
      throw failure('truncated');
    });
    const options = settings(cut.client, { concurrency: 1 });
    await expect(runRows(options)).rejects.toMatchObject({ kind: 'truncated' });
    expect(lines(options.out)).toHaveLength(3);
  });

  it('ends when the server refuses all, or the step has a fault', async () => {
    for (const kind of ['auth', 'quota'] as const) {
      const { client, seen } = smallClient((prompt) => {
        if (prompt === 'r3') throw failure(kind);
        return prompt;
      });
      await expect(runRows(settings(client, { concurrency: 1 }))).rejects.toMatchObject({ kind });
      expect(seen).toHaveLength(4);
    }
    const step = () => Promise.reject(new TypeError('a fault'));
    await expect(runRows(settings(smallClient().client, { step }))).rejects.toThrow('a fault');
  });

  it('refuses doubled ids, another run, and a run that asked something else', async () => {
    const { client } = smallClient();
    const doubled = settings(client, { rows: [...rowsOf(5), { id: 'r2' }] });
    await expect(runRows(doubled)).rejects.toThrow('"r2" stands twice, in rows 3 and 6');
    const options = settings(client);
    await runRows(options);
    await expect(runRows(options)).rejects.toThrow('holds a run already');
    const other = { ...description, config: { ...description.config, prompt: 'p2' } };
    await expect(runRows({ ...options, resume: true, description: other })).rejects.toThrow(
      'was started with another prompt',
    );
    const asked = { hashOf: (row: Row) => client.hashOf(requestOf(row, 'now ')) };
    await expect(runRows({ ...options, ...asked, resume: true })).rejects.toThrow(ConfigError);
    const before = text(options.out);
    const mixed = { ...options, ...asked, resume: true, allowMixed: true, rows: rowsOf(51) };
    expect((await runRows(mixed)).counts).toMatchObject({ skipped: 50, finished: 51 });
    expect(text(options.out).startsWith(before)).toBe(true);
  });

  it('drops a torn last line and asks that row again', async () => {
    const { client, seen } = smallClient(late);
    const options = settings(client);
    await runRows(options);
    const whole = text(options.out);
    const half = whole.slice(0, Math.floor(whole.length / 2));
    writeFileSync(join(options.out, 'predictions.jsonl'), half);
    seen.length = 0;
    await runRows({ ...options, resume: true });
    expect(text(options.out)).toBe(whole);
    expect(seen.length).toBeGreaterThan(20);
    expect(seen.length).toBeLessThan(30);
    appendFileSync(join(options.out, 'predictions.jsonl'), 'what?\n');
    const again = await runRows({ ...options, resume: true });
    expect(again.counts).toMatchObject({ finished: 50, skipped: 50, damaged: 1 });
    expect(text(options.out)).toBe(whole);
  });

  it('sets damaged lines aside, with their numbers, and asks their rows again', async () => {
    const { client, seen } = smallClient();
    const options = settings(client);
    await runRows(options);
    const [whole, path] = [text(options.out), join(options.out, 'predictions.jsonl')];
    const all = whole.trimEnd().split('\n');
    // Two lines that ran into each other, as without a lock, and one that was cut.
    const cut = all[9]!.slice(0, 30);
    const mixed = [...all.slice(0, 4), `${all[4]}${all[5]}`, ...all.slice(6, 9), cut];
    writeFileSync(path, `${[...mixed, ...all.slice(10)].join('\n')}\n`);
    seen.length = 0;
    const { counts } = await runRows({ ...options, resume: true });
    expect(counts).toMatchObject({ finished: 50, skipped: 47, damaged: 2 });
    expect(seen).toHaveLength(3);
    expect(text(options.out)).toBe(whole);
    const bad = readFileSync(`${path}.bad`, 'utf8').trim().split('\n');
    expect(bad.map((line) => JSON.parse(line) as unknown)).toEqual([
      { line: 5, text: `${all[4]}${all[5]}` },
      { line: 9, text: cut },
    ]);
    expect((await runRows({ ...options, resume: true })).counts).not.toHaveProperty('damaged');
  });

  it('gives each shard its rows, in a folder of its own', async () => {
    const { client, seen } = smallClient();
    const options = settings(client);
    const found: unknown[] = [];
    for (const index of [0, 1, 2]) {
      await runRows({ ...options, shard: { index, count: 3 } });
      found.push(...lines(join(options.out, `${index}-of-3`), `predictions.${index}-of-3.jsonl`));
    }
    expect(seen.sort()).toEqual(
      rowsOf(50)
        .map(({ id }) => id)
        .sort(),
    );
    expect(found).toHaveLength(50);
  });

  it('takes fields and a status from the step, and refuses NaN', async () => {
    const { client } = smallClient();
    const options = settings(client, {
      rows: rowsOf(1),
      step: async (_row, { setStatus, addFields }) => {
        setStatus('length');
        addFields({ finish: 'length' });
        return 'x';
      },
    });
    await runRows(options);
    expect(lines(options.out)[0]).toMatchObject({ status: 'length', finish: 'length' });
    const { rows, description: about } = options;
    const out = join(temporaryFolder(), 'run');
    const step = async () => ({ score: Number.NaN });
    await expect(runRows({ rows, description: about, client, out, step })).rejects.toThrow('NaN');
  });
});
