/**
 * Who judges where: one model, or several that take turns.
 */
import { ConfigError } from '@lab/core';
import type { LlmClient } from '@lab/llm';
import type { WidedeepConfig } from './config.js';

/** The model of a judge, and its name where a network has several. */
export interface JuryMember<Client = LlmClient> {
  readonly client: Client;
  readonly model?: string;
}

/** Who judges: judge j (from 0) of layer l (from 1). */
export type Jury<Client = LlmClient> = (layer: number, j: number) => JuryMember<Client>;

/**
 * The models of a network: the one, or it and those of `jury.models` in turn, over the judges of a
 * layer or over the layers.
 *
 * @param clients - the further ones by their entries in `jury.models`.
 * @throws {ConfigError} where one is not there.
 */
export function createJury<Client extends Pick<LlmClient, 'model'>>(
  { jury: { models, assign } }: Pick<WidedeepConfig, 'jury'>,
  client: Client,
  clients: Readonly<Record<string, Client>>,
): Jury<Client> {
  if (models.length === 0) return () => ({ client });
  const members = [
    { client, model: client.model },
    ...models.map((model) => ({ client: clientOf(clients, model), model })),
  ];
  return (layer, j) => members[(assign === 'layers' ? layer - 1 : j) % members.length]!;
}

function clientOf<Client>(clients: Readonly<Record<string, Client>>, model: string): Client {
  const client = Object.hasOwn(clients, model) ? clients[model] : undefined;
  if (client !== undefined) return client;
  throw new ConfigError(
    `widedeep-eval: jury.models names ${JSON.stringify(model)}, and no client is given.`,
    {
      help: 'pass `clients` with a client for each name.',
    },
  );
}
