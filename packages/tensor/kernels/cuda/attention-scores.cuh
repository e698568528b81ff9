// Scores of graph attention: what a pair of nodes gives before the softmax.
#pragma once

#include "collect.cuh"
#include "reduce.cuh"

// Scores [N, K, 2]: of each node and head, what it gives as the receiving and as the sending node.
struct Scores {
  const float *values;
  float positive, negative;
  int heads;

  __device__ float sum(int k, size_t target, size_t source) const {
    return values[2 * (target * heads + k)] + values[2 * (source * heads + k) + 1];
  }
  __device__ float slope(float sum) const { return sum > 0 ? positive : negative; }
};

// A warp has one head of one row: item = row * heads + head.
struct HeadItem {
  size_t row;
  int head, first, end;
};

__device__ inline HeadItem head_item(size_t item, int heads, const int32_t *pointers) {
  const size_t row = item / heads;
  return {row, (int)(item - row * heads), pointers[row] + lane_of_thread(), pointers[row + 1]};
}
