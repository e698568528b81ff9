import type { AnswerStore, StoredAnswer } from '../answer-cache.js';

/** A store that is gone with the process: for tests, and for runs that only must not ask twice. */
export function createMemoryStore(): AnswerStore {
  const answers = new Map<string, StoredAnswer>();
  return {
    get: async (hash) => answers.get(hash),
    put: async (answer) => {
      answers.set(answer.hash, answer);
    },
    has: (hash) => answers.has(hash),
    async *iterate() {
      yield* answers.values();
    },
    close: async () => undefined,
  };
}
