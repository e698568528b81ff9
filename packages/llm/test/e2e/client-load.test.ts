import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/cache/memory-store.js';
import { createClient } from '../../src/index.js';
import { startFakeServer } from '../../src/testing.js';

const requests = Array.from({ length: 1000 }, (_, index) => ({
  messages: [{ role: 'user', content: `question ${index}` }] as const,
}));

describe('1,000 requests, 5 % 429 and 2 % resets', () => {
  it.each([64, undefined])('all end well, at a concurrency of %s', async (concurrency) => {
    const server = await startFakeServer({
      script: {
        rules: [
          {
            ...{ do: 'rate-limit', retryAfter: 'milliseconds', waitMs: 20 },
            when: { share: 0.05, draw: 'attempt' },
          },
          { do: 'cut', at: 'mid-body', when: { share: 0.02, draw: 'attempt' } },
        ],
      },
    });
    const cache = createMemoryStore();
    const options = { baseUrl: server.url, model: 'fake-model', cache, concurrency };
    // Draws of nothing: no wait but those that the server asks for.
    const random = { ...createRandom(1), uniform: () => 0 };
    const client = createClient({ ...options, random });
    const limits: number[] = [];
    const results = await Promise.all(
      requests.map(async (request) => {
        const result = await client.chat(request);
        limits.push(client.concurrency);
        return result;
      }),
    );
    expect(results.every(({ text }) => text !== '')).toBe(true);
    expect(server.counters.maxConcurrent).toBeLessThanOrEqual(concurrency ?? 100);
    expect(results.some(({ attempts }) => attempts > 1)).toBe(true);
    const { received } = server.counters;
    expect(received).toBeGreaterThan(1030);
    if (concurrency === undefined) {
      expect(limits.some((limit, index) => index > 0 && limit < limits[index - 1]!)).toBe(true);
      expect(limits.some((limit, index) => index > 0 && limit > limits[index - 1]!)).toBe(true);
    }
    const again = await Promise.all(requests.map((request) => client.chat(request)));
    expect(again.map(({ text }) => text)).toEqual(results.map(({ text }) => text));
    expect(again.every(({ isCached, attempts }) => isCached && attempts === 0)).toBe(true);
    expect(server.counters.received).toBe(received);
    await client.close();
    await server.close();
  });
});
