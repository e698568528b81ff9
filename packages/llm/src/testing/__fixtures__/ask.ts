import { afterEach, expect } from 'vitest';
import {
  type FakeScript,
  type FakeServer,
  type FakeServerOptions,
  startFakeServer,
} from '../../testing.js';

const open: FakeServer[] = [];

/** A server that is closed after the test. */
export async function start(script: FakeScript, rest: FakeServerOptions = {}): Promise<FakeServer> {
  const server = await startFakeServer({ ...rest, script });
  open.push(server);
  return server;
}

/** A server that answers none before so many requests are there, however far apart they come. */
export async function startForAll(count: number, script: FakeScript): Promise<FakeServer> {
  const sleep = () => expect.poll(() => server.counters.received, { timeout: 60_000 }).toBe(count);
  const clock = { now: () => 0, date: () => 0, sleep };
  const server = await start(script, { clock, latencyMs: 1 });
  return server;
}

/** Closes what `start` opened, after each test of a file. */
export function closeAfterEach(): void {
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
  });
}

/** What tests look at in a body. */
export interface Body {
  readonly [key: string]: unknown;
  readonly object?: string;
  readonly choices?: readonly Choice[];
  readonly usage?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string | null; readonly param: string | null; message: string };
  readonly data?: readonly { readonly index: number; readonly embedding: number[] }[];
}

export interface Choice {
  readonly message: Readonly<Record<string, unknown>>;
  readonly finish_reason: string;
  readonly logprobs: { readonly content: readonly Token[] } | null;
}

export interface Token {
  readonly token: string;
  readonly top_logprobs: readonly { readonly token: string }[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where the body is no JSON. */
  readonly json: Body | undefined;
}

/** Sends a body to a path below `/v1`, or to a path from the root. */
export async function post(
  server: FakeServer,
  path: string,
  body: object,
  init: RequestInit = {},
): Promise<Answer> {
  const url = path.startsWith('/') ? new URL(path, server.url) : `${server.url}/${path}`;
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body), ...init });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): Body | undefined {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return undefined;
  }
}

/** A conversation of one message. */
export const user = (content: string): { role: 'user'; content: string }[] => [
  { role: 'user', content },
];

/** Asks for a chat completion. */
export function ask(
  server: FakeServer,
  content: string,
  extra: object = {},
  init: RequestInit = {},
): Promise<Answer> {
  const body = { model: 'm', messages: user(content), temperature: 0, ...extra };
  return post(server, 'chat/completions', body, init);
}

/** The first choice of an answer. */
export function choiceOf(answer: Answer): Choice {
  const choice = answer.json?.choices?.[0];
  if (choice === undefined) throw new Error(`no choice in ${answer.text}`);
  return choice;
}

/** The text of the first choice. */
export const contentOf = (answer: Answer): unknown => choiceOf(answer).message['content'];

/** Why a request failed, with the causes. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no failure';
  } catch (error) {
    const texts: string[] = [];
    for (let at: unknown = error; at instanceof Error; at = at.cause) {
      texts.push(`${at.name} ${(at as NodeJS.ErrnoException).code ?? ''} ${at.message}`);
    }
    return texts.join(' < ');
  }
}
