/**
 * What an architecture must be to compute with it, whatever its config.json says.
 */
import { ModelError } from '@lab/core';
import type { Architecture, RotaryRules } from './architecture.js';
import { rotaryAngles } from './rotary-frequencies.js';

/** Features of a head, at most: angles are listed for each of them. */
const MOST_HEAD_WIDTH = 65_536;

const isCount = (value: number) => Number.isSafeInteger(value) && value > 0;
const isPositive = (value: number) => Number.isFinite(value) && value > 0;

type Wrong = readonly (readonly [name: string, value: number])[];

function wrongSizes(architecture: Architecture): Wrong {
  const { headCount, keyValueHeadCount, headWidth, positions } = architecture;
  const names = ['layerCount', 'vocabularySize', 'width', 'mlpWidth', 'headCount'] as const;
  const counts: [string, number][] = names.map((name) => [name, architecture[name]]);
  if (positions.kind === 'learned') counts.push(['positions', positions.count]);
  const wrong = counts.filter(([, value]) => !isCount(value));
  const isShared = isCount(keyValueHeadCount) && headCount % keyValueHeadCount === 0;
  if (!isShared) wrong.push(['keyValueHeadCount', keyValueHeadCount]);
  if (!isCount(headWidth) || headWidth > MOST_HEAD_WIDTH) wrong.push(['headWidth', headWidth]);
  return wrong;
}

function wrongNumbers(architecture: Architecture): Wrong {
  const { norm, scoreCap, logitCap, blocks } = architecture;
  const caps = { scoreCap, logitCap };
  const wrong = Object.entries(caps).filter(([, cap]) => cap !== null && !isPositive(cap));
  const scales = new Set(blocks.map(({ scoreScale }) => scoreScale));
  const windows = new Set(blocks.map(({ window }) => window ?? 1));
  const rotaries = new Set(blocks.map(({ rotary }) => rotary).filter((one) => one !== null));
  return [
    ...(wrong as [string, number][]),
    ...(norm.epsilon >= 0 ? [] : [['epsilon', norm.epsilon] as const]),
    ...[...scales].filter((one) => !isPositive(one)).map((one) => ['scoreScale', one] as const),
    ...[...windows].filter((one) => !isCount(one)).map((one) => ['window', one] as const),
    ...[...rotaries].flatMap((one) => wrongRotary(one, architecture.headWidth)),
  ];
}

/** Whole pairs of a head's features must turn, by finite angles. */
function wrongRotary(rotary: RotaryRules, headWidth: number): Wrong {
  const { width } = rotary;
  if (!isCount(width / 2) || width > headWidth) return [['rotary width', width]];
  for (const length of [1, 1_000_000]) {
    const { inverseFrequencies, attentionFactor } = rotaryAngles(rotary, length);
    if (!isPositive(attentionFactor)) return [['rotary attention factor', attentionFactor]];
    const angle = inverseFrequencies.find((one) => !Number.isFinite(one));
    if (angle !== undefined) return [['rotary angle', angle]];
  }
  return [];
}

/**
 * Refuses numbers that no model can have.
 *
 * @param file - for the message.
 * @throws {ModelError} that lists them.
 */
export function assertArchitecture(architecture: Architecture, file: string): void {
  const sizes = wrongSizes(architecture);
  const wrong = sizes.length > 0 ? sizes : wrongNumbers(architecture);
  if (wrong.length === 0) return;
  const listed = wrong.map(([name, value]) => `${name} ${value}`).join(', ');
  throw new ModelError(`${file}: its numbers do not fit a model: ${listed}.`, {
    help: 'Copy config.json again from the folder that the weights came from.',
  });
}
