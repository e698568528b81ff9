// Scores of graph attention: what a pair of nodes gives before the softmax.
#pragma once

#include "csr.h"

// Scores [N, K, 2]: of each node and head, what it gives as the receiving and as the sending node.
typedef struct {
  const float *values;
  float positive, negative;
} Scores;

INLINE float score_sum(const Scores *s, int heads, int k, int target, int source) {
  const float *t = s->values + 2 * ((size_t)target * heads + k);
  return t[0] + s->values[2 * ((size_t)source * heads + k) + 1];
}

INLINE float slope(const Scores *s, float sum) { return sum > 0 ? s->positive : s->negative; }

// out += factor * x.
INLINE void add_scaled(int width, float factor, const float *x, float *out) {
  const f4 f = splat4(factor);
  int d = 0;
  for (; d + 4 <= width; d += 4) store4(out + d, madd4(f, load4(x + d), load4(out + d)));
  for (; d < width; d++) out[d] = madd4(f, splat4(x[d]), splat4(out[d]))[0];
}

// out (+)= a * b.
INLINE void add_product(int width, int adds, const float *a, const float *b, float *out) {
  int d = 0;
  for (; d + 4 <= width; d += 4)
    store4(out + d, madd4(load4(a + d), load4(b + d), adds ? load4(out + d) : splat4(0)));
  for (; d < width; d++) out[d] = madd4(splat4(a[d]), splat4(b[d]), splat4(adds ? out[d] : 0))[0];
}
