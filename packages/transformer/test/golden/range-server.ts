/**
 * A file server on loopback that answers ranges, and misbehaves as it is told.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** A request for a file. */
export interface FileRequest {
  /** Name within the folder. */
  readonly name: string;
  /** The range that is asked for, its end excluded; null for all of a file. */
  readonly range: readonly [begin: number, end: number] | null;
  /** How many requests for this name came before it. */
  readonly earlier: number;
  readonly headers: IncomingMessage['headers'];
  /** The file; null where there is none. */
  readonly content: Buffer | null;
}

/** Answers in the place of the server, or does not. */
export type Misbehaviour = (request: FileRequest, response: ServerResponse) => boolean;

/** A server that keeps account of what it is asked. */
export interface RangeServer {
  readonly url: string;
  readonly requests: FileRequest[];
  /** Most requests that were under way at once. */
  mostAtOnce: number;
  misbehave: Misbehaviour;
  /** Bytes of ranges of a file that were asked for. */
  bytesOf(name: string): number;
  close(): Promise<void>;
}

/** The tag of a content. */
export const etagOf = (content: Uint8Array): string =>
  `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;

/** Answers as a server with ranges does. */
export function answer({ content, range, headers }: FileRequest, response: ServerResponse): void {
  if (content === null) {
    response.writeHead(404).end('no such file');
    return;
  }
  const etag = etagOf(content);
  const isSame = headers['if-range'] === undefined || headers['if-range'] === etag;
  if (range === null || !isSame) {
    response.writeHead(200, { etag, 'content-length': content.length }).end(content);
    return;
  }
  const [begin, asked] = range;
  const end = Math.min(asked, content.length);
  if (begin >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  response
    .writeHead(206, {
      ...{ etag, 'content-length': end - begin },
      'content-range': `bytes ${begin}-${end - 1}/${content.length}`,
    })
    .end(content.subarray(begin, end));
}

/** Serves a folder under a path of two parts. */
export async function startRangeServer(folder: string, delayMs = 0): Promise<RangeServer> {
  const requests: FileRequest[] = [];
  let running = 0;
  const server = createServer((incoming, response) => {
    const request = requestOf(folder, incoming, requests);
    requests.push(request);
    running += 1;
    served.mostAtOnce = Math.max(served.mostAtOnce, running);
    response.on('close', () => (running -= 1));
    const respond = () => {
      if (!served.misbehave(request, response)) answer(request, response);
    };
    if (delayMs === 0) respond();
    else void setTimeout(delayMs).then(respond);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const served: RangeServer = {
    url: `http://127.0.0.1:${port}/lab/tiny`,
    requests,
    mostAtOnce: 0,
    misbehave: () => false,
    bytesOf: (name) =>
      requests
        .filter((request) => request.name === name && request.range !== null)
        .reduce((sum, { range }) => sum + range![1] - range![0], 0),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return served;
}

function requestOf(
  folder: string,
  { url, headers }: IncomingMessage,
  before: readonly FileRequest[],
): FileRequest {
  const path = new URL(url!, 'http://localhost').pathname;
  const name = decodeURIComponent(path.replace(/^\/lab\/tiny\//, ''));
  const file = join(folder, name);
  const asked = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
  return {
    name,
    headers,
    range: asked === null ? null : [Number(asked[1]), Number(asked[2]) + 1],
    earlier: before.filter((request) => request.name === name).length,
    content: existsSync(file) ? readFileSync(file) : null,
  };
}
