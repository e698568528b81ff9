// KL divergence of diagonal Gaussians from a centred one, entry by entry, and its gradients.
#include "sigmoid.h"

// How a deviation follows from a spread: the spread itself, or
// ln s = offset + slope softplus(min(spread, ceiling)).
typedef struct {
  f4 log, square, derivative;
} Spread;

typedef struct {
  int is_squashed;
  float ceiling, offset, slope;
  // What any spread above the ceiling gives.
  Spread above;
} Deviation;

INLINE Spread squashed4(f4 x, const Deviation *d) {
  const f4 ceiling = splat4(d->ceiling), slope = splat4(d->slope);
  const f4 cut = select4(x > ceiling, ceiling, x);
  const f4 log = madd4(slope, softplus4(cut), splat4(d->offset));
  const f4 derivative = select4(x > ceiling, splat4(0.0f), slope * sigmoid4(cut));
  return (Spread){log, exp4(log + log), derivative};
}

NOINLINE static Deviation deviation(int is_squashed, float ceiling, float offset, float slope) {
  Deviation d = {is_squashed, ceiling, offset, slope, {{0}, {0}, {0}}};
  d.above = squashed4(splat4(ceiling), &d);
  d.above.derivative = splat4(0.0f);
  return d;
}

// ln s, s^2 and the derivative of ln s by the spread; NaN stays NaN.
INLINE Spread spread4(f4 x, const Deviation *d) {
  if (!d->is_squashed) return (Spread){log4(x), x * x, splat4(1.0f) / x};
  if (all4(x > splat4(d->ceiling))) return d->above;
  return squashed4(x, d);
}

// ln(s0 / s) + (s^2 + m^2) / (2 s0^2) - 1 / 2.
INLINE f4 divergence4(f4 m, f4 x, const Deviation *d, float log_prior, float precision) {
  const Spread s = spread4(x, d);
  const f4 squares = (s.square + m * m) * splat4(0.5f * precision);
  return splat4(log_prior - 0.5f) - s.log + squares;
}

#define CHUNK 256

// sums[block] = sum of the divergences of the entries of one block; `precision` is 1 / s0^2.
EXPORT(gaussian_kl)
void gaussian_kl(int begin, int end, const float *scratch, const float *mean, const float *spread,
                 int is_squashed, float ceiling, float offset, float slope, float log_prior,
                 float precision, double *sums, int block) {
  (void)scratch;
  const Deviation d = deviation(is_squashed, ceiling, offset, slope);
  double total = 0;
  for (int start = begin; start < end; start += CHUNK) {
    const int stop = end - start < CHUNK ? end : start + CHUNK;
    f4 sum = splat4(0.0f);
    int i = start;
    for (; i + 4 <= stop; i += 4)
      sum += divergence4(load4(mean + i), load4(spread + i), &d, log_prior, precision);
    total += (double)sum4(sum);
    if (i == stop) continue;
    const f4 m = load_part(mean + i, stop - i, 0), x = load_part(spread + i, stop - i, 1);
    const f4 rest = divergence4(m, x, &d, log_prior, precision);
    for (int lane = 0; lane < stop - i; lane++) total += (double)rest[lane];
  }
  sums[begin / block] = total;
}

// out = factor * the sum of the blocks' sums.
EXPORT(gaussian_kl_total)
void gaussian_kl_total(int count, const double *sums, double factor, float *out) {
  double total = 0;
  for (int i = 0; i < count; i++) total += sums[i];
  *out = (float)(total * factor);
}

// dmean = g m / s0^2 and dspread = g (s^2 / s0^2 - 1) d ln s / d spread, g = factor * dy.
EXPORT(gaussian_kl_backward)
void gaussian_kl_backward(int begin, int end, const float *scratch, const float *mean,
                          const float *spread, int is_squashed, float ceiling, float offset,
                          float slope, float precision, const float *dy, float factor,
                          float *dmean, float *dspread) {
  (void)scratch;
  const Deviation d = deviation(is_squashed, ceiling, offset, slope);
  const f4 g = splat4(*dy * factor), p = splat4(precision), one = splat4(1.0f);
  int i = begin;
  for (; i + 4 <= end; i += 4) {
    const Spread s = spread4(load4(spread + i), &d);
    store4(dmean + i, load4(mean + i) * p * g);
    store4(dspread + i, (s.square * p - one) * s.derivative * g);
  }
  if (i == end) return;
  const Spread s = spread4(load_part(spread + i, end - i, 1), &d);
  store_part(dmean + i, end - i, load_part(mean + i, end - i, 0) * p * g);
  store_part(dspread + i, end - i, (s.square * p - one) * s.derivative * g);
}
