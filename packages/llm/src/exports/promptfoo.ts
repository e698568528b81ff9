/**
 * A run as the JSON that promptfoo writes and imports (`promptfoo import`).
 *
 * Source: promptfoo/promptfoo, src/types/schemas/import.ts, version 3 of its results.
 */
import { sha256 } from '@lab/core';
import {
  type ExportedRow,
  type ExportedRun,
  type ExportedUsage,
  totalCost,
  totalUsage,
} from './exported-run.js';

/** Settings of {@link promptfooJson}. */
export interface PromptfooOptions {
  /** The prompt with its slots; default `{{prompt}}`. */
  readonly prompt?: string | undefined;
}

/** Why a row does not pass, in promptfoo's numbers. */
const failureReasons = { none: 0, assert: 1, error: 2 } as const;

/** The run in parts of one JSON text, to be written one after the other. */
export function* promptfooJson(
  run: ExportedRun,
  options: PromptfooOptions = {},
): Generator<string> {
  const { record } = run;
  const raw = options.prompt ?? '{{prompt}}';
  const prompt = { raw, label: record.label, id: sha256(raw) };
  const provider = { id: run.model, label: run.model };
  const rows = run.rows;
  const head = {
    evalId: record.id,
    shareableUrl: null,
    config: { description: `${record.method} ${record.label}`, tags: {} },
    metadata: {
      evaluationCreatedAt: record.start,
      exportedAt: record.end ?? record.start,
      nodeVersion: String(record.environment['node'] ?? ''),
    },
  };
  const results = {
    version: 3,
    timestamp: record.end ?? record.start,
    prompts: [{ ...prompt, provider: run.model, metrics: metricsOf(run) }],
    stats: {
      successes: count(rows, (row) => row.isPass),
      failures: count(rows, (row) => !row.isPass && !row.isFailed),
      errors: count(rows, (row) => row.isFailed),
      tokenUsage: tokenUsage(totalUsage(rows), rows.length),
    },
  };
  yield `${JSON.stringify(head).slice(0, -1)},"results":${JSON.stringify(results).slice(0, -1)}`;
  yield ',"results":[';
  for (const [index, row] of rows.entries()) {
    const result = JSON.stringify(resultOf(row, { index, prompt, provider, run }));
    yield `${index === 0 ? '\n' : ',\n'}${result}`;
  }
  yield ']}}\n';
}

function count(rows: readonly ExportedRow[], has: (row: ExportedRow) => boolean): number {
  return rows.reduce((sum, row) => sum + (has(row) ? 1 : 0), 0);
}

function tokenUsage(usage: ExportedUsage, requests: number): object {
  const { prompt, completion, cached } = usage;
  return { total: prompt + completion, prompt, completion, cached, numRequests: requests };
}

function metricsOf(run: ExportedRun): object {
  const { rows } = run;
  const scored = run.scoreName === null ? [] : rows.filter((row) => row.score !== null);
  const total = scored.reduce((sum, row) => sum + (row.score ?? 0), 0);
  const name = run.scoreName ?? '';
  const passed = count(rows, (row) => row.isPass);
  const cost = totalCost(rows);
  return {
    score: rows.reduce((sum, row) => sum + pointsOf(row), 0),
    testPassCount: passed,
    testFailCount: count(rows, (row) => !row.isPass && !row.isFailed),
    testErrorCount: count(rows, (row) => row.isFailed),
    assertPassCount: count(scored, (row) => row.isPass),
    assertFailCount: count(scored, (row) => !row.isPass),
    totalLatencyMs: rows.reduce((sum, row) => sum + (row.milliseconds ?? 0), 0),
    tokenUsage: tokenUsage(totalUsage(rows), rows.length),
    namedScores: name === '' ? {} : { [name]: total },
    namedScoresCount: name === '' ? {} : { [name]: scored.length },
    ...(cost === null ? {} : { cost }),
  };
}

const pointsOf = (row: ExportedRow): number => row.score ?? (row.isPass ? 1 : 0);

interface Setting {
  readonly index: number;
  readonly prompt: { readonly raw: string; readonly label: string; readonly id: string };
  readonly provider: { readonly id: string; readonly label: string };
  readonly run: ExportedRun;
}

function resultOf(row: ExportedRow, { index, prompt, provider, run }: Setting): object {
  const error = row.problem ?? (row.isPass || row.score !== null ? undefined : row.status);
  const raw = row.messages === null ? prompt.raw : JSON.stringify(row.messages);
  const namedScores =
    run.scoreName === null || row.score === null ? {} : { [run.scoreName]: row.score };
  const reason = error ?? (row.isPass ? 'passed' : `score ${row.score}`);
  const failure = row.isFailed ? failureReasons.error : failureReasons.assert;
  // Promptfoo refuses variables that are null.
  const vars = Object.fromEntries(
    Object.entries(row.fields).filter(([, value]) => value !== null && value !== undefined),
  );
  return {
    promptIdx: 0,
    testIdx: index,
    testCase: { vars, metadata: { id: row.id } },
    promptId: prompt.id,
    provider,
    prompt: { raw, label: prompt.label },
    vars,
    response: { output: row.output ?? '', tokenUsage: tokenUsage(row.usage, row.attempts ?? 1) },
    ...(error === undefined ? {} : { error }),
    failureReason: row.isPass ? failureReasons.none : failure,
    success: row.isPass,
    score: pointsOf(row),
    latencyMs: row.milliseconds ?? 0,
    gradingResult: { pass: row.isPass, score: pointsOf(row), reason, namedScores },
    namedScores,
    ...(row.costUsd === null ? {} : { cost: row.costUsd }),
    metadata: { id: row.id, status: row.status, requestHash: row.requestHash },
  };
}
