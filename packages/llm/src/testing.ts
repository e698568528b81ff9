/** Tools for tests of what talks to a model (subpath `@lab/llm/testing`). */
export { type AnsweredBatch, answerBatch, type AnswerBatchOptions } from './testing/fake-batch.js';
export type { FakeCounters, PromptCounts } from './testing/fake-counters.js';
export { promptHash } from './testing/fake-request.js';
export {
  type FakeEndpoint,
  type FakeRule,
  type FakeRuleName,
  type FakeScript,
  fakeEndpoints,
  fakeScriptSchema,
  type ParsedFakeScript,
} from './testing/fake-script.js';
export {
  type FakeServer,
  type FakeServerOptions,
  type ReceivedRequest,
  startFakeServer,
} from './testing/fake-server.js';
