/**
 * SIMULATED pairs and judges: for demonstrations, and to see what width and depth do where the
 * truth is known. Nothing here says anything about a real model.
 *
 * A judge's difference of scores is `gap + bias of its angle + position bias + N(0, s)`; in a
 * deeper layer it is w times the mean difference that it finds in the reviews, plus 1 - w times a
 * new draw.
 */
import { createRandom, type Random } from '@lab/core';
import { type ChatRequest, createScriptedClient, type LlmClient } from '@lab/llm';
import type { Sample } from './sample.js';
import { verdictOf } from './verdict.js';

/** What simulated pairs and judges are like. */
export interface Simulation {
  readonly seed: number;
  /** True difference of quality of a pair that is no tie, in scores; default 1. */
  readonly gap: number;
  /** Share of pairs that are ties; default .2. */
  readonly tieShare: number;
  /** What each angle adds to the difference, by its number from 0; more angles begin anew. */
  readonly roleBiases: readonly number[];
  /** Added to the score of what is shown first. */
  readonly positionBias: number;
  /** s, standard deviation of a judge's difference. */
  readonly noise: number;
  /** w, weight of what others said; 0..1. */
  readonly weight: number;
  /** Angles that the simulated model names. */
  readonly width: number;
}

/** A simulation of noisy judges with a preference for what stands first. */
export const simulationDefaults: Simulation = {
  seed: 1,
  gap: 1,
  tieShare: 0.2,
  roleBiases: [0.5, -0.5, 0.3, -0.3, 0.7, -0.7, 0.1, -0.1],
  positionBias: 0.8,
  noise: 2,
  weight: 0.5,
  width: 4,
};

/** The true difference of a simulated pair: `gap`, `-gap` or 0, equally often the first two. */
export function trueGap(pair: number, { seed, gap, tieShare }: Simulation): number {
  const draw = createRandom(seed).fork(`gap/${pair}`).uniform();
  if (draw < tieShare) return 0;
  return draw < tieShare + (1 - tieShare) / 2 ? gap : -gap;
}

/** SIMULATED pairs with their true verdicts. */
export function simulatedSamples(count: number, simulation: Simulation): Sample[] {
  return Array.from({ length: count }, (_, pair) => ({
    id: `pair-${pair}`,
    dataset: 'simulated',
    family: 'qa',
    question: `Simulated pair ${pair}`,
    answer1: `left text of pair ${pair}`,
    answer2: `right text of pair ${pair}`,
    gold: verdictOf(trueGap(pair, simulation)),
  }));
}

/** A model whose answers to the prompts of this package are drawn as the simulation says. */
export function createSimulatedClient(simulation: Simulation): LlmClient {
  const root = createRandom(simulation.seed);
  return createScriptedClient({
    model: 'SIMULATED',
    answer: (request) =>
      request.tag === 'roles' ? namedRoles(simulation) : review(request, simulation, root),
  });
}

function namedRoles({ width }: Simulation): string {
  const lines = Array.from({ length: width }, (_, j) => `$View ${j + 1}& a simulated angle.`);
  return lines.join('\n');
}

const shownFirst = /(left|right) text of pair (\d+)/;
const scorePattern = /^Score of Assistant ([12]): (-?[\d.]+)$/gm;

function review(request: ChatRequest, simulation: Simulation, root: Random): string {
  const prompt = request.messages.at(-1)?.content ?? '';
  const [, side = '', pair = ''] = shownFirst.exec(prompt) ?? [];
  const angles = prompt.slice(prompt.lastIndexOf('angle'));
  const views = [...angles.matchAll(/View (\d+)/g)].map(([, view]) => Number(view) - 1);
  const scores = [...prompt.matchAll(scorePattern)].map(([, label, score]) =>
    label === '1' ? Number(score) : -Number(score),
  );
  const history = scores.length === 0 ? '' : scores.join(' ');
  const name = `${pair}/${side}/${views.join(',')}/${request.sample ?? 0}/${history}`;
  const sign = side === 'left' ? 1 : -1;
  const fresh =
    sign * (trueGap(Number(pair), simulation) + meanBias(views, simulation)) +
    simulation.positionBias +
    simulation.noise * root.fork(name).normal();
  const { weight } = simulation;
  const difference =
    scores.length === 0
      ? fresh
      : (weight * scores.reduce((sum, score) => sum + score, 0)) / (scores.length / 2) +
        (1 - weight) * fresh;
  return answerWith(difference);
}

/** The bias of an angle, or the mean of those of several. */
function meanBias(views: readonly number[], { roleBiases }: Simulation): number {
  if (views.length === 0 || roleBiases.length === 0) return 0;
  const sum = views.reduce((total, view) => total + roleBiases[view % roleBiases.length]!, 0);
  return sum / views.length;
}

const middle = 5.5;
const mostDifference = 9;

function answerWith(difference: number): string {
  const kept = Math.max(-mostDifference, Math.min(mostDifference, difference));
  const [first, second] = [middle + kept / 2, middle - kept / 2];
  const preferred = kept > 0 ? 'Assistant 1' : 'Assistant 2';
  return (
    `SIMULATED review: ${preferred} is ahead.\n` +
    `Score of Assistant 1: ${first.toFixed(6)}\nScore of Assistant 2: ${second.toFixed(6)}`
  );
}
