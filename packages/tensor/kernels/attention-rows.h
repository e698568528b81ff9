// Steps of attention on a row of scores: exponentials, and the values they weigh.
#pragma once

#include "softmax.h"

// out += the rows of `values`, weighted.
static void add_weighted(int rows, int width, const float *weights, const float *values,
                         float *out) {
  int j = 0;
  for (; j + 4 <= rows; j += 4, values += 4 * (size_t)width) {
    const float *v1 = values + width, *v2 = v1 + width, *v3 = v2 + width;
    const f4 w0 = splat4(weights[j]), w1 = splat4(weights[j + 1]);
    const f4 w2 = splat4(weights[j + 2]), w3 = splat4(weights[j + 3]);
    int d = 0;
    for (; d + 4 <= width; d += 4) {
      const f4 sum = madd4(w1, load4(v1 + d), madd4(w0, load4(values + d), load4(out + d)));
      store4(out + d, madd4(w3, load4(v3 + d), madd4(w2, load4(v2 + d), sum)));
    }
    for (; d < width; d++)
      out[d] += w0[0] * values[d] + w1[0] * v1[d] + w2[0] * v2[d] + w3[0] * v3[d];
  }
  for (; j < rows; j++, values += width)
    for (int d = 0; d < width; d++) out[d] += weights[j] * values[d];
}

// x = exp(x - top); returns the sum.
static float exponentials(int count, float *x, float top) {
  f4 s0 = {0}, s1 = {0};
  const f4 t = splat4(top);
  int j = 0;
  for (; j + 8 <= count; j += 8) {
    const f4 e0 = exp_or_zero4(load4(x + j) - t), e1 = exp_or_zero4(load4(x + j + 4) - t);
    store4(x + j, e0);
    store4(x + j + 4, e1);
    s0 += e0;
    s1 += e1;
  }
  for (; j < count; j += 4) {
    const int rest = count - j < 4 ? count - j : 4;
    const f4 e = exp_or_zero4(load_part(x + j, rest, -__builtin_inff()) - t);
    store_part(x + j, rest, e);
    s0 += e;
  }
  return sum4(s0 + s1);
}

static void scale_row(int width, float factor, float *x) {
  const f4 f = splat4(factor);
  int d = 0;
  for (; d + 4 <= width; d += 4) store4(x + d, load4(x + d) * f);
  for (; d < width; d++) x[d] *= factor;
}
