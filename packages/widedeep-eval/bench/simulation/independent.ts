/**
 * SIMULATED judge networks without any code of the package: numbers alone, own random numbers, own
 * kappa. What `agreement.ts` measures through prompts and answers is compared with this.
 */

/** A regime of judges. */
export interface Regime {
  readonly name: string;
  readonly gap: number;
  readonly tieShare: number;
  readonly roleBiases: readonly number[];
  readonly positionBias: number;
  readonly noise: number;
  readonly weight: number;
}

/** Agreement of a network of some width and depth with the truth. */
export interface Exact {
  readonly accuracy: number;
  readonly kappa: number;
  /** Chance agreement by both marginals. */
  readonly chance: number;
}

/** mulberry32 and Box and Muller. */
function stream(seed: number) {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 4294967296;
  };
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

const most = 9;
const clamp = (value: number): number => Math.max(-most, Math.min(most, value));

/** Accuracy and kappa of the mean of all scores, by so many drawn pairs. */
export function exactAgreement(
  regime: Regime,
  network: { readonly width: number; readonly depth: number; readonly tau: number },
  trials: number,
): Exact {
  const { gap, tieShare, roleBiases, positionBias, noise, weight } = regime;
  const { width, depth, tau } = network;
  const { uniform, normal } = stream(width * 1009 + depth * 9176 + 5);
  const biases = Array.from({ length: width }, (_, j) => roleBiases[j % roleBiases.length] ?? 0);
  const meanBias = biases.reduce((sum, value) => sum + value, 0) / width;
  const table = [0, 1, 2].map(() => [0, 0, 0]);
  for (let trial = 0; trial < trials; trial += 1) {
    const draw = uniform();
    const truth = draw < tieShare ? 0 : draw < tieShare + (1 - tieShare) / 2 ? gap : -gap;
    let [sum, before] = [0, 0];
    for (let layer = 1; layer <= depth; layer += 1) {
      let layerSum = 0;
      for (let j = 0; j < width; j += 1) {
        for (const side of [1, -1]) {
          const bias = layer === 1 ? biases[j]! : meanBias;
          const fresh = truth + bias + side * positionBias + noise * normal();
          layerSum += clamp(layer === 1 ? fresh : weight * before + (1 - weight) * fresh);
        }
      }
      before = layerSum / (2 * width);
      sum += layerSum;
    }
    const mean = sum / (2 * width * depth);
    const row = truth > 0 ? 0 : truth < 0 ? 1 : 2;
    const column = mean > tau ? 0 : mean < -tau ? 1 : 2;
    table[row]![column]! += 1;
  }
  const agreed = (table[0]![0]! + table[1]![1]! + table[2]![2]!) / trials;
  let chance = 0;
  for (let label = 0; label < 3; label += 1) {
    const gold = table[label]!.reduce((total, count) => total + count, 0) / trials;
    const given = (table[0]![label]! + table[1]![label]! + table[2]![label]!) / trials;
    chance += gold * given;
  }
  return { accuracy: agreed, kappa: (agreed - chance) / (1 - chance), chance };
}
