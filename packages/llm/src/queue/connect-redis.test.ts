import { afterEach, describe, expect, it, vi } from 'vitest';
import { connectRedis } from './connect-redis.js';
import { parseQueueRate } from './queue-rate.js';

afterEach(() => {
  vi.doUnmock('bullmq');
  vi.resetModules();
});

describe('connectRedis', () => {
  it('says what to install where a package is not there', async () => {
    vi.doMock('bullmq', () => {
      throw new Error('Cannot find package');
    });
    await expect(connectRedis('redis://127.0.0.1:1')).rejects.toMatchObject({
      code: 'LAB_CONFIG',
      help: expect.stringContaining('npm install bullmq ioredis') as unknown,
    });
  });

  it.each(['localhost:6379', 'http://localhost', 'redis://', ''])('refuses %j', async (url) => {
    await expect(connectRedis(url)).rejects.toThrow('no Redis URL');
  });
});

describe('parseQueueRate', () => {
  it('reads requests and a time', () => {
    expect(parseQueueRate('10/s')).toEqual({ requests: 10, milliseconds: 1000 });
    expect(parseQueueRate('600/min')).toEqual({ requests: 600, milliseconds: 60_000 });
    expect(parseQueueRate(' 5000/h ')).toEqual({ requests: 5000, milliseconds: 3_600_000 });
  });

  it.each(['', '10', '10/d', '0/s', '-1/s', '1.5/s'])('refuses %j', (text) => {
    expect(() => parseQueueRate(text)).toThrow('no rate');
  });
});
