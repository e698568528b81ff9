// Rows brought to unit length, or to mean 0 and variance 1; forward and backward.
#include "csr.h"

INLINE void scale_row(const float *x, float scale, int width, float *out) {
  const f4 s = splat4(scale);
  int d = 0;
  for (; d + 4 <= width; d += 4) store4(out + d, load4(x + d) * s);
  for (; d < width; d++) out[d] = x[d] * scale;
}

// out = x / max(|x|, epsilon) row by row; divisors[n] = the divisor.
EXPORT(normalize_rows)
void normalize_rows(int begin, int end, const float *scratch, int width, const float *x,
                    float epsilon, float *out, float *divisors) {
  (void)scratch;
  x += (size_t)begin * width, out += (size_t)begin * width;
  for (int n = begin; n < end; n++, x += width, out += width) {
    divisors[n] = max1(sqrt1(dot(x, x, width)), epsilon);
    scale_row(x, 1 / divisors[n], width, out);
  }
}

// dx = (dy - y (y . dy)) / divisor; where the divisor is epsilon, dy / epsilon.
EXPORT(normalize_rows_backward)
void normalize_rows_backward(int begin, int end, const float *scratch, int width, const float *y,
                             const float *divisors, const float *dy, float epsilon, float *dx) {
  (void)scratch;
  y += (size_t)begin * width, dy += (size_t)begin * width, dx += (size_t)begin * width;
  for (int n = begin; n < end; n++, y += width, dy += width, dx += width) {
    const float scale = 1 / divisors[n];
    const float along = divisors[n] > epsilon ? dot(y, dy, width) : 0;
    const f4 s = splat4(scale), a = splat4(-along);
    int d = 0;
    for (; d + 4 <= width; d += 4)
      store4(dx + d, madd4(load4(y + d), a, load4(dy + d)) * s);
    for (; d < width; d++) dx[d] = (dy[d] - y[d] * along) * scale;
  }
}

INLINE float row_mean(const float *x, int width) {
  f4 sum = {0};
  int d = 0;
  for (; d + 4 <= width; d += 4) sum += load4(x + d);
  float total = sum4(sum);
  for (; d < width; d++) total += x[d];
  return total / (float)width;
}

// 1 / sqrt(variance + epsilon) of a row with the given mean.
INLINE float inverse_deviation(const float *x, int width, float mean, float epsilon) {
  f4 sum = {0};
  const f4 m = splat4(mean);
  int d = 0;
  for (; d + 4 <= width; d += 4) {
    const f4 c = load4(x + d) - m;
    sum = madd4(c, c, sum);
  }
  float total = sum4(sum);
  for (; d < width; d++) total += (x[d] - mean) * (x[d] - mean);
  return 1 / sqrt1(total / (float)width + epsilon);
}

EXPORT(layer_norm)
void layer_norm(int begin, int end, const float *scratch, int width, const float *x,
                const float *gain, const float *bias, float epsilon, float *out) {
  (void)scratch;
  x += (size_t)begin * width, out += (size_t)begin * width;
  for (int n = begin; n < end; n++, x += width, out += width) {
    const float mean = row_mean(x, width);
    const float scale = inverse_deviation(x, width, mean, epsilon);
    const f4 m = splat4(mean), s = splat4(scale);
    int d = 0;
    for (; d + 4 <= width; d += 4)
      store4(out + d, madd4((load4(x + d) - m) * s, load4(gain + d), load4(bias + d)));
    for (; d < width; d++) out[d] = (x[d] - mean) * scale * gain[d] + bias[d];
  }
}

// Means over a row of dy * gain and of dy * gain * (normalised x); adds to the sums over rows.
INLINE void row_sums(const float *x, const float *gain, const float *dy, int width, float mean,
                     float scale, float *dgain, float *dbias, float *sums) {
  f4 plain = {0}, along = {0};
  const f4 m = splat4(mean), s = splat4(scale);
  int d = 0;
  for (; d + 4 <= width; d += 4) {
    const f4 h = (load4(x + d) - m) * s, y = load4(dy + d), g = y * load4(gain + d);
    plain += g;
    along = madd4(g, h, along);
    store4(dgain + d, madd4(y, h, load4(dgain + d)));
    store4(dbias + d, load4(dbias + d) + y);
  }
  sums[0] = sum4(plain);
  sums[1] = sum4(along);
  for (; d < width; d++) {
    const float h = (x[d] - mean) * scale;
    sums[0] += dy[d] * gain[d];
    sums[1] += dy[d] * gain[d] * h;
    dgain[d] += dy[d] * h;
    dbias[d] += dy[d];
  }
}

// Gradients of the rows, and of gain and bias by the rows of one block: [gain, bias] of the block's
// own [2, width] in `parts`; blocks have `block` rows.
EXPORT(layer_norm_backward)
void layer_norm_backward(int begin, int end, const float *scratch, int width, const float *x,
                         const float *gain, const float *dy, float epsilon, float *dx,
                         float *parts, int block) {
  (void)scratch;
  float *dgain = parts + (size_t)(begin / block) * 2 * width, *dbias = dgain + width;
  __builtin_memset(dgain, 0, 2 * (size_t)width * sizeof(float));
  x += (size_t)begin * width, dy += (size_t)begin * width, dx += (size_t)begin * width;
  for (int n = begin; n < end; n++, x += width, dy += width, dx += width) {
    const float mean = row_mean(x, width);
    const float scale = inverse_deviation(x, width, mean, epsilon);
    float sums[2];
    row_sums(x, gain, dy, width, mean, scale, dgain, dbias, sums);
    const float plain = sums[0] / (float)width, along = sums[1] / (float)width;
    for (int d = 0; d < width; d++)
      dx[d] = (dy[d] * gain[d] - plain - (x[d] - mean) * scale * along) * scale;
  }
}
