// Sums of parts, and values times a number; the definitions are in ../parts.c and ../reduce.c.
#include "launchers.h"
#include "reduce.cuh"

// A warp's lanes own elements, the block's warps own every 32nd part; added in the warps' order.
__global__ void __launch_bounds__(WARP *WARP)
    sum_parts(int parts, int count, const float *from, float *out) {
  __shared__ float sums[WARP][WARP];
  const size_t i = (size_t)blockIdx.x * WARP + threadIdx.x;
  float sum = 0;
#pragma unroll 4
  for (int p = (int)threadIdx.y; i < count && p < parts; p += WARP)
    sum += from[(size_t)p * count + i];
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y > 0 || i >= count) return;
  for (int w = 1; w < WARP; w++) sum += sums[w][threadIdx.x];
  out[i] = sum;
}

int lab_cuda_sum_parts(void *stream, int parts, int count, const float *from, float *out) {
  return launch(stream, ceiling(count, WARP), dim3(WARP, WARP), sum_parts, parts, count, from, out);
}

struct Scaled {
  const float *x;
  float factor;
  float *out;

  template <int N> __device__ void at(size_t i) const {
    Pack<N> values = load<N>(x + i);
    for (int lane = 0; lane < N; lane++) values.at[lane] *= factor;
    store(out + i, values);
  }
};

int lab_cuda_scale_values(void *stream, int count, const float *x, float factor, float *out) {
  return launch_items(stream, count, are_aligned(x, out), Scaled{x, factor, out});
}
