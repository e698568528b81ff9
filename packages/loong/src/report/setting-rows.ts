/**
 * The settings of a run, as its page lists them.
 */
import { canonicalJson, resolveConfig, type RunRecord } from '@lab/core';
import type { SettingRow } from '@lab/report';
import { loongConfig } from '../config.js';

/** Settings of a run as rows, topic by topic. */
export function settingRows(record: RunRecord): SettingRow[] {
  const resolved = record.config.resolved as Record<string, unknown> | null;
  const { settings = {}, model, server, mode, preset, retriever } = resolved ?? {};
  const leaves = leavesOf(settings);
  const defaults = new Map(leavesOf(resolveConfig(loongConfig, {}).config));
  const run = Object.entries({ model, server, mode, preset, retriever });
  return [
    ...run.map(([path, value]) => ({ path, value, origin: 'run' })),
    ...leaves.map(([path, value]) => {
      const isDefault = canonicalJson(value ?? null) === canonicalJson(defaults.get(path) ?? null);
      return { path, value, origin: isDefault ? 'default' : 'set' };
    }),
  ];
}

/** Settings by path. */
function leavesOf(settings: unknown): (readonly [string, unknown])[] {
  return Object.entries(settings as Record<string, unknown>).flatMap(([topic, value]) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, leaf]) => [`${topic}.${name}`, leaf] as const)
      : [[topic, value] as const],
  );
}
