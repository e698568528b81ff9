// Sums and largest values over the threads of a warp, or of a block that has one row.
#pragma once

#include "launch.cuh"

constexpr int WARP = 32;
constexpr int WARPS_PER_BLOCK = BLOCK_THREADS / WARP;

__device__ inline float warp_sum(float value) {
  for (int step = WARP / 2; step > 0; step /= 2)
    value += __shfl_xor_sync(0xffffffff, value, step);
  return value;
}

// NaN is left out.
__device__ inline float warp_max(float value) {
  for (int step = WARP / 2; step > 0; step /= 2)
    value = fmaxf(value, __shfl_xor_sync(0xffffffff, value, step));
  return value;
}

// Item of a warp in a grid of blocks of whole warps.
__device__ inline size_t item_of_warp() {
  return (size_t)blockIdx.x * WARPS_PER_BLOCK + threadIdx.x / WARP;
}

__device__ inline int lane_of_thread() { return (int)(threadIdx.x % WARP); }

inline int blocks_of_warps(size_t items) { return ceiling(items, WARPS_PER_BLOCK); }

// Sum over the THREADS threads of a row, in every one of them.
template <int THREADS> __device__ float row_sum(float value) {
  value = warp_sum(value);
  if constexpr (THREADS > WARP) {
    __shared__ float sums[THREADS / WARP];
    __syncthreads();
    if (threadIdx.x % WARP == 0) sums[threadIdx.x / WARP] = value;
    __syncthreads();
    value = 0;
    for (int w = 0; w < THREADS / WARP; w++) value += sums[w];
  }
  return value;
}

// Largest over the threads of a row; NaN is left out.
template <int THREADS> __device__ float row_max(float value) {
  value = warp_max(value);
  if constexpr (THREADS > WARP) {
    __shared__ float tops[THREADS / WARP];
    __syncthreads();
    if (threadIdx.x % WARP == 0) tops[threadIdx.x / WARP] = value;
    __syncthreads();
    for (int w = 0; w < THREADS / WARP; w++) value = fmaxf(value, tops[w]);
  }
  return value;
}

// Rows wider than this have a block each, others a warp.
constexpr int WARP_WIDTH = 2048;

// body(Constant<N>, Constant<THREADS>, blocks, threads) for a kernel that reduces rows.
template <class Body> int with_row_threads(int count, int width, bool four, Body body) {
  return with_vectors(four && width % 4 == 0, [&](auto n) {
    if (width > WARP_WIDTH)
      return body(n, Constant<BLOCK_THREADS>(), dim3(count), dim3(BLOCK_THREADS));
    const dim3 threads(WARP, WARPS_PER_BLOCK);
    return body(n, Constant<WARP>(), dim3(blocks_of_warps(count)), threads);
  });
}
