/**
 * Quick checks of a model on the backend in use, without any reference.
 */
import type { Captured } from './captures.js';
import type { Model } from './model.js';

/** One check: the largest difference found, and how large it may be. */
export interface ModelCheck {
  readonly name: string;
  readonly difference: number;
  readonly limit: number;
  readonly passed: boolean;
}

/** Differences are relative to the largest value that is compared. */
const LIMIT = 1e-4;
const LENGTH = 8;

/**
 * Whether what is inside fits together: every pattern sums to one, the residual grows by what
 * blocks add, padding on the left moves nothing, and a pass in two parts gives the logits of one.
 */
export async function validateModel(model: Model): Promise<ModelCheck[]> {
  const { vocabularySize, isParallel, layerCount } = model.architecture;
  const ids = [Array.from({ length: LENGTH }, (_, at) => (7 * at + 3) % vocabularySize)];
  const whole = await model.forward({ ids, capture: /hook_(pattern|resid_\w+|(attn|mlp)_out)$/ });
  const logits = (await whole.logits!.data()) as Float32Array;
  whole.dispose();
  const at = (block: number, name: string) => whole.captured.get(`blocks.${block}.${name}`)!;
  const checks = [
    check('logits are finite', logits.every(Number.isFinite) ? 0 : Number.NaN),
    check('logits differ', new Set(logits).size > 1 ? 0 : Number.NaN),
  ];
  const blocks = Array.from({ length: layerCount }, (_, block) => block);
  const worst = (of: (block: number) => number) => Math.max(...blocks.map(of));
  checks.push(
    check(
      'patterns sum to one',
      worst((block) => unevenness(at(block, 'attn.hook_pattern'))),
    ),
    check(
      'blocks add what they say',
      worst((block) => {
        const [before, after] = [at(block, 'hook_resid_pre'), at(block, 'hook_resid_post')];
        const parts = [before, at(block, 'hook_attn_out'), at(block, 'hook_mlp_out')];
        return difference(after.data, summed(parts));
      }),
    ),
  );
  if (!isParallel) {
    checks.push(
      check(
        'the middle is before and attention',
        worst((block) => {
          const parts = [at(block, 'hook_resid_pre'), at(block, 'hook_attn_out')];
          return difference(at(block, 'hook_resid_mid').data, summed(parts));
        }),
      ),
    );
  }
  checks.push(check('padding moves nothing', difference(await padded(model, ids[0]!), logits)));
  checks.push(check('two parts are the whole', difference(await inParts(model, ids), logits)));
  return checks;
}

const check = (name: string, found: number): ModelCheck => ({
  ...{ name, difference: found, limit: LIMIT, passed: found <= LIMIT },
});

function difference(found: Float32Array, wanted: ArrayLike<number>): number {
  let [off, scale] = [0, 1e-30];
  for (let place = 0; place < found.length; place += 1) {
    off = Math.max(off, Math.abs(found[place]! - wanted[place]!));
    scale = Math.max(scale, Math.abs(wanted[place]!));
  }
  return found.length === wanted.length ? off / scale : Number.NaN;
}

const summed = (parts: readonly Captured[]): Float64Array =>
  Float64Array.from(parts[0]!.data, (_, place) =>
    parts.reduce((sum, { data }) => sum + data[place]!, 0),
  );

/** How far the sums of rows are from one. */
function unevenness({ shape, data }: Captured): number {
  const width = shape.at(-1)!;
  const sums = Float64Array.from({ length: data.length / width }, (_, row) =>
    data.subarray(row * width, (row + 1) * width).reduce((sum, share) => sum + share, 0),
  );
  return sums.reduce((most, sum) => Math.max(most, Math.abs(sum - 1)), 0);
}

/** Logits of a text with padding on the left. */
async function padded(model: Model, ids: readonly number[]): Promise<Float32Array> {
  // Some scalings depend on the longest text of a batch: the second one is as long.
  const filled = [
    [0, 0, ...ids],
    [...ids, 0, 0],
  ];
  const mask = [
    [0, 0, ...ids.map(() => 1)],
    [...ids.map(() => 1), 0, 0],
  ];
  const result = await model.forward({ ids: filled, mask });
  const logits = (await result.logits!.data()) as Float32Array;
  result.dispose();
  const { vocabularySize } = model.architecture;
  return logits.slice(2 * vocabularySize, (ids.length + 2) * vocabularySize);
}

/** Logits of a pass that stops in the middle and goes on. */
async function inParts(model: Model, ids: number[][]): Promise<Float32Array> {
  const middle = Math.floor(model.architecture.layerCount / 2);
  const first = await model.forward({ ids, stopBlock: middle, logits: 'none' });
  const { residual } = first;
  const second = await model.forward({ ids, startBlock: middle, residual });
  const logits = ((await second.logits!.data()) as Float32Array).slice();
  first.dispose();
  second.dispose();
  return logits;
}
