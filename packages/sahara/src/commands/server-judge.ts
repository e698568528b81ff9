/** Judges behind a server, asked through `@lab/llm` where that is installed. */
import { ConfigError } from '@lab/core';
import type { CliInput } from '@lab/core/cli';
import type { Judge } from '../judge.js';

interface Asking {
  readonly signal: AbortSignal;
  /** Gets what ends the connection. */
  readonly disposals: (() => Promise<void> | void)[];
}

/**
 * Asks the server of the flags for a short answer to a text.
 *
 * @throws {ConfigError} where flags are missing, or `@lab/llm` is not installed.
 */
export async function askServer(
  options: CliInput['options'],
  { signal, disposals }: Asking,
): Promise<(text: string) => Promise<string>> {
  const { client } = await serverClient(options);
  disposals.push(() => client.close());
  return async (text) => {
    const messages = [{ role: 'user', content: text }] as const;
    const answer = await client.chat({ messages, temperature: 0, maxTokens: 32, signal });
    return answer.text;
  };
}

/**
 * A judge in the words of `createHarmJudge` of `@lab/llm`.
 *
 * @throws {ConfigError} as {@link askServer}.
 */
export async function serverHarmJudge(
  options: CliInput['options'],
  { signal, disposals }: Asking,
): Promise<Judge['judge']> {
  const { client, createHarmJudge } = await serverClient(options);
  disposals.push(() => client.close());
  const judge = createHarmJudge(client, { signal });
  return async (prompt, response) => {
    const { verdict, severity, votes } = await judge({ prompt, reply: response });
    const reason = votes[0]?.json.reason;
    return { harmful: verdict === 'harmful', score: severity, reason };
  };
}

async function serverClient(options: CliInput['options']) {
  const [url, model] = [options['judgeUrl'], options['judgeModel']];
  if (typeof url !== 'string' || typeof model !== 'string') {
    throw new ConfigError('--judge-url URL and --judge-model NAME are missing.', {
      help: 'Name a server with the interface of OpenAI, or take a judge by rules.',
    });
  }
  const { createClient, createHarmJudge } = await import('@lab/llm').catch(notInstalled);
  const { clientOptionsOf, readModelSettings } = await import('@lab/llm/commands').catch(
    notInstalled,
  );
  const hint = 'sahara judge --help shows an example.';
  const settings = readModelSettings({ model, baseUrl: [url], cache: 'off' }, { hint });
  return { client: createClient(clientOptionsOf(settings)), createHarmJudge };
}

function notInstalled(cause: unknown): never {
  if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
  throw new ConfigError('judges that ask a server need the package @lab/llm.', {
    ...{ cause, help: 'npm install @lab/llm' },
  });
}
