import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sha256 } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import type { StoredAnswer } from '../answer-cache.js';
import { openAnswerStore } from './answer-store.js';
import { exportAnswers, listAnswers } from './list-answers.js';
import { pruneAnswers } from './prune.js';
import { answerLine } from './segment.js';

const answer = (index: number, servedModel = 'm'): StoredAnswer => ({
  hash: sha256(String(index)),
  servedModel,
  text: `answer ${index} `.repeat(20),
  reasoning: null,
  logprobs: null,
  finish: 'stop',
  usage: { prompt: 3, completion: 2 },
  latencyMs: 12,
});

/** A segment of a process that is gone. */
function writeSegment(dir: string, name: string, answers: readonly StoredAnswer[]): string {
  const path = join(dir, `answers-${name}.jsonl`);
  writeFileSync(path, answers.map(answerLine).join(''));
  return path;
}

const many = Array.from({ length: 1000 }, (_, index) => answer(index));

describe('pruneAnswers', () => {
  it('packs closed segments into one gzip file that any tool reads, without doubles', async () => {
    const dir = temporaryFolder();
    writeSegment(dir, 'gone-99999999-aa', many);
    writeSegment(dir, 'gone-99999999-bb', many.slice(0, 10));
    const before = readdirSync(dir);
    for (const name of before) utimesSync(join(dir, name), 1e9, 1e9);
    const open = openAnswerStore(dir);
    await open.put(answer(5000));
    const summary = pruneAnswers(dir);
    expect(summary).toMatchObject({ kept: 1000, dropped: 10, skippedSegments: 1 });
    expect(summary.bytesAfter).toBeLessThan(summary.bytesBefore / 3);
    const [packed = ''] = readdirSync(dir).filter((name) => name.endsWith('.gz'));
    const lines = gunzipSync(readFileSync(join(dir, packed))).toString('utf8');
    expect(lines.trim().split('\n')).toHaveLength(1000);
    // A store that was open reads on, one that opens reads the packed segment.
    expect(await open.get(answer(3).hash)).toEqual(answer(3));
    const again = openAnswerStore(dir);
    expect(again.size).toBe(1001);
    expect(await again.get(answer(999).hash)).toEqual(answer(999));
    await Promise.all([open.close(), again.close()]);
  });

  it('drops what is old, and models that are not wanted', async () => {
    const dir = temporaryFolder();
    const old = writeSegment(dir, 'gone-99999999-aa', [answer(1)]);
    utimesSync(old, 1e9, 1e9);
    writeSegment(dir, 'gone-99999999-bb', [answer(2), answer(3, 'other')]);
    // Of another machine and not a day old: somebody may write there. A day by the folder's clock.
    const summary = pruneAnswers(dir, { olderThanDays: 30, models: ['other'] });
    expect(summary).toMatchObject({ kept: 0, dropped: 0, expiredSegments: 1, skippedSegments: 1 });
    for (const name of readdirSync(dir)) {
      const then = Date.now() / 1000 - 2 * 24 * 3600;
      utimesSync(join(dir, name), then, then);
    }
    expect(pruneAnswers(dir, { models: ['other'] })).toMatchObject({ kept: 1, dropped: 1 });
    const store = openAnswerStore(dir);
    expect(store.size).toBe(1);
    expect(await store.get(answer(3).hash)).toEqual(answer(3, 'other'));
    await store.close();
  });
});

describe('listAnswers and exportAnswers', () => {
  it('count by model, and write every answer once', async () => {
    const dir = temporaryFolder();
    writeSegment(dir, 'gone-99999999-aa', [answer(1), answer(2), answer(3, 'other')]);
    writeSegment(dir, 'gone-99999999-bb', [answer(1)]);
    expect(await listAnswers(dir)).toMatchObject({
      answers: 3,
      segments: 2,
      models: [
        { model: 'm', answers: 2, promptTokens: 6, completionTokens: 4 },
        { model: 'other', answers: 1 },
      ],
    });
    const path = join(temporaryFolder(), 'all.jsonl');
    expect(exportAnswers(dir, path)).toBe(3);
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(3);
    await expect(listAnswers(join(dir, 'none'))).rejects.toThrow('no such folder');
  });
});
