/** What the window of a model is measured by: the server's tokenizer, and a long prompt to it. */
import { ConfigError } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import { type ChatRequest, LlmFailure } from '@lab/llm';
import { type FlagValues, type ModelSession, textOf, WindowGuard } from '@lab/llm/commands';
import { promptOf, type PromptSource, requestOf } from '../answer-record.js';
import type { LoongConfig } from '../config.js';
import type { LoongRecord } from '../record.js';
import { createServerCounter } from '../server-tokens.js';
import type { TokenCounter } from '../tokens.js';

/** A counter of tokens and what it holds open. */
export interface OpenCounter {
  /** Undefined where tokens are counted here. */
  readonly counter: TokenCounter | undefined;
  close(): Promise<void>;
}

const tokenizeForms = ['vllm', 'llama-cpp'] as const;

/**
 * The server's counter of tokens, where settings want it.
 *
 * @throws {ConfigError} where the server counts none.
 */
export async function openCounter(
  session: Pick<ModelSession, 'openUncached' | 'server'>,
  { window }: LoongConfig,
): Promise<OpenCounter> {
  if (window.tokenizer !== 'server') return { counter: undefined, close: async () => undefined };
  const { openUncached } = session;
  for (const tokenize of openUncached === null ? [] : tokenizeForms) {
    const client = openUncached!({ tokenize });
    try {
      await client.count([{ role: 'user', content: 'x' }]);
      return { counter: createServerCounter(client), close: () => client.close() };
    } catch (error) {
      await client.close();
      if (!isUnknownRoute(error)) throw error;
    }
  }
  throw new ConfigError(`window.tokenizer is server, and ${session.server} counts no tokens.`, {
    help:
      'vLLM, SGLang, llama.cpp and "transformer serve" do; cl100k_base counts here, and ' +
      'window.slack keeps room for the difference.',
  });
}

/** A server without this route says so; one that is not there fails in other ways. */
function isUnknownRoute(error: unknown): boolean {
  if (!(error instanceof LlmFailure)) return false;
  return error.kind === 'auth' ? error.status === 404 : error.kind === 'bad-request';
}

/** What {@link longPromptGuard} works with. */
export interface GuardedRun {
  readonly session: Pick<ModelSession, 'cache' | 'client' | 'openUncached'>;
  readonly records: readonly LoongRecord[];
  readonly source: PromptSource;
  readonly flags: FlagValues;
}

/**
 * Looks once, before the first long prompt is sent, whether the server reads one as long as the
 * longest whole. Undefined where no server is asked.
 */
export async function longPromptGuard(
  context: CliContext,
  { session, records, source, flags }: GuardedRun,
): Promise<((request: ChatRequest) => Promise<void> | undefined) | undefined> {
  const { openUncached, cache, client } = session;
  const [first] = records;
  if (openUncached === null || first === undefined) return undefined;
  const longest = records.reduce((most, one) => (one.length > most.length ? one : most), first);
  const { prompt } = await promptOf(longest, source);
  const isRead = (textOf(flags, 'cache') ?? 'write') !== 'refresh';
  const guard = new WindowGuard({
    ...{ open: openUncached, cache: isRead ? cache : undefined, signal: context.signal },
    longest: requestOf(prompt, source.config).messages,
    onDoubt: (text) => context.note(`warning: ${text}`),
  });
  return (request) => guard.before(request, () => client.hashOf(request));
}
