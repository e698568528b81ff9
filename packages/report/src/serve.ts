import { createReadStream, existsSync, realpathSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve, sep } from 'node:path';
import { BackendError, DataError, LabError } from '@lab/core';
import { compareRuns } from './compare.js';
import { comparisonPageHtml } from './compare-page.js';
import { runIndexHtml, runNames } from './run-index.js';
import { readRunFolder } from './run-folder.js';

/** Where the server listens. */
export interface ServeOptions {
  /** Folder of run folders. */
  readonly dir: string;
  /** Port on the loopback address; default 0, any free one. */
  readonly port?: number;
}

/** A running server. */
export interface ReportServer {
  /** Address of the index, for example `http://127.0.0.1:41234/`. */
  readonly url: string;
  close(): Promise<void>;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.jsonl': 'text/plain; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** A page from a run folder may show itself and run its own scripts; it reaches nothing else. */
const PAGE_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "script-src 'unsafe-inline'",
  'img-src data:',
].join('; ');

/**
 * Serves the runs of a folder on the loopback address: an index, their files, comparisons.
 *
 * Read only; nothing is cached, so a running training shows its newest state. Paths that lead out
 * of the folder, also through links, are refused, and so are requests under another host name.
 *
 * @throws {DataError} when the folder is missing.
 * @throws {BackendError} when the port is taken.
 */
export async function serveReports({ dir, port = 0 }: ServeOptions): Promise<ReportServer> {
  if (!existsSync(dir) || !statSync(dir).isDirectory()) {
    throw new DataError(`report/serve: there is no folder ${dir}.`, {
      file: dir,
      help: 'Pass the folder that holds the runs, such as runs.',
    });
  }
  const root = realpathSync(dir);
  const server = createServer((request, response) => respond(root, request, response));
  await listen(server, port);
  const { port: opened } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${opened}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (cause) => {
      fail(
        new BackendError(`report/serve: cannot listen on 127.0.0.1:${port}: ${cause.message}.`, {
          help: 'Pass another --port, or 0 for any free one.',
          cause,
        }),
      );
    });
    server.listen(port, '127.0.0.1', done);
  });
}

function respond(root: string, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(host)) {
    sendText(response, 403, 'This server answers on the loopback address only.');
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    sendText(response, 405, 'Only reading is possible.');
    return;
  }
  try {
    route(root, request.url ?? '/', response);
  } catch (error) {
    const isKnown = LabError.is(error);
    const message = isKnown ? error.message : 'The page failed.';
    sendText(response, isKnown ? 422 : 500, message);
  }
}

function route(root: string, target: string, response: ServerResponse): void {
  const mark = target.indexOf('?');
  const path = decodePath(mark < 0 ? target : target.slice(0, mark));
  const query = mark < 0 ? '' : target.slice(mark + 1);
  if (path === undefined) sendText(response, 400, 'The address is malformed.');
  else if (path === '/') sendHtml(response, runIndexHtml(root));
  else if (path === '/compare') sendHtml(response, compareHtml(root, query));
  else sendFile(root, path, response);
}

function decodePath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes('\0') ? undefined : decoded;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** The real path of a file below the root; undefined for everything else. */
function fileBelow(root: string, path: string): string | undefined {
  const parts = path.split(/[/\\]/).filter((part) => part !== '');
  if (parts.some((part) => part.startsWith('.'))) return undefined;
  const candidate = resolve(root, ...parts);
  if (!candidate.startsWith(root + sep) || !existsSync(candidate)) return undefined;
  const real = realpathSync(candidate);
  return real.startsWith(root + sep) ? real : undefined;
}

function sendFile(root: string, path: string, response: ServerResponse): void {
  const file = fileBelow(root, path);
  const stats = file === undefined ? undefined : statSync(file);
  if (file === undefined || !stats?.isFile()) {
    sendText(response, 404, 'There is no such file here.');
    return;
  }
  response.setHeader(
    'Content-Security-Policy',
    extname(file) === '.html' ? PAGE_POLICY : 'sandbox',
  );
  response.writeHead(200, {
    'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
    'Content-Length': stats.size,
  });
  const stream = createReadStream(file, { end: Math.max(0, stats.size - 1) });
  stream.once('error', () => response.destroy());
  if (stats.size === 0 || response.req.method === 'HEAD') response.end();
  else stream.pipe(response);
}

function sendHtml(response: ServerResponse, html: string): void {
  send(response, { status: 200, type: TYPES['.html']!, body: html });
}

function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, { status, type: TYPES['.txt']!, body: `${text}\n` });
}

function send(
  response: ServerResponse,
  { status, type, body }: { status: number; type: string; body: string },
): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': length });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function compareHtml(root: string, query: string): string {
  const wanted = new URLSearchParams(query).getAll('run');
  const known = new Set(runNames(root));
  const unknown = wanted.filter((name) => !known.has(name));
  if (wanted.length === 0 || unknown.length > 0) {
    const what = unknown.length > 0 ? `no run ${unknown.join(', ')}` : 'nothing to compare';
    throw new DataError(`report/serve: ${what}.`, { help: 'Tick runs on the index page.' });
  }
  return comparisonPageHtml(compareRuns(wanted.map((name) => readRunFolder(join(root, name)))));
}
