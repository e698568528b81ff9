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
