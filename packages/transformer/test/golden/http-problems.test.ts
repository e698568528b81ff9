/**
 * What a checkpoint behind a URL makes of servers that do not give what is wanted of them.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { writeRandomCheckpoint } from '../../src/index.js';
import { INDEX, readIndex } from '../../src/weights/checkpoint.js';
import {
  DOWN,
  isData,
  isNamed,
  llama,
  NORM,
  serve,
  status,
  valuesOf,
  WHOLE,
} from './misbehaving-server.js';
import { answer, type FileRequest, type Misbehaviour } from './range-server.js';

describe('files that are not given', () => {
  it('config.json that is not there: which, and what URL is wanted', async () => {
    const { server, start } = await serve({ misbehave: status(404, isNamed('config.json')) });
    await expect(start()).rejects.toMatchObject({
      code: 'LAB_MODEL',
      message: `${server.url}/config.json: there is no such file (status 404).`,
      help: expect.stringContaining('/resolve/main'),
      details: { status: 404 },
    });
    expect(server.requests.length).toBe(1);
  });

  it.each([401, 403])('status %i asks for headers', async (code) => {
    const { start } = await serve({ misbehave: status(code, () => true) });
    await expect(start()).rejects.toMatchObject({
      message: expect.stringContaining(`config.json: the server`),
      help: expect.stringContaining('Give headers'),
      details: { status: code },
    });
  });

  it('a store that says 403 in the place of 404 for what is not there', async () => {
    const missing: Misbehaviour = (request, response) =>
      status(403, ({ content }) => content === null)(request, response);
    const { start } = await serve({ misbehave: missing });
    const checkpoint = await start();
    expect(await checkpoint.read(NORM)).toEqual(await valuesOf(NORM));
    checkpoint.close();
  });

  it('no weights at all', async () => {
    const { server, start } = await serve({ misbehave: status(404, isNamed(WHOLE)) });
    await expect(start()).rejects.toThrow(
      `${server.url}: has no ${WHOLE} (status 404) and no ${INDEX} (status 404).`,
    );
  });

  it('a page for browsers in the place of a file', async () => {
    const page = { 'content-type': 'text/html; charset=utf-8' };
    const login = await serve({ misbehave: status(200, () => true, page) });
    await expect(login.start()).rejects.toThrow('config.json: the server gives a page');
    const template = isNamed('chat_template.jinja');
    const other = await serve({ misbehave: status(200, template, page) });
    await expect(other.start()).rejects.toThrow('chat_template.jinja: the server gives a page');
  });

  it('a shard that the index names, and names outside of the folder', async () => {
    const folder = join(temporaryFolder(), 'shards');
    const config = { model_type: 'gpt2', vocab_size: 50, n_embd: 16, n_layer: 1, n_head: 2 };
    await writeRandomCheckpoint(folder, config, { shardBytes: 8000 });
    const { server, start } = await serve({ folder });
    const shard = readIndex(join(folder, INDEX)).names[1]!;
    rmSync(join(folder, shard));
    await expect(start()).rejects.toMatchObject({
      message: `${server.url}/${shard}: there is no such file (status 404).`,
      help: expect.stringContaining('names it'),
    });
    for (const name of ['../secret.safetensors', 'a/b.safetensors', '..', 'a\\b']) {
      writeFileSync(join(folder, INDEX), JSON.stringify({ weight_map: { w: name } }));
      await expect(start(), name).rejects.toThrow('names a file outside of the folder');
    }
    expect(server.requests.some(({ name }) => name.includes('secret'))).toBe(false);
  });

  it('weights whose header is damaged, as local ones', async () => {
    const folder = join(temporaryFolder(), 'model');
    cpSync(llama, folder, { recursive: true });
    const { server, start } = await serve({ folder });
    const path = join(folder, WHOLE);
    const bytes = readFileSync(path);
    for (const length of [0, 5, 40, bytes.length - 4]) {
      writeFileSync(path, bytes.subarray(0, length));
      await expect(start(), String(length)).rejects.toMatchObject({
        code: 'LAB_DATA',
        file: `${server.url}/${WHOLE}`,
      });
    }
  });
});

describe('servers without ranges', () => {
  const whole: Misbehaviour = (request, response) => {
    answer({ ...request, range: null }, response);
    return true;
  };

  it('a small file is taken whole, once', async () => {
    const { server, start } = await serve({ misbehave: whole });
    const checkpoint = await start();
    expect(await checkpoint.read(NORM)).toEqual(await valuesOf(NORM));
    expect(server.requests.filter(isNamed(WHOLE)).length).toBe(1);
    checkpoint.close();
  });

  it.each([
    ['announced', { 'content-length': String(1 << 25) }],
    ['not announced', {}],
  ])('a large file is refused, its size %s', async (_, headers) => {
    let sent = 0;
    const { start } = await serve({
      misbehave: (request, response) => {
        if (request.name !== WHOLE) return false;
        response.writeHead(200, headers as Record<string, string>);
        const send = () => {
          if (response.destroyed || sent >= 1 << 25) return;
          sent += 1 << 20;
          response.write(Buffer.alloc(1 << 20), send);
        };
        send();
        return true;
      },
    });
    await expect(start()).rejects.toMatchObject({
      message: expect.stringContaining(
        'the server has no range support: it sends the whole file, of more than 16.8 MB',
      ),
      help: expect.stringContaining('Download the checkpoint'),
    });
  });

  it('one that has ranges at first only', async () => {
    const { server, start } = await serve();
    const checkpoint = await start();
    server.misbehave = whole;
    await expect(checkpoint.read(NORM)).rejects.toThrow('it gave a range before and now sends all');
    checkpoint.close();
  });
});

describe('answers that are not what was asked for', () => {
  const ranged =
    (headers: (request: FileRequest) => Record<string, string>, body = Buffer.alloc(4)) =>
    (request: FileRequest, response: ServerResponse): boolean => {
      if (!isData(request)) return false;
      response.writeHead(206, headers(request)).end(body);
      return true;
    };
  const size = readFileSync(join(llama, WHOLE)).length;

  it.each<[string, Misbehaviour, string]>([
    ['no range', ranged(() => ({})), 'the server gives no range where bytes'],
    [
      'another range',
      ranged(() => ({ 'content-range': `bytes 0-3/${size}` })),
      `the server gives bytes 0-3/${size} where bytes`,
    ],
    [
      'a longer range',
      ranged(({ range }) => ({ 'content-range': `bytes ${range![0]}-${range![1]}/${size}` })),
      'where bytes',
    ],
    [
      'more bytes than it says',
      ranged(({ range }) => ({ 'content-range': `bytes ${range![0]}-${range![0]}/${size}` })),
      'more than the 1 bytes that it announces',
    ],
    ['an unknown status', status(418, isData), 'the server does not give it (status 418)'],
    ['nothing any more', status(404, isData), 'there is no such file (status 404)'],
  ])('%s', async (_, misbehave, message) => {
    const { server, start, waits } = await serve();
    const checkpoint = await start();
    server.misbehave = misbehave;
    await expect(checkpoint.read(NORM)).rejects.toThrow(message);
    expect(waits).toEqual([]);
    server.misbehave = () => false;
    expect(await checkpoint.read(NORM)).toEqual(await valuesOf(NORM));
    checkpoint.close();
  });

  it('a range without the size of the file', async () => {
    const unknown: Misbehaviour = ({ name }, response) => {
      if (name !== WHOLE) return false;
      response.writeHead(206, { 'content-range': 'bytes 0-8/*' }).end(Buffer.alloc(9));
      return true;
    };
    const { start } = await serve({ misbehave: unknown });
    await expect(start()).rejects.toThrow('the server gives bytes 0-8/* where bytes 0-8 were');
  });

  it('fewer bytes than it says: asked again from there, at last an error', async () => {
    const { server, start, waits } = await serve();
    const checkpoint = await start();
    server.misbehave = (request, response) => {
      if (!isData(request)) return false;
      const [begin, end] = request.range!;
      response.writeHead(206, { 'content-range': `bytes ${begin}-${end - 1}/${size}` });
      response.end(request.content!.subarray(begin, begin + 4));
      return true;
    };
    const read = checkpoint.read(DOWN);
    await expect(read).rejects.toThrow(/the answer has 4 of \d+ bytes, 5 times\.$/);
    expect(waits).toEqual([500, 1000, 2000, 4000]);
    const begins = server.requests.filter(isData).map(({ range }) => range![0]);
    expect(begins.map((begin) => begin - begins[0]!)).toEqual([0, 4, 8, 12, 16]);
    checkpoint.close();
  });

  it('a range in parts, as a server with a limit gives it', async () => {
    const { server, start, waits } = await serve();
    const checkpoint = await start();
    server.misbehave = (request, response) => {
      const [begin, end] = request.range!;
      answer({ ...request, range: [begin, Math.min(end, begin + 500)] }, response);
      return true;
    };
    expect(await checkpoint.read(DOWN)).toEqual(await valuesOf(DOWN));
    expect(server.requests.filter(isData).length).toBeGreaterThan(5);
    expect(waits).toEqual([]);
    checkpoint.close();
  });
});
