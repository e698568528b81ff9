/**
 * A run as a JSON log that Inspect reads (`inspect view`, `read_eval_log`).
 *
 * Source: UKGovernmentBEIS/inspect_ai, src/inspect_ai/log/_log.py, version 2 of its log.
 */
import type { ChatMessage } from '../chat.js';
import {
  type ExportedRow,
  type ExportedRun,
  type ExportedUsage,
  totalUsage,
} from './exported-run.js';
import { objectWithList } from './json-parts.js';

const statuses = {
  started: 'started',
  success: 'success',
  error: 'error',
  interrupted: 'cancelled',
} as const;

/**
 * The name that a log of the run needs: Inspect's viewer lists only those that begin with a date.
 */
export function inspectLogName({ record }: ExportedRun): string {
  const date = record.start.slice(0, 19).replaceAll(':', '-');
  const words = [record.label, record.id].map((text) => text.replace(/[^A-Za-z0-9.-]+/gu, '-'));
  return `${date}_${words.join('_')}.json`;
}

/** The run in parts of one JSON text, to be written one after the other. */
export function* inspectLog(run: ExportedRun): Generator<string> {
  const { record, rows } = run;
  const { error } = record;
  const head = {
    // Inspect reads the keys in this order, the samples last.
    version: 2,
    status: statuses[record.status],
    eval: evalOf(run),
    plan: planOf(run),
    results: resultsOf(run),
    stats: {
      started_at: record.start,
      completed_at: record.end ?? '',
      model_usage: { [run.model]: modelUsage(totalUsage(rows)) },
    },
    ...(error === null ? {} : { error: errorOf(error.message) }),
  };
  yield* objectWithList(head, 'samples', samplesOf(run));
}

function evalOf(run: ExportedRun): object {
  const { record, rows } = run;
  const config = configOf(run);
  const { server } = config;
  const isAddress = typeof server === 'string' && /^https?:/u.test(server);
  const [data] = record.data;
  return {
    run_id: record.id,
    eval_id: record.id,
    created: record.start,
    task: record.label,
    task_id: record.id,
    task_version: 0,
    task_args: {},
    dataset: {
      name: data?.path.split('/').at(-1) ?? record.label,
      ...(data === undefined ? {} : { location: data.path }),
      samples: rows.length,
      sample_ids: rows.map((row) => row.id),
      shuffled: false,
    },
    model: run.model,
    ...(isAddress ? { model_base_url: server } : {}),
    model_args: {},
    config: {},
    packages: record.packages,
    metadata: { servedModel: run.servedModel, config },
  };
}

function configOf({ record }: ExportedRun): Readonly<Record<string, unknown>> {
  const { resolved } = record.config;
  return typeof resolved === 'object' && resolved !== null ? { ...resolved } : {};
}

/** Settings of sampling stand beside the others, or apart. */
function samplingOf(run: ExportedRun): Readonly<Record<string, unknown>> {
  const config = configOf(run);
  const { sampling } = config;
  return typeof sampling === 'object' && sampling !== null ? { ...sampling } : config;
}

const generateKeys = [
  ['temperature', 'temperature'],
  ['topP', 'top_p'],
  ['maxTokens', 'max_tokens'],
  ['seed', 'seed'],
] as const;

function planOf(run: ExportedRun): object {
  const config = samplingOf(run);
  const generate: Record<string, unknown> = {};
  for (const [ours, theirs] of generateKeys) {
    if (typeof config[ours] === 'number') generate[theirs] = config[ours];
  }
  return {
    name: 'plan',
    steps: [{ solver: run.record.method, params: {}, params_passed: {} }],
    config: generate,
  };
}

function resultsOf(run: ExportedRun): object {
  const { rows, scoreName } = run;
  const scored = rows.filter((row) => row.score !== null);
  const total = scored.reduce((sum, row) => sum + (row.score ?? 0), 0);
  const score = {
    name: scoreName ?? '',
    scorer: scoreName ?? '',
    scored_samples: scored.length,
    unscored_samples: rows.length - scored.length,
    params: {},
    metrics: { mean: { name: 'mean', value: total / scored.length, params: {} } },
  };
  return {
    total_samples: rows.length,
    completed_samples: rows.filter((row) => !row.isFailed).length,
    scores: scoreName === null || scored.length === 0 ? [] : [score],
  };
}

function modelUsage({ prompt, completion, cached, reasoning }: ExportedUsage): object {
  return {
    input_tokens: prompt,
    output_tokens: completion,
    total_tokens: prompt + completion,
    input_tokens_cache_read: cached,
    reasoning_tokens: reasoning,
  };
}

function errorOf(message: string): object {
  return { message, traceback: message, traceback_ansi: message };
}

function* samplesOf(run: ExportedRun): Generator<object> {
  for (const row of run.rows) yield sampleOf(row, run);
}

function sampleOf(row: ExportedRow, run: ExportedRun): object {
  const { id: _, ...fields } = row.fields;
  const input = (row.messages ?? []).map((message) => ({ ...message, source: 'input' }));
  const answer = {
    role: 'assistant',
    content: row.text,
    source: 'generate',
    model: run.servedModel ?? run.model,
  };
  const hasScore = run.scoreName !== null && row.score !== null;
  return {
    id: row.id,
    epoch: 1,
    input: inputOf(row.messages),
    target: row.target ?? '',
    messages: row.isFailed ? input : [...input, answer],
    output: row.isFailed ? { model: run.model, choices: [] } : outputOf(row, answer),
    ...(hasScore ? { scores: { [run.scoreName ?? '']: scoreOf(row) } } : {}),
    metadata: { ...fields, status: row.status, requestHash: row.requestHash },
    store: {},
    events: [],
    model_usage: { [run.model]: modelUsage(row.usage) },
    ...(row.milliseconds === null ? {} : { total_time: row.milliseconds / 1000 }),
    ...(row.isFailed ? { error: errorOf(row.problem ?? row.status) } : {}),
    attachments: {},
  };
}

/** A single question stands as text, which the viewer shows better. */
function inputOf(messages: readonly ChatMessage[] | null): string | readonly ChatMessage[] {
  const [only, ...others] = messages ?? [];
  if (only === undefined) return '';
  return others.length === 0 && only.role === 'user' ? only.content : (messages ?? []);
}

const stopReasons: Readonly<Record<string, string>> = {
  ok: 'stop',
  length: 'max_tokens',
  'content-filter': 'content_filter',
  'context-length': 'model_length',
};

function outputOf(row: ExportedRow, message: object): object {
  const { usage, milliseconds, problem, costUsd } = row;
  const cost = costUsd === null ? {} : { total_cost: costUsd };
  return {
    model: (message as { readonly model: string }).model,
    choices: [{ message, stop_reason: stopReasons[row.status] ?? 'unknown' }],
    completion: row.text,
    usage: { ...modelUsage(usage), ...cost },
    ...(milliseconds === null ? {} : { time: milliseconds / 1000 }),
    ...(problem === null ? {} : { error: problem }),
  };
}

function scoreOf(row: ExportedRow): object {
  return { value: row.score, answer: row.text, metadata: { isPass: row.isPass }, history: [] };
}
