import { resolveConfig } from '@lab/core';
import { type ChatRequest, createScriptedClient, type LlmClient } from '@lab/llm';
import { type WidedeepConfig, widedeepConfig } from '../config.js';
import type { Sample } from '../sample.js';

/** A resolved configuration. */
export function configWith(
  set: readonly string[] = [],
  input: { readonly preset?: string; readonly mode?: string } = {},
): WidedeepConfig {
  return resolveConfig(widedeepConfig, { ...input, set }).config;
}

/** A pair of answers. */
export function sampleWith(fields: Partial<Sample> = {}): Sample {
  return {
    id: 's1',
    dataset: 'own',
    family: 'qa',
    question: 'Why is the sky blue?',
    answer1: 'Rayleigh scattering.',
    answer2: 'Because it is.',
    gold: '1',
    ...fields,
  };
}

/** What a judge is asked, as tests look at it. */
export interface Seen {
  readonly request: ChatRequest;
  readonly text: string;
  readonly isRoles: boolean;
  readonly isDeeper: boolean;
  /** Whether the sample's first answer is shown first. */
  readonly isForward: boolean;
  /** Angles that the prompt names. */
  readonly roles: readonly string[];
}

/** What a request of the scripted pair shows. */
export function seen(request: ChatRequest, first: string): Seen {
  const text = request.messages.at(-1)?.content ?? '';
  const [, named = ''] = /(?:this angle|these angles): (.*)\./.exec(text) ?? [];
  return {
    request,
    text,
    isRoles: request.tag === 'roles',
    isDeeper: text.includes('Your earlier evaluations'),
    isForward: text.indexOf(first) === text.search(/Rayleigh scattering\.|Because it is\./),
    roles: named === '' ? [] : named.split(', '),
  };
}

/** An answer with scores for what is shown first and second. */
export const scored = (first: number | string, second: number | string): string =>
  `Assistant 1 is discussed.\nScore of Assistant 1: ${first}\nScore of Assistant 2: ${second}`;

/** A model that names angles and answers judges as told; keeps what it was asked. */
export function scriptedModel(
  roles: readonly string[],
  judge: (what: Seen) => string,
): { readonly client: LlmClient; readonly asked: Seen[] } {
  const asked: Seen[] = [];
  const client = createScriptedClient({
    answer: (request) => {
      const what = seen(request, 'Rayleigh scattering.');
      asked.push(what);
      return what.isRoles ? roles.map((name) => `$${name}& about it.`).join('\n') : judge(what);
    },
  });
  return { client, asked };
}
