/** What judges work with: models, or a rule that asks none. */
import { ConfigError } from '@lab/core';
import { createScriptedClient } from '@lab/llm';
import { type ModelSession, openSession, type SessionOptions } from '@lab/llm/commands';
import type { WidedeepConfig } from '../config.js';

/** Clients, cache and prices of a run; its further clients are those of `jury.models`. */
export interface JudgeSession extends Omit<ModelSession, 'server'> {
  /** Name of the server in the record; null where none is asked. */
  readonly server: string | null;
}

/** What {@link openJudges} opens. */
export interface JudgeSessionOptions
  extends Pick<SessionOptions, 'budget' | 'context' | 'isDryRun' | 'options'> {
  readonly config: WidedeepConfig;
}

/**
 * Opens the clients that a run asks: a server for each model, a recording, or none where a rule
 * judges.
 *
 * @throws {ConfigError} for a missing model or address, and a budget in dollars without prices.
 */
export async function openJudges({ config, ...open }: JudgeSessionOptions): Promise<JudgeSession> {
  if (config.judge.kind !== 'model') return ruleSession(config.judge.kind);
  return openSession({
    ...open,
    furtherModels: config.jury.models,
    hint: '"widedeep-eval demo" needs no model.',
  });
}

/** For judges that are rules: nothing is asked. */
function ruleSession(kind: string): JudgeSession {
  const client = createScriptedClient({
    model: kind,
    answer: () => {
      throw new ConfigError(`widedeep-eval: the rule ${kind} asks no model.`);
    },
  });
  const close = () => client.close();
  const nothing = { cache: undefined, prices: undefined, server: null, openUncached: null };
  return { client, clients: {}, ...nothing, close };
}
