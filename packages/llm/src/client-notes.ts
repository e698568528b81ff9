/**
 * What a client tells of what happens inside it.
 */
import { type Logger, silentLogger } from '@lab/core';
import type { CallProblem } from './call-problem.js';
import type { ClientEvent } from './client-options.js';
import type { StructuredLevel } from './chat.js';

/** Where remarks go. */
export interface NotesOptions {
  readonly logger?: Logger | undefined;
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
}

/** Remarks to the logger and events to the caller. */
export interface ClientNotes {
  /**
   * Another model answers than before: servers may load one in the middle of a run.
   *
   * @returns warnings for the result.
   */
  served(model: string): string[];
  /** The form of JSON is asked for by weaker means. */
  lowered(from: StructuredLevel, to: StructuredLevel): void;
  /** A parameter is left out or renamed. */
  adapted(problem: CallProblem): void;
  /** A request is sent again; undefined where nobody listens. */
  readonly retried: ((problem: CallProblem, waitMs: number) => void) | undefined;
}

/** Notes of one client. */
export function createClientNotes({ logger = silentLogger, onEvent }: NotesOptions): ClientNotes {
  let servedModel: string | null = null;
  return {
    served(model) {
      const before = servedModel;
      servedModel = model;
      if (before === null || before === model) return [];
      logger.warn(`the model served was ${before} and is now ${model}`);
      onEvent?.({ type: 'served-model', before, now: model });
      return [`served model: ${model}, before it was ${before}`];
    },
    lowered(from, to) {
      logger.warn(`the server takes no ${from}; going on with ${to}`);
      onEvent?.({ type: 'structured-level', level: to });
    },
    adapted({ parameter: name = '', replacement = null }) {
      const how = replacement === null ? 'left out' : `sent as ${replacement}`;
      logger.warn(`the server does not take ${name}; it is ${how} from now on`);
      onEvent?.({ type: 'parameter', name, replacement });
    },
    retried:
      onEvent === undefined
        ? undefined
        : ({ kind, status }, waitMs) => onEvent({ type: 'retry', failure: kind, status, waitMs }),
  };
}
