/** `llm fake-server`: a server that misbehaves by a script, for tests of other programs. */
import { readFileSync } from 'node:fs';
import { DataError } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import type { FakeScript } from '../testing/fake-script.js';
import { type FakeServer, startFakeServer } from '../testing/fake-server.js';

/** The verb `fake-server`. */
export const fakeServerCommand: CliCommand = {
  name: 'fake-server',
  summary: 'Serve made-up answers and scripted failures on loopback, to test programs against.',
  options: [
    { flags: '--port <n>', kind: 'integer', summary: '0 takes a free one', default: 0 },
    { flags: '--script <file>', summary: 'JSON with rules; without it, words for every prompt' },
    { flags: '--state <file>', summary: 'keeps the hash of each paid prompt over restarts' },
    { flags: '--seed <n>', kind: 'integer', summary: 'of all that is drawn', default: 0 },
    {
      flags: '--latency-ms <n>',
      kind: 'number',
      summary: 'before every answer',
      default: 0,
      unit: 'ms',
    },
    { flags: '--model <name>', summary: "the model's name in place of the script's" },
  ],
  example: 'llm fake-server --port 8123 --latency-ms 20',
  run: serve,
};

async function serve(context: CliContext, input: CliInput): Promise<void> {
  const { port, script, state, seed, latencyMs, model } = input.options;
  const server = await startFakeServer({
    script: script === undefined ? {} : readScript(String(script)),
    port: Number(port),
    seed: Number(seed),
    latencyMs: Number(latencyMs),
    ...(state === undefined ? {} : { statePath: String(state) }),
    ...(model === undefined ? {} : { model: String(model) }),
  });
  context.onSecondInterrupt('ended at once; open requests are lost.');
  context.print(server.url);
  context.printJson({ url: server.url, port: server.port }, { immediately: true });
  context.note('Ctrl-C ends the server; GET /fake/counters says what was asked and paid.');
  await interrupted(context.signal);
  await server.close();
  context.note(countsOf(server));
}

function countsOf({ counters }: FakeServer): string {
  const { received, paid, rejected, broken, doublePaid } = counters;
  return (
    `${received} requests: ${paid} answered, ${rejected} rejected, ${broken} broken; ` +
    `${doublePaid} prompts answered more than once.`
  );
}

function readScript(path: string): FakeScript {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as FakeScript;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`${path}: no script can be read (${reason}).`, {
      file: path,
      help: 'a script is a JSON object such as {"rules": [{"do": "echo"}]}.',
      cause,
    });
  }
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
