/**
 * A port and whoever answers on it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { BackendError } from '@lab/core';
import { ApiProblem } from './api-problem.js';

/** Answers requests. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An open port. */
export interface Listener {
  readonly port: number;
  /** Base URL for clients, with `/v1`. */
  readonly url: string;
  /** Has requests answered from now on; before, they are told to wait. */
  answerWith(handler: Handler): void;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Where to listen, and how patient to be. */
export interface ListenerOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Milliseconds in which a whole request must have come. */
  readonly requestMs: number;
}

/** Milliseconds in which the head of a request must have come. */
const HEAD_MS = 20_000;
/** Longer than clients keep connections that nobody uses, who would else meet a closed one. */
const KEEP_ALIVE_MS = 75_000;

/** @throws {BackendError} where the port cannot be had. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { host, requestMs } = options;
  let handler: Handler = (request, response) => {
    request.resume();
    const problem = new ApiProblem(503, 'The model is being loaded.', { code: 'loading' });
    response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '5' });
    response.end(problem.body);
  };
  const server = createServer(
    {
      ...{ requestTimeout: requestMs, headersTimeout: Math.min(HEAD_MS, requestMs) },
      ...{ connectionsCheckingInterval: Math.min(1000, requestMs) },
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => handler(request, response),
  );
  server.on('clientError', refuse);
  await listening(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/v1`,
    answerWith: (next) => {
      handler = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, { host, port }: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code ?? cause.message;
      reject(
        new BackendError(`transformer/serve: cannot listen on ${host}:${port} (${why}).`, {
          ...{ help: 'Take another --port, or 0 for a free one.', cause },
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** Answers to some errors of the connection, by their code. */
const REFUSALS: Readonly<Record<string, { readonly status: string; readonly message: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    message: 'The request came too slowly.',
  },
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    message: 'The headers of the request are too large.',
  },
};

/** What is no HTTP, or comes too slowly or too long. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, message } = REFUSALS[error.code ?? ''] ?? {
    status: '400 Bad Request',
    message: 'This is no request that can be read.',
  };
  const { body } = new ApiProblem(Number.parseInt(status, 10), message);
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
