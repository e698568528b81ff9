import { join } from 'node:path';
import { requireCondition, temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import type { StoredAnswer } from '../answer-cache.js';
import { openSqliteStore } from './sqlite-store.js';

const name = 'node:sqlite';
const hasSqlite = await import(name).then(
  () => true,
  () => false,
);

const answer = (hash: string, text: string): StoredAnswer => ({
  ...{ hash, text, servedModel: 'm', reasoning: null, logprobs: null, finish: 'stop' },
  ...{ usage: { prompt: 1, completion: 2 }, latencyMs: 3 },
});

it('openSqliteStore opens a file, or says which Node has SQLite', async () => {
  const opened = openSqliteStore(join(temporaryFolder(), 'a.db'));
  if (hasSqlite) return (await opened).close();
  await expect(opened).rejects.toMatchObject({
    code: 'LAB_CONFIG',
    help: expect.stringContaining('22.13') as unknown,
  });
});

describe.skipIf(!requireCondition('sqlite', hasSqlite))('openSqliteStore (needs sqlite)', () => {
  it('keeps answers over processes, the last of doubled ones', async () => {
    const path = join(temporaryFolder(), 'deep', 'answers.db');
    const [one, two] = await Promise.all([openSqliteStore(path), openSqliteStore(path)]);
    await one.put(answer('a', 'first'));
    await two.put(answer('b', 'grün 蓝 😀'));
    await two.put(answer('a', 'second'));
    expect([one.has('a'), one.has('b'), one.has('c')]).toEqual([true, true, false]);
    expect(await one.get('a')).toEqual(answer('a', 'second'));
    expect(await one.get('c')).toBeUndefined();
    await one.close();
    await two.close();
    const again = await openSqliteStore(path);
    const texts: string[] = [];
    for await (const { text } of again.iterate()) texts.push(text);
    expect(texts.toSorted()).toEqual(['grün 蓝 😀', 'second']);
    await again.close();
  });

  it('says what is no database', async () => {
    const folder = temporaryFolder();
    await expect(openSqliteStore(folder)).rejects.toMatchObject({ code: 'LAB_DATA' });
  });
});
