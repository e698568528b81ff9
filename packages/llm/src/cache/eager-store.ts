import type { AnswerStore } from '../answer-cache.js';

/** A store whose `put` resolves at once; see {@link withoutWaiting}. */
export interface EagerStore extends AnswerStore {
  /** Resolves once all answers so far are kept; throws the first problem. */
  settled(): Promise<void>;
}

/** Answers that may wait for a slow disk before their writers do. */
const maxWaiting = 4096;

/**
 * A store that does not make its writer wait for the disk: for runs, whose rows count by their own
 * lines. A problem is thrown by the next `put`, by `settled` and by `close`.
 */
export function withoutWaiting(store: AnswerStore): EagerStore {
  const open = new Set<Promise<void>>();
  let problem: { readonly cause: unknown } | null = null;
  const settled = async () => {
    await Promise.all(open);
    if (problem !== null) throw problem.cause;
  };
  return {
    get: (hash) => store.get(hash),
    has: (hash) => store.has(hash),
    iterate: () => store.iterate(),
    async put(answer) {
      if (problem !== null) throw problem.cause;
      const kept: Promise<void> = store.put(answer).then(
        () => void open.delete(kept),
        (cause: unknown) => {
          open.delete(kept);
          problem ??= { cause };
        },
      );
      open.add(kept);
      if (open.size > maxWaiting) await kept;
    },
    settled,
    async close() {
      await Promise.all(open);
      await store.close();
      if (problem !== null) throw problem.cause;
    },
  };
}
