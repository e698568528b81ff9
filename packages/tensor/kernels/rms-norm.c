// Rows divided by their root mean square, forward and backward.
#include "csr.h"

INLINE float inverse_root(const float *x, int width, float epsilon) {
  return 1 / sqrt1(dot(x, x, width) / (float)width + epsilon);
}

// out = x / sqrt(mean(x^2) + epsilon) * gain, row by row.
EXPORT(rms_norm)
void rms_norm(int begin, int end, const float *scratch, int width, const float *x,
              const float *gain, float epsilon, float *out) {
  (void)scratch;
  x += (size_t)begin * width, out += (size_t)begin * width;
  for (int n = begin; n < end; n++, x += width, out += width) {
    const float scale = inverse_root(x, width, epsilon);
    const f4 s = splat4(scale);
    int d = 0;
    for (; d + 4 <= width; d += 4) store4(out + d, load4(x + d) * s * load4(gain + d));
    for (; d < width; d++) out[d] = x[d] * scale * gain[d];
  }
}

// Adds dy x scale to dgain; returns the sum of dy gain x.
INLINE float gain_sums(int width, const float *x, const float *gain, const float *dy, float scale,
                       float *dgain) {
  f4 along = {0};
  const f4 s = splat4(scale);
  int d = 0;
  for (; d + 4 <= width; d += 4) {
    const f4 product = load4(dy + d) * load4(x + d);
    along = madd4(product, load4(gain + d), along);
    store4(dgain + d, madd4(product, s, load4(dgain + d)));
  }
  float sum = sum4(along);
  for (; d < width; d++) {
    sum += dy[d] * x[d] * gain[d];
    dgain[d] += dy[d] * x[d] * scale;
  }
  return sum;
}

// Gradients of the rows, and of the gain by the rows of one block: its own [width] in `parts`;
// blocks have `block` rows.
EXPORT(rms_norm_backward)
void rms_norm_backward(int begin, int end, const float *scratch, int width, const float *x,
                       const float *gain, const float *dy, float epsilon, float *dx, float *parts,
                       int block) {
  (void)scratch;
  float *dgain = parts + (size_t)(begin / block) * width;
  __builtin_memset(dgain, 0, (size_t)width * sizeof(float));
  x += (size_t)begin * width, dy += (size_t)begin * width, dx += (size_t)begin * width;
  for (int n = begin; n < end; n++, x += width, dy += width, dx += width) {
    const float scale = inverse_root(x, width, epsilon);
    const float along = gain_sums(width, x, gain, dy, scale, dgain);
    const float back = -along * scale * scale / (float)width;
    const f4 s = splat4(scale), b = splat4(back);
    int d = 0;
    for (; d + 4 <= width; d += 4)
      store4(dx + d, madd4(load4(x + d), b, load4(dy + d) * load4(gain + d)) * s);
    for (; d < width; d++) dx[d] = (dy[d] * gain[d] + x[d] * back) * scale;
  }
}
