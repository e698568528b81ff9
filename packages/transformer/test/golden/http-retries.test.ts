/**
 * What a checkpoint behind a URL makes of what passes, of contents that change, and of calls.
 */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HttpCheckpointOptions, loadModel, openHttpCheckpoint } from '../../src/index.js';
import { DOWN, isData, llama, NORM, serve, status, valuesOf, WHOLE } from './misbehaving-server.js';
import { answer, etagOf, type FileRequest, type Misbehaviour } from './range-server.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('what passes', () => {
  it('a body that breaks off goes on where it broke', async () => {
    const { server, start, waits } = await serve();
    const checkpoint = await start();
    server.misbehave = (request, response) => {
      if (!isData(request) || request.earlier >= 4) return false;
      const [begin, end] = request.range!;
      response.writeHead(206, {
        'content-range': `bytes ${begin}-${end - 1}/${request.content!.length}`,
        'content-length': end - begin,
      });
      response.write(request.content!.subarray(begin, begin + 100), () => response.destroy());
      return true;
    };
    expect(await checkpoint.read(DOWN)).toEqual(await valuesOf(DOWN));
    expect(waits).toEqual([500, 1000]);
    const begins = server.requests.filter(isData).map(({ range }) => range![0]);
    expect(begins.map((begin) => begin - begins[0]!)).toEqual([0, 100, 200]);
    checkpoint.close();
  });

  it.each([429, 500, 502, 503, 504])('status %i is asked again', async (code) => {
    const busy = (request: FileRequest) => request.earlier < 2;
    const { start, waits } = await serve({ misbehave: status(code, busy) });
    const checkpoint = await start();
    expect(await checkpoint.read(NORM)).toEqual(await valuesOf(NORM));
    expect(waits.slice(0, 2)).toEqual([500, 1000]);
    checkpoint.close();
  });

  it('a server that says how long to wait is obeyed, unless it is long', async () => {
    const limit = (seconds: string) =>
      status(429, ({ earlier }) => earlier < 1, { 'retry-after': seconds });
    const short = await serve({ misbehave: limit('7') });
    (await short.start()).close();
    expect(new Set(short.waits)).toEqual(new Set([7000]));
    const long = await serve({ misbehave: limit('3600') });
    await expect(long.start()).rejects.toMatchObject({
      message: expect.stringContaining('the server answered 429, the server asks to wait 1 h'),
      help: expect.stringContaining('limits how often'),
      details: { status: 429 },
    });
    expect(long.waits).toEqual([]);
  });

  it('what does not pass is an error after five tries', async () => {
    const { server, start, waits } = await serve({ misbehave: status(503, () => true) });
    await expect(start()).rejects.toThrow('config.json: the server answered 503, 5 times.');
    expect(waits).toEqual([500, 1000, 2000, 4000]);
    await server.close();
    await expect(start()).rejects.toMatchObject({
      message: expect.stringMatching(/cannot be reached \(ECONNREFUSED\), 5 times\.$/),
    });
  });

  it('a failed pass leaves nothing on the backend, and the next one runs', async () => {
    const { server, start } = await serve();
    const { numTensors } = tf.memory();
    const model = await loadModel(await start(), { residency: 'streamed' });
    const loaded = tf.memory().numTensors;
    server.misbehave = status(500, isData);
    await expect(model.forward({ ids: [[1, 2]] })).rejects.toThrow('answered 500, 5 times');
    expect(tf.memory().numTensors).toBe(loaded);
    server.misbehave = () => false;
    const result = await model.forward({ ids: [[1, 2]] });
    expect(result.logits!.shape).toEqual([1, 2, 97]);
    result.dispose();
    model.dispose();
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

describe('a content that changes', () => {
  const changing = async (change: (content: Buffer) => Buffer, misbehave?: Misbehaviour) => {
    const folder = join(temporaryFolder(), 'model');
    cpSync(llama, folder, { recursive: true });
    const path = join(folder, WHOLE);
    const { server, start } = await serve({ folder, ...(misbehave && { misbehave }) });
    const checkpoint = await start();
    writeFileSync(path, change(readFileSync(path)));
    const read = checkpoint.read(NORM);
    await expect(read).rejects.toMatchObject({
      message: expect.stringContaining('has changed since it was opened'),
      help: 'Open the checkpoint again.',
    });
    checkpoint.close();
    return { server, read };
  };
  const other = (content: Buffer) => content.map((byte) => byte ^ 1) as Buffer;

  it('is seen by its tag: the server sends all to If-Range', async () => {
    const { server } = await changing((content) => Buffer.from(other(content)));
    const last = server.requests.at(-1)!;
    expect(last.headers['if-range']).toBe(etagOf(readFileSync(join(llama, WHOLE))));
  });

  it('is seen by its tag where If-Range is not known', async () => {
    await changing(
      (content) => Buffer.from(other(content)),
      ({ headers, ...request }, response) => {
        const { 'if-range': _, ...rest } = headers;
        answer({ ...request, headers: rest }, response);
        return true;
      },
    );
  });

  it.each<[string, (content: Buffer) => Record<string, string>]>([
    ['its date', (content) => ({ 'last-modified': new Date(content[9]! * 1e6).toUTCString() })],
    ['its size', () => ({ etag: 'W/"weak"' })],
  ])('is seen by %s where it has no tag', async (what, headers) => {
    await changing(
      (content) =>
        what === 'its size'
          ? Buffer.concat([content, Buffer.alloc(8)])
          : Buffer.from(other(content)),
      ({ content, range }, response) => {
        if (content === null || range === null) return false;
        const [begin, end] = range;
        const own = { 'content-range': `bytes ${begin}-${end - 1}/${content.length}` };
        response.writeHead(206, { ...own, ...headers(content) }).end(content.subarray(begin, end));
        return true;
      },
    );
  });

  it('is seen where it has become shorter', async () => {
    await changing(
      (content) => content.subarray(0, 100),
      ({ headers: _, ...request }, response) => {
        answer({ ...request, headers: {} }, response);
        return true;
      },
    );
  });
});

describe('calls', () => {
  it('end by their signal: when opening, in a wait, while reading, and later', async () => {
    const reason = new Error('enough');
    const before = await serve();
    await expect(before.start({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(before.server.requests).toEqual([]);

    const waiting = new AbortController();
    const busy = await serve({ misbehave: status(503, () => true) });
    const opening = busy.start({
      signal: waiting.signal,
      sleep: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          waiting.abort(reason);
        }),
    });
    await expect(opening).rejects.toBe(reason);

    const controller = new AbortController();
    const { server, start } = await serve();
    const checkpoint = await start({ signal: controller.signal });
    server.misbehave = () => {
      controller.abort(reason);
      return true;
    };
    await expect(checkpoint.read(NORM)).rejects.toBe(reason);
    const { length } = server.requests;
    await expect(checkpoint.read(NORM)).rejects.toBe(reason);
    expect(server.requests.length).toBe(length);
  });

  it('need a URL of a folder, and a fetch', async () => {
    const folder = join(temporaryFolder(), 'copies');
    const at = (url: string, more: object = {}) =>
      openHttpCheckpoint(url, { fetch, folder, ...more } as HttpCheckpointOptions);
    await expect(at('models/gpt2')).rejects.toThrow('is no URL of http or https');
    await expect(at('file:///models/gpt2')).rejects.toThrow('is no URL of http or https');
    await expect(at('https://me:word@localhost/gpt2')).rejects.toThrow(
      /^localhost: the URL holds a name or a password\.$/,
    );
    await expect(at('http://localhost/gpt2/model.safetensors?a=b')).rejects.toThrow(
      'http://localhost/gpt2/model.safetensors: is the URL of a file.',
    );
    for (const more of [{ fetch: undefined }, { retries: 3 }, { folder: '' }, { headers: 'x' }]) {
      await expect(at('http://localhost/gpt2', more)).rejects.toMatchObject({ code: 'LAB_CONFIG' });
    }
    expect(existsSync(folder)).toBe(false);
  });
});
