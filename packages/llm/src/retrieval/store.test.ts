import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '../client.js';
import { createScriptedClient } from '../scripted.js';
import { startFakeServer } from '../testing.js';
import { openEmbeddingStore } from './store.js';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lab-vectors-'));
});

afterEach(() => {
  rmSync(dir, { recursive: true });
});

function client(model = 'm', embeddingWidth = 8) {
  const asked: string[] = [];
  const scripted = createScriptedClient({ answer: () => '', model, embeddingWidth });
  const embed: typeof scripted.embed = (texts, options) => {
    asked.push(...texts);
    return scripted.embed(texts, options);
  };
  return { client: { ...scripted, embed }, asked };
}

describe('openEmbeddingStore', () => {
  it('asks for each text once, over processes', async () => {
    const { client: model, asked } = client();
    const first = openEmbeddingStore(dir, 'm');
    const table = await first.embed(model, ['a', 'b', 'a']);
    expect(table.values.slice(0, 8)).toEqual(table.values.slice(16));
    expect(asked).toEqual(['a', 'b']);
    const second = openEmbeddingStore(dir, 'm');
    await second.embed(model, ['b', 'c']);
    await first.embed(model, ['d']);
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
    first.close();
    second.close();

    const third = openEmbeddingStore(dir, 'm');
    expect(third.size).toBe(4);
    expect(third.has('d')).toBe(true);
    expect(third.get('a')).toEqual(table.values.slice(0, 8));
    expect(third.get('e')).toBeUndefined();
    third.close();
    expect(readdirSync(dir)).toHaveLength(2);
  });

  it('leaves a torn record out', async () => {
    const { client: model, asked } = client();
    const store = openEmbeddingStore(dir, 'm');
    await store.embed(model, ['a', 'b']);
    store.close();
    appendFileSync(join(dir, readdirSync(dir)[0]!), Buffer.alloc(40));
    const again = openEmbeddingStore(dir, 'm');
    expect(again.size).toBe(2);
    await again.embed(model, ['a', 'c']);
    expect(asked).toEqual(['a', 'b', 'c']);
    again.close();
  });

  it('keeps models apart and refuses what changed', async () => {
    const store = openEmbeddingStore(dir, 'm');
    await store.embed(client().client, ['a']);
    const other = openEmbeddingStore(dir, 'n');
    expect(other.size).toBe(0);
    await expect(other.embed(client('m').client, ['a'])).rejects.toThrow(/is for n, not m/);
    await expect(store.embed(client('m', 4).client, ['b'])).rejects.toThrow(/now gives 4/);
    expect(await store.embed(client().client, [])).toEqual({
      width: 8,
      values: new Float32Array(),
    });
    store.close();
    other.close();
    writeFileSync(join(dir, readdirSync(dir)[0]!), 'something else altogether');
    expect(() => openEmbeddingStore(dir, 'm')).toThrow(/no vectors/);
  });

  it('reads many vectors', async () => {
    const texts = Array.from({ length: 3000 }, (_, index) => `text ${index}`);
    const store = openEmbeddingStore(dir, 'm');
    const { values } = await store.embed(client('m', 128).client, texts);
    store.close();
    const again = openEmbeddingStore(dir, 'm');
    expect(again.size).toBe(3000);
    expect(again.get('text 2999')).toEqual(values.slice(-128));
    again.close();
  });

  it('is used by a client, which asks for what is missing alone', async () => {
    const server = await startFakeServer();
    const texts = Array.from({ length: 100 }, (_, index) => `text ${index}`);
    for (const expected of [2, 0, 1]) {
      const embeddings = openEmbeddingStore(dir, 'm');
      const client = createClient({ baseUrl: server.url, model: 'm', embeddings });
      if (expected === 1) texts.push('a new one');
      server.reset();
      const made = await client.embed(texts);
      expect(server.counters.received).toBe(expected);
      expect(made.values).toHaveLength(texts.length * made.width);
      expect(made.usage.prompt > 0).toBe(expected > 0);
      const alone = createClient({ baseUrl: server.url, model: 'm' });
      expect((await alone.embed(['text 3'])).values).toEqual(
        made.values.slice(3 * made.width, 4 * made.width),
      );
      await Promise.all([client.close(), alone.close()]);
      embeddings.close();
    }
    const other = openEmbeddingStore(dir, 'other');
    const client = createClient({ baseUrl: server.url, model: 'm', embeddings: other });
    await expect(client.embed(['x'])).rejects.toThrow('is for other, not m');
    await client.close();
    other.close();
    await server.close();
  });
});
