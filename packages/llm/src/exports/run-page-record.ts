/**
 * What the page of a run says of its record: cost, settings, command, machine.
 */
import { formatCount, formatDuration, type RunRecord } from '@lab/core';
import type { RunPage, SettingRow } from '@lab/report';
import type { RunCost } from '../rows/cost-record.js';
import { usdText } from '../usd-text.js';
import type { RunDigest } from './run-digest.js';

type Fact = RunPage['cost'][number];

/** Tokens, calls, money and time. */
export function costFacts({ record, cost, byRequests, finished }: RunDigest): Fact[] {
  const { costUsd, estimated, unknown } = cost;
  const sent = [...byRequests].reduce((sum, [requests, rows]) => sum + requests * rows, 0);
  const seconds = (Date.parse(record.end ?? '') - Date.parse(record.start)) / 1000;
  const each = costUsd === null || finished === 0 ? null : (costUsd / finished) * 1000;
  return [
    { label: 'cost', value: usdText(costUsd) },
    { label: 'cost of 1,000 rows', value: usdText(each) },
    { label: 'tokens in', value: formatCount(cost.promptTokens) },
    { label: 'tokens in, cached there', value: formatCount(cost.cachedTokens) },
    { label: 'tokens out', value: formatCount(cost.completionTokens) },
    { label: 'tokens out, reasoning', value: formatCount(cost.reasoningTokens) },
    ...estimatedFacts(estimated),
    ...unknownFacts(unknown),
    { label: 'requests sent', value: formatCount(sent) },
    { label: 'from start to end', value: formatDuration(seconds) },
  ];
}

function estimatedFacts({ promptTokens, completionTokens, costUsd }: RunCost['estimated']): Fact[] {
  if (promptTokens + completionTokens === 0) return [];
  return [
    { label: 'estimated, tokens in', value: formatCount(promptTokens) },
    { label: 'estimated, tokens out', value: formatCount(completionTokens) },
    { label: 'estimated, cost', value: usdText(costUsd) },
  ];
}

function unknownFacts({ requests, promptTokens, costUsd }: RunCost['unknown']): Fact[] {
  if (requests === 0) return [];
  return [
    { label: 'unknown, requests', value: formatCount(requests) },
    { label: 'unknown, tokens of their prompts', value: `about ${formatCount(promptTokens)}` },
    { label: 'unknown, cost of their prompts', value: usdText(costUsd) },
  ];
}

/** The settings that decide the answers, then the flags that do not, each with its origin. */
export function settingRows({ config }: RunRecord): SettingRow[] {
  const passed = new Map(Object.entries((config.passed ?? {}) as Record<string, unknown>));
  const rows = leavesOf(config.resolved, '').map(({ path, value }) => {
    const name = path.split('.').at(-1) ?? '';
    // A prompt is its digest in the settings and its file among the flags: both are shown.
    const isFlag = passed.has(name) || (name === 'server' && passed.has('baseUrl'));
    const origin = isFlag ? flagOf(name === 'server' ? 'baseUrl' : name) : 'default';
    if (passed.get(name) === value) passed.delete(name);
    return { path, value: value ?? 'none', origin };
  });
  const others = [...passed].map(([name, value]) => ({ path: name, value, origin: flagOf(name) }));
  return [...rows, ...others];
}

const flagOf = (name: string): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

interface Leaf {
  readonly path: string;
  readonly value: unknown;
}

function leavesOf(value: unknown, path: string): Leaf[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value }];
  return Object.entries(value).flatMap(([key, inner]) =>
    leavesOf(inner, path === '' ? key : `${path}.${key}`),
  );
}

/** The command as a shell takes it. */
export function commandText({ command }: RunRecord): string {
  if (command.length === 0) return 'The run was started by a program, not by a command.';
  return command.map(shellWord).join(' ');
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Versions, machine, models, seed and the digest by which a repetition is compared. */
export function environmentFacts(
  { record, byServedModel }: RunDigest,
  predictionsHash: string | null,
): Fact[] {
  const machine = record.environment;
  const packages = Object.entries(record.packages).map(([name, version]) => `${name} ${version}`);
  const config = (record.config.resolved ?? {}) as { readonly sampling?: { seed?: number } };
  const facts = [
    { label: 'packages', value: packages.join(', ') },
    { label: 'Node', value: String(machine['node'] ?? '') },
    { label: 'model that answered', value: [...byServedModel.keys()].join(', ') },
    { label: 'seed', value: `${config.sampling?.seed ?? 'none sent'}` },
    { label: 'git revision', value: gitText(record.git) },
    { label: 'SHA-256 of predictions.jsonl', value: predictionsHash ?? '' },
  ];
  return facts.filter(({ value }) => value !== '');
}

function gitText(git: RunRecord['git']): string {
  if (git === null) return '';
  return `${git.revision.slice(0, 12)}${git.dirty ? ', changed' : ''}`;
}
