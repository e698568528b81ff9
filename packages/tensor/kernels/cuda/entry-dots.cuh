// A dot product for every entry of a pattern: of its row of one matrix and its column's row of
// another. Warps take runs of entries whatever their rows, so that all have the same work.
#pragma once

#include "collect.cuh"
#include "reduce.cuh"

constexpr int ENTRIES_PER_RUN = 16;
// Enough blocks to fill a GPU; the number of entries is known on the device alone.
constexpr int RUN_BLOCKS = 2048;

// The row of an entry: the last that begins at or before it and is not empty.
__device__ inline int row_of_entry(const int32_t *pointers, int rows, int entry) {
  int low = 0, high = rows;
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    if (pointers[middle] <= entry) low = middle;
    else high = middle;
  }
  return low;
}

// The dots of up to four entries and H heads over a lane's columns: a_r . (weights_k * b_r), or
// a_r . b_r without weights.
template <int N, int H>
__device__ void lane_dots(int width, const float *const (&a)[4], const float *const (&b)[4],
                          const float *weights, float (&sums)[4][H]) {
  for (int d = N * lane_of_thread(); d < width; d += N * WARP) {
    Pack<N> products[4];
#pragma unroll
    for (int r = 0; r < 4; r++) {
      products[r] = zeros<N>();
      add_product(products[r], load<N>(a[r] + d), load<N>(b[r] + d));
    }
#pragma unroll
    for (int k = 0; k < H; k++) {
      const Pack<N> weight = weights ? load<N>(weights + (size_t)k * width + d) : ones<N>();
#pragma unroll
      for (int r = 0; r < 4; r++) sums[r][k] += dot(products[r], weight);
    }
  }
}

// keep(e, k, dot) for all entries e and heads k: `own` has the rows of the pattern, `other` those
// that its columns name.
template <int N, int H, class Keep>
__global__ void dot_entries(int rows, int width, Pattern pattern, const float *own,
                            const float *other, const float *weights, Keep keep) {
  const int end = pattern.pointers[rows];
  const int warps = (int)gridDim.x * WARPS_PER_BLOCK;
  int first = pattern.pointers[0] + (int)item_of_warp() * ENTRIES_PER_RUN;
  for (; first < end; first += warps * ENTRIES_PER_RUN) {
    const int last = min(first + ENTRIES_PER_RUN, end);
    int row = row_of_entry(pattern.pointers, rows, first);
    for (int e = first; e < last; e += 4) {
      const float *a[4], *b[4];
      float sums[4][H] = {};
#pragma unroll
      for (int r = 0; r < 4; r++) {
        const int entry = min(e + r, last - 1);
        while (entry >= pattern.pointers[row + 1]) row++;
        a[r] = own + (size_t)row * width;
        b[r] = other + (size_t)pattern.columns[entry] * width;
      }
      lane_dots<N, H>(width, a, b, weights, sums);
#pragma unroll
      for (int r = 0; r < 4; r++)
#pragma unroll
        for (int k = 0; k < H; k++) {
          const float total = warp_sum(sums[r][k]);
          if (lane_of_thread() == 0 && e + r < last) keep(e + r, k, total);
        }
    }
  }
}

// The matrices that a launch of dot_entries reads.
struct DotOperands {
  const float *own, *other, *weights;
};

template <int H, class Keep>
int launch_dots(void *stream, int rows, int width, Pattern pattern, DotOperands of, Keep keep) {
  if (rows == 0) return 0;
  return with_vectors(width % 4 == 0 && are_aligned(of.own, of.other, of.weights), [&](auto n) {
    constexpr int N = decltype(n)::value;
    return launch(stream, RUN_BLOCKS, BLOCK_THREADS, dot_entries<N, H, Keep>, rows, width, pattern,
                  of.own, of.other, of.weights, keep);
  });
}
