import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { get, request } from 'node:http';
import { join } from 'node:path';
import { DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSampleRuns } from '../test/e2e/sample-runs.js';
import { type ReportServer, serveReports } from './index.js';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

function ask(url: string, path: string, options: { host?: string; method?: string } = {}) {
  const { port } = new URL(url);
  const headers = options.host === undefined ? {} : { host: options.host };
  return new Promise<Answer>((done, fail) => {
    const asked = request({ port, path, headers, method: options.method ?? 'GET' }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.on('end', () => {
        done({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    asked.on('error', fail).end();
  });
}

describe('a folder of runs', () => {
  let server: ReportServer;
  beforeAll(async () => {
    const outside = temporaryFolder();
    writeFileSync(join(outside, 'secret.txt'), 'secret');
    const dir = join(outside, 'runs');
    mkdirSync(dir);
    writeSampleRuns(dir, [1]);
    writeFileSync(join(dir, 'run-0-s1', 'report.html'), '<!doctype html><title>x</title>');
    writeFileSync(join(dir, 'run-0-s1', '.hidden'), 'secret');
    writeFileSync(join(dir, 'run-0-s1', 'empty.txt'), '');
    symlinkSync(join(outside, 'secret.txt'), join(dir, 'run-0-s1', 'link.txt'));
    mkdirSync(join(dir, 'broken <b>'));
    writeFileSync(join(dir, 'broken <b>', 'run.json'), '{');
    server = await serveReports({ dir });
  });
  afterAll(() => server.close());

  test('has an index with links, results and the unreadable one', async () => {
    const { status, headers, body } = await ask(server.url, '/');
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toContain('href="/run-0-s1/report.html"');
    expect(body).toContain('href="/run-1-s1/run.json"');
    expect(body).toContain('H@1, forward .');
    expect(body).toContain('unreadable');
    expect(body).not.toContain('<b>');
  });

  test('serves files with their type and without caching', async () => {
    const page = await ask(server.url, '/run-0-s1/report.html');
    expect(page.body).toBe('<!doctype html><title>x</title>');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    const metrics = await ask(server.url, '/run-0-s1/metrics.jsonl');
    expect(metrics.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(metrics.headers['x-content-type-options']).toBe('nosniff');
    expect((await ask(server.url, '/run-0-s1/empty.txt')).body).toBe('');
    expect((await ask(server.url, '/run-0-s1/run.json', { method: 'HEAD' })).body).toBe('');
  });

  test.each([
    '/../secret.txt',
    '/run-0-s1/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/run-0-s1/..%2f..%2fsecret.txt',
    '/run-0-s1/..%5c..%5csecret.txt',
    '//etc/passwd',
    '/run-0-s1/link.txt',
    '/run-0-s1/.hidden',
    '/run-0-s1',
    '/nothing',
  ])('refuses %s', async (path) => {
    const { status, body } = await ask(server.url, path);
    expect(status).toBe(404);
    expect(body).not.toContain('secret');
  });

  test('refuses malformed addresses, other methods and other host names', async () => {
    expect((await ask(server.url, '/%ff')).status).toBe(400);
    expect((await ask(server.url, '/run%00')).status).toBe(400);
    expect((await ask(server.url, '/', { method: 'POST' })).status).toBe(405);
    expect((await ask(server.url, '/', { host: 'evil.example' })).status).toBe(403);
    expect((await ask(server.url, '/', { host: 'localhost:1' })).status).toBe(200);
  });

  test('compares ticked runs, and says what is wrong with others', async () => {
    const good = await ask(server.url, '/compare?run=run-0-s1&run=run-1-s1');
    expect(good.body).toContain('2 runs compared');
    const bad = await ask(server.url, '/compare?run=..%2Fsecret.txt');
    expect([bad.status, bad.body]).toEqual([422, 'report/serve: no run ../secret.txt.\n']);
    expect((await ask(server.url, '/compare')).status).toBe(422);
  });

  test('listens on the loopback address only', () => {
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
  });

  test('a taken port is a clear error', async () => {
    const port = Number(new URL(server.url).port);
    await expect(serveReports({ dir: temporaryFolder(), port })).rejects.toThrow(/cannot listen/);
  });
});

test('an empty folder has an index too; a missing one is an error', async () => {
  const server = await serveReports({ dir: temporaryFolder() });
  const body = await new Promise<string>((done) => {
    get(server.url, (response) => response.setEncoding('utf8').once('data', done));
  });
  expect(body).toContain('<!doctype html>');
  await server.close();
  await expect(serveReports({ dir: '/no/such/folder' })).rejects.toThrow(DataError);
});
