/** Step number and running moments of Adam for all parameters. */
export interface Adam {
  steps: number;
  readonly first: Map<string, Float64Array>;
  readonly second: Map<string, Float64Array>;
}

/** Adam before its first step. */
export const createAdam = (): Adam => ({ steps: 0, first: new Map(), second: new Map() });

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** What one step needs. */
export interface AdamStep<Name extends string> {
  /** By name; changed in place. */
  readonly parameters: Readonly<Record<Name, Float64Array>>;
  /** Of the same sizes. */
  readonly gradients: Readonly<Record<Name, Float64Array>>;
  readonly learningRate: number;
}

/**
 * Moves the parameters by `-lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + 1e-8)`, b1 .9, b2 .999.
 *
 * Source: Kingma & Ba, "Adam" (2015), in the form at the end of its section 2.
 */
export function adamStep<Name extends string>(
  adam: Adam,
  { parameters, gradients, learningRate }: AdamStep<Name>,
): void {
  adam.steps += 1;
  const rate = (learningRate * Math.sqrt(1 - BETA2 ** adam.steps)) / (1 - BETA1 ** adam.steps);
  for (const name of Object.keys(parameters) as Name[]) {
    const values = parameters[name];
    const gradient = gradients[name];
    const m = momentsOf(adam.first, name, values.length);
    const v = momentsOf(adam.second, name, values.length);
    for (let at = 0; at < values.length; at += 1) {
      const g = gradient[at]!;
      const mean = BETA1 * m[at]! + (1 - BETA1) * g;
      const square = BETA2 * v[at]! + (1 - BETA2) * g * g;
      m[at] = mean;
      v[at] = square;
      values[at]! -= (rate * mean) / (Math.sqrt(square) + EPSILON);
    }
  }
}

function momentsOf(all: Map<string, Float64Array>, name: string, length: number): Float64Array {
  const own = all.get(name) ?? new Float64Array(length);
  all.set(name, own);
  return own;
}
