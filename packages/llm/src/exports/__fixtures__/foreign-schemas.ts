/** What other tools read, as far as exports write it; keys that they do not know are refused. */
import { z } from 'zod';

const text = z.string();
const number = z.number();
const usage = z.strictObject({
  total: number,
  prompt: number,
  completion: number,
  cached: number,
  numRequests: number,
});
const vars = z.record(text, z.unknown());
/** Null is refused. */
const variables = z.record(text, z.union([text, number, z.boolean(), z.object({}), z.array(vars)]));
const grading = z.strictObject({
  pass: z.boolean(),
  score: number,
  reason: text,
  namedScores: z.record(text, number),
});

/** Source: promptfoo/promptfoo, src/types/schemas/import.ts, ImportFileV3Schema. */
export const promptfooFile = z.strictObject({
  evalId: text,
  shareableUrl: z.null(),
  config: z.strictObject({ description: text, tags: z.record(text, text) }),
  metadata: z.strictObject({
    evaluationCreatedAt: z.iso.datetime(),
    exportedAt: z.iso.datetime(),
    nodeVersion: text,
  }),
  results: z.strictObject({
    version: z.literal(3),
    timestamp: z.iso.datetime(),
    prompts: z.array(
      z.strictObject({
        raw: text,
        label: text,
        id: text,
        provider: text,
        metrics: z.strictObject({
          score: number,
          testPassCount: number,
          testFailCount: number,
          testErrorCount: number,
          assertPassCount: number,
          assertFailCount: number,
          totalLatencyMs: number,
          tokenUsage: usage,
          namedScores: z.record(text, number),
          namedScoresCount: z.record(text, number),
          cost: number.optional(),
        }),
      }),
    ),
    stats: z.strictObject({
      successes: number,
      failures: number,
      errors: number,
      tokenUsage: usage,
    }),
    results: z.array(
      z.strictObject({
        promptIdx: number,
        testIdx: number,
        testCase: z.strictObject({ vars: variables, metadata: vars }),
        promptId: text,
        provider: z.strictObject({ id: text, label: text }),
        prompt: z.strictObject({ raw: text, label: text }),
        vars: variables,
        response: z.strictObject({ output: z.union([text, vars]), tokenUsage: usage }),
        error: text.optional(),
        failureReason: z.union([z.literal(0), z.literal(1), z.literal(2)]),
        success: z.boolean(),
        score: number,
        latencyMs: number,
        gradingResult: grading,
        namedScores: z.record(text, number),
        cost: number.optional(),
        metadata: vars,
      }),
    ),
  }),
});

const modelUsage = z.strictObject({
  input_tokens: z.int(),
  output_tokens: z.int(),
  total_tokens: z.int(),
  input_tokens_cache_read: z.int(),
  reasoning_tokens: z.int(),
  total_cost: number.optional(),
});
const message = z.strictObject({
  role: z.enum(['system', 'user', 'assistant']),
  content: text,
  source: z.enum(['input', 'generate']).optional(),
  model: text.optional(),
});
const evalError = z.strictObject({ message: text, traceback: text, traceback_ansi: text });
const stopReasons = [
  'stop',
  'max_tokens',
  'model_length',
  'tool_calls',
  'content_filter',
  'unknown',
] as const;
const sample = z.strictObject({
  id: text,
  epoch: z.int(),
  input: z.union([text, z.array(message)]),
  target: text,
  messages: z.array(message),
  output: z.strictObject({
    model: text,
    choices: z.array(z.strictObject({ message, stop_reason: z.enum(stopReasons) })),
    completion: text.optional(),
    usage: modelUsage.optional(),
    time: number.optional(),
    error: text.optional(),
  }),
  scores: z
    .record(
      text,
      z.strictObject({ value: number, answer: text, metadata: vars, history: z.array(z.never()) }),
    )
    .optional(),
  metadata: vars,
  store: vars,
  events: z.array(z.never()),
  model_usage: z.record(text, modelUsage),
  total_time: number.optional(),
  error: evalError.optional(),
  attachments: z.record(text, text),
});

/** Source: UKGovernmentBEIS/inspect_ai, src/inspect_ai/log/_log.py, EvalLog of version 2. */
export const inspectFile = z.strictObject({
  version: z.literal(2),
  status: z.enum(['started', 'success', 'cancelled', 'error']),
  eval: z.strictObject({
    run_id: text,
    eval_id: text,
    created: z.iso.datetime(),
    task: text,
    task_id: text,
    task_version: z.int(),
    task_args: vars,
    dataset: z.strictObject({
      name: text,
      location: text.optional(),
      samples: z.int(),
      sample_ids: z.array(text),
      shuffled: z.boolean(),
    }),
    model: text,
    model_base_url: text.optional(),
    model_args: vars,
    config: z.strictObject({}),
    packages: z.record(text, text),
    metadata: vars,
  }),
  plan: z.strictObject({
    name: text,
    steps: z.array(z.strictObject({ solver: text, params: vars, params_passed: vars })),
    config: z.strictObject({
      temperature: number.optional(),
      top_p: number.optional(),
      max_tokens: z.int().optional(),
      seed: z.int().optional(),
    }),
  }),
  results: z.strictObject({
    total_samples: z.int(),
    completed_samples: z.int(),
    scores: z.array(
      z.strictObject({
        name: text,
        scorer: text,
        scored_samples: z.int(),
        unscored_samples: z.int(),
        params: vars,
        metrics: z.record(text, z.strictObject({ name: text, value: number, params: vars })),
      }),
    ),
  }),
  stats: z.strictObject({
    started_at: text,
    completed_at: text,
    model_usage: z.record(text, modelUsage),
  }),
  error: evalError.optional(),
  samples: z.array(sample),
});
