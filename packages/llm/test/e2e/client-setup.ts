import { createRandom } from '@lab/core';
import { afterEach, beforeAll } from 'vitest';
import { createFakeClock, type FakeClock } from '../../src/__fixtures__/fake-clock.js';
import type { ChatRequest } from '../../src/chat.js';
import {
  type ClientEvent,
  type ClientOptions,
  createClient,
  type HttpClient,
} from '../../src/index.js';
import type { LlmFailure } from '../../src/llm-failure.js';
import { type FakeScript, type FakeServer, startFakeServer } from '../../src/testing.js';

export type Rules = NonNullable<FakeScript['rules']>;

/** A client, its clock, and what it told. */
export interface Played {
  readonly client: HttpClient;
  readonly clock: FakeClock;
  readonly events: ClientEvent[];
}

/** A misbehaving server and clients for the tests of a file. */
export interface Stage {
  readonly server: FakeServer;
  /** A client of the server, which follows these rules from now on. */
  play(rules: Rules, options?: Partial<ClientOptions>, script?: FakeScript): Played;
}

/** Sets up a server for the tests of a file; clients are closed after each. */
export function setStage(): Stage {
  let server: FakeServer;
  let open: HttpClient[] = [];
  beforeAll(async () => {
    server = await startFakeServer();
    return () => server.close();
  });
  afterEach(async () => {
    await Promise.all(open.map((client) => client.close()));
    open = [];
    server.reset();
  });
  return {
    get server() {
      return server;
    },
    play(rules, options = {}, script = {}) {
      server.useScript({ ...script, rules });
      const clock = createFakeClock(true);
      const events: ClientEvent[] = [];
      const client = createClient({
        ...{ baseUrl: server.url, model: 'fake-model', clock },
        // Draws of 1 make each wait its bound.
        random: { ...createRandom(1), uniform: () => 1 },
        onEvent: (event) => events.push(event),
        ...options,
      });
      open.push(client);
      return { client, clock, events };
    },
  };
}

/** A request with one message. */
export const ask = (content = 'Which colour?', more: Partial<ChatRequest> = {}): ChatRequest => ({
  messages: [{ role: 'user', content }],
  ...more,
});

/** How a call fails. */
export const failureOf = async (call: Promise<unknown>): Promise<LlmFailure> =>
  call.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as LlmFailure,
  );
