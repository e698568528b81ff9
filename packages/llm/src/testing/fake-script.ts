/**
 * The script of the misbehaving server: what it answers and how it fails, as plain JSON.
 */
import { z } from 'zod';

/** The parts of the interface that a rule can be bound to. */
export const fakeEndpoints = ['chat', 'completions', 'embeddings', 'models', 'tokenize'] as const;

const text = z.string();
const count = z.int().min(1);
const waitMs = z.number().min(0);
const retryForm = z
  .enum(['milliseconds', 'seconds', 'date', 'none'])
  .describe('header that tells when to come back: retry-after-ms, retry-after or nothing');

const when = z.strictObject({
  contains: text.optional().describe('only prompts with this text'),
  share: z.number().min(0).max(1).optional().describe('only this share of prompts, by hash'),
  draw: z
    .enum(['prompt', 'attempt'])
    .default('prompt')
    .describe('what the share is drawn for: each prompt once, or each attempt of it'),
  times: count.optional().describe('only the first attempts of a prompt, then no more'),
  from: count.optional().describe('only from this attempt of a prompt on'),
  requests: z.tuple([count, count]).optional().describe('only these requests by arrival, e.g. 5-9'),
  endpoints: z.array(z.enum(fakeEndpoints)).optional(),
});

/** Builds the schema of one kind of rule. */
function rule<N extends string, S extends z.ZodRawShape>(name: N, shape: S) {
  return z.strictObject({ do: z.literal(name), when: when.optional(), ...shape });
}

/** What is answered, the first that fits. */
const answerRules = [
  rule('text', { text }),
  rule('table', {
    answers: z.record(text, text),
    by: z
      .enum(['question', 'contains'])
      .default('question')
      .describe('whether a key is the last user message, or stands anywhere in the prompt'),
  }),
  // An echo and words give way to a schema that is asked for; the others do not.
  rule('echo', {}),
  rule('choose', { texts: z.array(text).min(1).describe('one of these by hash') }),
  rule('words', { count: z.int().min(0) }),
  rule('recall', { pattern: text.describe('answers what this expression finds in the prompt') }),
  rule('fill-schema', { schema: z.record(text, z.unknown()) }),
] as const;

/** What replaces the answer by a failure, the first in the script's order. */
const faultRules = [
  rule('status', {
    status: z.int().min(300).max(599),
    message: text.optional(),
    code: text.optional(),
    retryAfter: retryForm.default('none'),
    waitMs: waitMs.default(0),
  }),
  rule('rate-limit', { retryAfter: retryForm.default('none'), waitMs: waitMs.default(0) }),
  rule('quota', {}),
  rule('overload', {
    concurrent: count.describe('requests at once; those above are rejected'),
    status: z.union([z.literal(429), z.literal(503)]).default(429),
  }),
  rule('hang', { at: z.enum(['before-headers', 'mid-body']).default('before-headers') }),
  rule('cut', {
    at: z.enum(['before-headers', 'within-headers', 'mid-body']).default('before-headers'),
  }),
  rule('stream-error', { message: text.default('The engine died.') }),
  rule('broken-json', { body: text.optional() }),
  rule('content-filter', { form: z.enum(['finish', 'error']).default('finish') }),
  rule('context-length', { tokens: count.optional().describe('400 above; absent: always') }),
  rule('api-key', { keys: z.array(text).min(1).describe('401 with any other') }),
  rule('known-models', { names: z.array(text).min(1).describe('404 for any other') }),
  rule('refuse-parameter', { parameter: text, instead: text.optional() }),
  rule('no-json-schema', {}),
] as const;

/** What bends an answer that is given. */
const bendRules = [
  rule('latency', {
    ms: waitMs.default(0),
    spreadMs: waitMs.default(0).describe('up to so much more, by hash'),
    tokenMs: waitMs.default(0).describe('for each token; streams are paced by it'),
  }),
  rule('fenced', { language: text.default('json') }),
  rule('extra-text', {
    before: text.default('Sure! Here it is:\n'),
    after: text.default('\nDone.'),
  }),
  rule('reasoning', {
    form: z
      .enum(['tags', 'closing-tag', 'open-tag', 'reasoning_content', 'reasoning'])
      .default('tags'),
    text: text.default('Let me think. {"verdict": "no"} would be too quick.'),
  }),
  rule('refusal', {
    form: z.enum(['field', 'text']).default('field'),
    text: text.default("I'm sorry, but I can't help with that."),
  }),
  rule('empty', { content: z.enum(['empty', 'null', 'blank']).default('empty') }),
  rule('length', {
    keepShare: z.number().min(0).max(1).default(0.5),
    untilMaxTokens: count.optional().describe('whole again when so many tokens are allowed'),
  }),
  rule('no-usage', {}),
  rule('truncate', { tokens: count.describe('drops the beginning of longer prompts silently') }),
  rule('cached-tokens', { tokens: count }),
  rule('wrong-model', { name: text }),
  rule('schema-ignored', {}),
  rule('no-logprobs', { form: z.enum(['ignore', 'refuse']).default('ignore') }),
  rule('alternatives', {
    of: z
      .record(text, z.record(text, z.number().min(0).max(1)))
      .describe('probabilities listed with a token (without its leading space)'),
  }),
  rule('one-choice', { form: z.enum(['ignore', 'refuse']).default('refuse') }),
  rule('rate-headers', { requests: count.optional(), tokens: count.optional() }),
  rule('shuffle-embeddings', {}),
  rule('uneven-embeddings', {}),
] as const;

const fakeRuleSchema = z.discriminatedUnion('do', [...answerRules, ...faultRules, ...bendRules]);

/** Checks a script; what is left out gets its default. */
export const fakeScriptSchema = z.strictObject({
  model: text.default('fake-model').describe('name that the server gives itself'),
  rules: z.array(fakeRuleSchema).default([]),
  tokenize: z.boolean().default(false).describe('whether /tokenize is there, as in vLLM'),
  contextTokens: count.default(32_768).describe('stated by /v1/models and /tokenize'),
  embeddingWidth: count.default(64),
});

/** A script as it is written. */
export type FakeScript = z.input<typeof fakeScriptSchema>;

/** A script with all defaults. */
export type ParsedFakeScript = z.output<typeof fakeScriptSchema>;

/** One rule with all defaults. */
export type FakeRule = z.output<typeof fakeRuleSchema>;

/** Names of the kinds of rules. */
export type FakeRuleName = FakeRule['do'];

/** A rule of one kind. */
export type FakeRuleOf<N extends FakeRuleName> = Extract<FakeRule, { do: N }>;

/** Part of the interface. */
export type FakeEndpoint = (typeof fakeEndpoints)[number];

/** Kinds that stand for a failure. */
export const faultNames: ReadonlySet<string> = new Set(
  faultRules.map((schema) => schema.shape.do.value),
);

/** Kinds that give the answer's text. */
export const answerNames: ReadonlySet<string> = new Set(
  answerRules.map((schema) => schema.shape.do.value),
);
