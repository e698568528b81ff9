/** `transformer serve`: a model behind OpenAI's interface. */
import { basename, resolve } from 'node:path';
import { ConfigError, formatCount } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { fastChatFormats } from '../fastchat-formats.js';
import { loadModel } from '../load-model.js';
import { isLoopback } from '../server/access.js';
import type { Pooling } from '../server/embed-texts.js';
import { type ModelServer, type ServeModelOptions, serveModel } from '../server/serve-model.js';
import { loadTokenizer } from '../tokenizer.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import {
  assertDecoder,
  backendOption,
  bytesOf,
  chosenBackend,
  modelArgument,
  residencyOf,
  residencyOptions,
  threadsOption,
} from './model-options.js';

/** The verb `serve`. */
export const serveCommand: CliCommand = {
  name: 'serve',
  summary: "Serve a model on loopback, with OpenAI's interface.",
  arguments: [modelArgument],
  options: [
    { flags: '--host <address>', summary: 'address to listen on', default: '127.0.0.1' },
    { flags: '--port <n>', kind: 'integer', summary: '0 takes a free one', default: 8000 },
    { flags: '--served-name <name>', summary: 'of the model', unit: 'default its folder' },
    { flags: '--max-rows <n>', kind: 'integer', summary: 'answers at once', default: 8 },
    {
      flags: '--max-waiting <n>',
      ...{ kind: 'integer', summary: 'answers that wait; more get 429', default: 256 },
    },
    {
      flags: '--memory <bytes>',
      summary: 'for keys and values, such as 2GB',
      unit: 'default a quarter',
    },
    {
      flags: '--chat-format <name>',
      summary: 'in the place of the chat template',
      choices: fastChatFormats,
    },
    {
      flags: '--pooling <tokens>',
      ...{ summary: 'what embeddings are made of', choices: ['mean', 'last'], default: 'mean' },
    },
    { flags: '--seed <n>', kind: 'integer', summary: 'of draws for requests without one' },
    { flags: '--api-key-env <name>', summary: 'variable with a key that requests must bear' },
    {
      flags: '--grace <seconds>',
      ...{ kind: 'number', summary: 'for open requests at the end', default: 30, unit: 's' },
    },
    ...residencyOptions,
    backendOption,
    threadsOption,
  ],
  example: 'transformer serve example:organism --port 8000',
  run: serve,
};

async function serve(context: CliContext, input: CliInput): Promise<void> {
  const graceMs = 1000 * atLeastZero(input, 'grace');
  const folder = checkpointFolder(input.arguments[0]!);
  assertDecoder('serve', folder);
  const residency = residencyOf('serve', input);
  const options = serveOptions(context, input, folder);
  warnOfHost(context, options);
  await chosenBackend(context, input);
  context.progress.update('reading the weights');
  const server = await serveModel(() => loadModel(folder, residency), options);
  context.progress.done();
  try {
    context.onSecondInterrupt('ended at once; open requests are lost.');
    say(context, server, options.servedName);
    await interrupted(context.signal);
  } finally {
    const open = server.openRequests;
    if (open > 0) context.note(`${open} open; they have ${graceMs / 1000} s, Ctrl-C ends at once`);
    await server.close(graceMs);
  }
}

function say(context: CliContext, server: ModelServer, model: string): void {
  const { url, port, contextTokens } = server;
  context.print(url);
  context.printJson({ url, port, model }, { immediately: true });
  const { maxRows, maxCachedTokens } = server.load;
  context.note(
    `${model}: prompts and answers of ${formatCount(contextTokens)} tokens, ${maxRows} at once, ` +
      `${formatCount(maxCachedTokens)} tokens together; Ctrl-C ends it`,
  );
}

function serveOptions(
  context: CliContext,
  { options, arguments: [path] }: CliInput,
  folder: string,
): ServeModelOptions & { readonly host: string } {
  const text = (name: string) => options[name] as string | undefined;
  const number = (name: string) => options[name] as number | undefined;
  const [port, memory, keyName] = [number('port')!, text('memory'), text('apiKeyEnv')];
  if (port < 0 || port > 65_535) {
    throw new ConfigError(`transformer/serve: --port is ${port}, expected 0 to 65535.`);
  }
  return {
    ...{ host: text('host')!, port, chatFormat: text('chatFormat'), seed: number('seed') },
    tokenizer: loadTokenizer(folder),
    servedName: text('servedName') ?? nameOf(path!),
    maxRows: number('maxRows'),
    maxWaiting: atLeastZero({ options }, 'maxWaiting'),
    cacheBytes: memory === undefined ? undefined : bytesOf('serve', '--memory', memory),
    pooling: text('pooling') as Pooling,
    apiKey: keyName === undefined ? undefined : keyOf(keyName),
    logger: context.logger,
  };
}

function atLeastZero({ options }: Pick<CliInput, 'options'>, name: string): number {
  const value = options[name] as number;
  if (value >= 0) return value;
  const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new ConfigError(`transformer/serve: --${flag} is ${value}, expected 0 or more.`);
}

/** Of a model: `OWNER/NAME` of the local Hugging Face cache, else its folder or file. */
function nameOf(path: string): string {
  const name = basename(resolve(path)).replace(/\.gguf$/, '');
  return name.startsWith('models--') ? name.slice('models--'.length).replaceAll('--', '/') : name;
}

function keyOf(name: string): string {
  const key = process.env[name] ?? '';
  if (key !== '') return key;
  throw new ConfigError(`transformer/serve: --api-key-env ${name}: there is no such variable.`, {
    help: `Set it before: ${name}=... transformer serve MODEL --api-key-env ${name}`,
  });
}

function warnOfHost(context: CliContext, { host, apiKey }: ServeModelOptions): void {
  if (host === undefined || isLoopback(host)) return;
  const what =
    apiKey === undefined
      ? 'there is no authentication: whoever reaches this port can use the model'
      : 'nothing is encrypted: whoever listens on the way reads the key and all texts';
  context.logger.warn(`${host} is no loopback address, and ${what}`);
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
