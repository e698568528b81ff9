import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import timers from 'undici/lib/util/timers.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createTransport,
  type TransportOptions,
  type TransportRequest,
} from '../../src/transport.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Closable {
  close(done: () => void): unknown;
  closeAllConnections?(): void;
}

/** Starts a server on loopback that ends with the test; its port. */
async function listen(server: Closable & Pick<Server, 'listen' | 'address'>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server as Server, 'listening');
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve(undefined));
        server.closeAllConnections?.();
      }),
  );
  return (server.address() as AddressInfo).port;
}

function transport(options: Partial<TransportOptions> = {}) {
  const made = createTransport({ proxies: {}, ...options });
  closers.push(() => made.close());
  return made;
}

const request = (origin: string, more: Partial<TransportRequest> = {}): TransportRequest => ({
  ...{ origin, path: '/v1/x', headers: ['content-type', 'application/json'], body: '{"a":1}' },
  ...more,
});

const problemOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'none',
    (error: { problem?: string; message: string }) => error.problem ?? error.message,
  );

describe('createTransport', () => {
  it('sends and receives, over the same connection', async () => {
    const seen = new Set<unknown>();
    const port = await listen(
      createServer((req, res) => {
        seen.add(req.socket);
        req.pipe(res.setHeader('x-path', req.url ?? ''));
      }),
    );
    const { send } = transport({ connections: 1 });
    for (const body of ['{"a":"ü"}', '{"b":2}']) {
      const answer = await send(request(`http://127.0.0.1:${port}`, { body }));
      expect(answer).toMatchObject({ status: 200, body, isStream: false });
      expect(answer.headers['x-path']).toBe('/v1/x');
    }
    expect(seen.size).toBe(1);
  });

  it('puts characters together that were cut between two parts', async () => {
    const bytes = Buffer.from('{"text":"蓝😀"}');
    const port = await listen(
      createServer((_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        let at = 0;
        const next = (): void => {
          if (at === bytes.length) res.end();
          else res.write(bytes.subarray(at, (at += 1)), () => setImmediate(next));
        };
        next();
      }),
    );
    const { send } = transport();
    const origin = `http://127.0.0.1:${port}`;
    expect((await send(request(origin))).body).toBe(bytes.toString());
    let streamed = '';
    const onStream = () => (text: string) => {
      streamed += text;
    };
    const answer = await send(request(origin, { onStream: onStream() }));
    expect([answer.isStream, answer.body, streamed]).toEqual([true, '', bytes.toString()]);
  });

  it('limits the size of answers', async () => {
    const port = await listen(createServer((_req, res) => res.end('x'.repeat(100_000))));
    const { send } = transport({ maxAnswerBytes: 50_000 });
    expect(await problemOf(send(request(`http://127.0.0.1:${port}`)))).toBe('too-large');
  });

  it('limits the times of an answer', async () => {
    const port = await listen(
      createServer((req, res) => {
        if (req.url === '/begun') {
          res.writeHead(200);
          res.write('{');
        }
      }),
    );
    const origin = `http://127.0.0.1:${port}`;
    // Undici looks at its clock about twice a second.
    const patient = transport({ timeouts: { firstByteMs: 300, idleMs: 10_000 } });
    expect(await problemOf(patient.send(request(origin)))).toBe('first-byte-timeout');
    const idle = transport({ timeouts: { firstByteMs: 10_000, idleMs: 300 } });
    expect(await problemOf(idle.send(request(origin, { path: '/begun' })))).toBe('idle-timeout');
    const total = transport();
    for (const path of ['/', '/begun']) {
      const call = total.send(request(origin, { path, totalMs: 50 }));
      expect(await problemOf(call)).toBe('total-timeout');
    }
  });

  it('limits the time of all even while there is no connection', async () => {
    const sockets: { destroy(): void }[] = [];
    // Speaks no TLS, so that the handshake never ends.
    const tcp = createTcpServer((socket) => sockets.push(socket.on('error', () => undefined)));
    const port = await listen(tcp as never);
    closers.push(async () => sockets.forEach((socket) => socket.destroy()));
    const origin = `https://127.0.0.1:${port}`;
    expect(await problemOf(transport().send(request(origin, { totalMs: 50 })))).toBe(
      'total-timeout',
    );
    const impatient = transport({ timeouts: { connectMs: 300 } });
    expect(await problemOf(impatient.send(request(origin)))).toBe('connect-timeout');
  });

  it('tells connections that are refused or broken, and names that are none', async () => {
    const port = await listen(createServer((req) => req.socket.destroy()));
    const { send } = transport();
    expect(await problemOf(send(request(`http://127.0.0.1:${port}`)))).toBe('network');
    expect(await problemOf(send(request('http://127.0.0.1:1')))).toBe('network');
    expect(await problemOf(send(request('http://no-such-host.invalid')))).toBe('network');
  });

  it('waits ten minutes for an answer, and not eleven', async () => {
    const server = createServer();
    const arrival = async (): Promise<ServerResponse> => {
      const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
      // Timers of undici begin with its next look at the clock.
      timers.tick(1000);
      return response;
    };
    const { send } = transport();
    const origin = `http://127.0.0.1:${await listen(server)}`;
    const late = send(request(origin));
    const response = await arrival();
    timers.tick(595_000);
    response.end('{"late":true}');
    expect((await late).body).toBe('{"late":true}');
    const never = problemOf(send(request(origin)));
    await arrival();
    timers.tick(595_000);
    timers.tick(10_000);
    expect(await never).toBe('first-byte-timeout');
  });

  it('ends when it is aborted', async () => {
    const port = await listen(createServer(() => undefined));
    const { send } = transport();
    const origin = `http://127.0.0.1:${port}`;
    expect(await problemOf(send(request(origin, { signal: AbortSignal.abort() })))).toBe('aborted');
    const controller = new AbortController();
    const call = problemOf(send(request(origin, { signal: controller.signal })));
    setTimeout(() => controller.abort(), 30);
    expect(await call).toBe('aborted');
  });

  it('refuses files and addresses that cannot be used', () => {
    expect(() => createTransport({ ca: '/no/such/file.pem' })).toThrow('cannot be read');
    expect(() => createTransport({ proxies: { http: 'nowhere' } })).toThrow('no URL');
  });
});

/** A proxy that knows one name, and what it was asked for. */
async function startProxy(targetPort: number) {
  const asked: string[] = [];
  const proxy = createServer((req, res) => {
    asked.push(`${req.method} ${req.url} ${req.headers['proxy-authorization'] ?? ''}`.trim());
    res.end('{"by":"proxy"}');
  });
  proxy.on('connect', (req, socket) => {
    asked.push(`CONNECT ${req.url} ${req.headers['proxy-authorization'] ?? ''}`.trim());
    const target = connect(targetPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    for (const one of [socket, target]) one.on('error', () => undefined);
    closers.push(async () => [socket, target].forEach((one) => one.destroy()));
  });
  return { asked, port: await listen(proxy) };
}

describe('a proxy', () => {
  it('takes what is not encrypted as it is, and nothing for this machine', async () => {
    const port = await listen(createServer((_req, res) => res.end('{"by":"server"}')));
    const proxy = await startProxy(port);
    const { send } = transport({
      proxies: { http: `http://me:pass@127.0.0.1:${proxy.port}`, none: 'direct.invalid' },
    });
    expect((await send(request('http://model.invalid'))).body).toBe('{"by":"proxy"}');
    expect((await send(request(`http://127.0.0.1:${port}`))).body).toBe('{"by":"server"}');
    expect(await problemOf(send(request('http://direct.invalid')))).toBe('network');
    expect(proxy.asked).toEqual(['POST http://model.invalid/v1/x Basic bWU6cGFzcw==']);
  });

  it('comes from the environment', async () => {
    const proxy = await startProxy(1);
    const before = process.env['HTTP_PROXY'];
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${proxy.port}`;
    const made = createTransport({});
    closers.push(() => made.close());
    if (before === undefined) delete process.env['HTTP_PROXY'];
    else process.env['HTTP_PROXY'] = before;
    expect((await made.send(request('http://model.invalid'))).body).toBe('{"by":"proxy"}');
  });
});

const hasOpenssl = requireProgram('openssl');

describe.skipIf(!hasOpenssl)('encrypted connections (needs openssl)', () => {
  const folder = temporaryFolder();
  const ca = join(folder, 'ca.pem');
  let server: Parameters<typeof createTlsServer>[0];

  beforeAll(() => {
    const run = (line: string): void => {
      execFileSync('openssl', line.split(' '), { cwd: folder, stdio: 'ignore' });
    };
    const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
    run(`req -x509 ${key} -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca`);
    run(`req ${key} -keyout server.key -out server.csr -subj /CN=model.invalid`);
    writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:model.invalid,IP:127.0.0.1\n');
    const sign = '-CA ca.pem -CAkey ca.key -CAcreateserial';
    run(`x509 -req -in server.csr ${sign} -out server.pem -days 2 -extfile names`);
    const read = (name: string) => readFileSync(join(folder, name));
    server = { key: read('server.key'), cert: read('server.pem') };
  });

  afterAll(() => {
    server = {};
  });

  const start = () => listen(createTlsServer(server, (_req, res) => res.end('{"by":"tls"}')));

  it('trust a certificate of one own, and no other', async () => {
    const origin = `https://127.0.0.1:${await start()}`;
    expect((await transport({ ca }).send(request(origin))).body).toBe('{"by":"tls"}');
    expect(await problemOf(transport().send(request(origin)))).toBe('certificate');
  });

  it('go through the tunnel of a proxy', async () => {
    const proxy = await startProxy(await start());
    const proxies = { https: `http://127.0.0.1:${proxy.port}` };
    const { send } = transport({ ca, proxies });
    expect((await send(request('https://model.invalid'))).body).toBe('{"by":"tls"}');
    expect(proxy.asked).toEqual(['CONNECT model.invalid:443']);
    expect(await problemOf(send(request('https://other.invalid')))).toBe('certificate');
    expect(await problemOf(transport({ proxies }).send(request('https://model.invalid')))).toBe(
      'certificate',
    );
  });
});
