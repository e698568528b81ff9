import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import type { StoredAnswer } from '../answer-cache.js';
import { AnswerIndex } from './answer-index.js';
import { openAnswerStore } from './answer-store.js';
import { createMemoryStore } from './memory-store.js';

const answer = (index: number, text = `answer ${index}`): StoredAnswer => ({
  hash: sha256(String(index)),
  servedModel: 'm',
  text,
  reasoning: null,
  logprobs: null,
  finish: 'stop',
  usage: { prompt: 3, completion: 2, cached: 0, reasoning: 0, isEstimated: false },
  latencyMs: 12,
});

const segmentsOf = (dir: string) => readdirSync(dir).filter((name) => name.endsWith('.jsonl'));

describe('openAnswerStore', () => {
  it('gives back what was put, at once and after opening again', async () => {
    const dir = join(temporaryFolder(), 'new', 'cache');
    const store = openAnswerStore(dir);
    expect(store.has(answer(1).hash)).toBe(false);
    expect(await store.get(answer(1).hash)).toBeUndefined();
    const kept = store.put(answer(1));
    expect(store.has(answer(1).hash)).toBe(true);
    expect(await store.get(answer(1).hash)).toEqual(answer(1));
    await kept;
    await Promise.all(Array.from({ length: 500 }, (_, i) => store.put(answer(i, `é${i}\n"`))));
    expect(await store.get(answer(77).hash)).toEqual(answer(77, 'é77\n"'));
    await store.close();
    const again = openAnswerStore(dir);
    expect(again.size).toBe(500);
    expect(await again.get(answer(499).hash)).toEqual(answer(499, 'é499\n"'));
    await again.close();
    expect(segmentsOf(dir)).toHaveLength(1);
  });

  it('is without a file until something is kept', async () => {
    const dir = temporaryFolder();
    await openAnswerStore(dir).close();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('takes the newest of doubled answers', async () => {
    const dir = temporaryFolder();
    const store = openAnswerStore(dir);
    await store.put(answer(1, 'old'));
    await store.put(answer(1, 'new'));
    expect((await store.get(answer(1).hash))?.text).toBe('new');
    await store.close();
    const again = openAnswerStore(dir);
    expect((await again.get(answer(1).hash))?.text).toBe('new');
    expect(again.size).toBe(1);
    await again.close();
  });

  it('drops a torn last line, lines that are no answers, and nothing else', async () => {
    const dir = temporaryFolder();
    const store = openAnswerStore(dir);
    await store.put(answer(1));
    await store.close();
    const [name = ''] = segmentsOf(dir);
    appendFileSync(join(dir, name), 'not json\n\n{"hash":"ab","text":"torn');
    const again = openAnswerStore(dir);
    expect(again.size).toBe(1);
    await again.put(answer(2)); // in a file of its own
    expect(segmentsOf(dir)).toHaveLength(2);
    expect(await again.get(answer(1).hash)).toEqual(answer(1));
    await again.close();
  });

  it('sees what another store in the same folder keeps meanwhile', async () => {
    const dir = temporaryFolder();
    const [left, right] = [openAnswerStore(dir), openAnswerStore(dir)];
    await Promise.all([left.put(answer(1)), right.put(answer(2))]);
    left.refresh();
    expect(await left.get(answer(2).hash)).toEqual(answer(2));
    const eager = openAnswerStore(dir, { refreshMs: 0 });
    await right.put(answer(3));
    let found: StoredAnswer | undefined;
    while (found === undefined) found = await eager.get(answer(3).hash);
    expect(found).toEqual(answer(3));
    await Promise.all([left.close(), right.close(), eager.close()]);
  });

  it('opens from the side index, and goes on where it ends', async () => {
    const dir = temporaryFolder();
    const store = openAnswerStore(dir, { sideIndexRows: 1 });
    await Promise.all(Array.from({ length: 100 }, (_, i) => store.put(answer(i))));
    await store.close();
    expect(existsSync(join(dir, 'answers.index'))).toBe(true);
    const more = openAnswerStore(dir);
    await more.put(answer(100));
    await more.close();
    const again = openAnswerStore(dir);
    expect(again.size).toBe(101);
    expect(await again.get(answer(40).hash)).toEqual(answer(40));
    await again.close();
    // Damaged, or of segments that are gone: it is not believed.
    appendFileSync(join(dir, 'answers.index'), 'x');
    expect(openAnswerStore(dir).size).toBe(101);
    const [first = ''] = segmentsOf(dir).filter((name) =>
      readFileSync(join(dir, name), 'utf8').includes(answer(0).hash),
    );
    rmSync(join(dir, first));
    expect(openAnswerStore(dir).size).toBe(1);
  });

  it('iterates over every answer once', async () => {
    const dir = temporaryFolder();
    const [left, right] = [openAnswerStore(dir), openAnswerStore(dir)];
    await Promise.all([left.put(answer(1)), right.put(answer(1)), right.put(answer(2))]);
    const seen: string[] = [];
    for await (const { hash } of left.iterate()) seen.push(hash);
    expect(seen.sort()).toEqual([answer(1).hash, answer(2).hash].sort());
    await Promise.all([left.close(), right.close()]);
  });

  it('keeps few files open among many segments', async () => {
    const dir = temporaryFolder();
    for (let i = 0; i < 40; i += 1) {
      const store = openAnswerStore(dir);
      await store.put(answer(i));
      await store.close();
    }
    const store = openAnswerStore(dir);
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => store.get(answer(i).hash)));
    expect(all).toEqual(Array.from({ length: 40 }, (_, i) => answer(i)));
    await store.close();
  });
});

describe('AnswerIndex', () => {
  it('takes at most 40 bytes a row', () => {
    for (const rows of [60_000, 106_000]) {
      const index = new AnswerIndex();
      const hex = sha256('x').slice(16);
      for (let i = 0; i < rows; i += 1) {
        // Words as evenly spread as those of a digest.
        const word = (Math.imul(i + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
        index.set(`${word}${word}${hex}`, { segment: 1, offset: 2 ** 40 + i, length: i });
      }
      expect(index.size).toBe(rows);
      expect(index.byteLength / rows).toBeLessThanOrEqual(40);
      expect(index.placeAt(77)).toEqual({ segment: 1, offset: 2 ** 40 + 77, length: 77 });
    }
  });
});

describe('createMemoryStore', () => {
  it('keeps answers while it lives', async () => {
    const store = createMemoryStore();
    await store.put(answer(1));
    expect(store.has(answer(1).hash)).toBe(true);
    expect(await store.get(answer(1).hash)).toEqual(answer(1));
    const all = [];
    for await (const kept of store.iterate()) all.push(kept);
    expect(all).toEqual([answer(1)]);
    await store.close();
  });
});
