// Dropout whose mask is a hash of seed and position; definitions in ../dropout.c and ../hash.h.
#include "launch.cuh"
#include "launchers.h"

__device__ static uint32_t mix(uint32_t h) {
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  return h ^ (h >> 16);
}

struct Dropout {
  const float *x;
  uint32_t seed, threshold;
  float scale;
  float *out;

  template <int N> __device__ void at(size_t i) const {
    const uint32_t key = mix(seed);
    Pack<N> values = load<N>(x + i);
    for (int lane = 0; lane < N; lane++) {
      const uint32_t bits = mix(mix((uint32_t)(i + lane) ^ key) + seed);
      values.at[lane] = bits >= threshold ? values.at[lane] * scale : 0;
    }
    store(out + i, values);
  }
};

int lab_cuda_dropout(void *stream, int count, const float *x, uint32_t seed, uint32_t threshold,
                     float scale, float *out) {
  const Dropout dropout = {x, seed, threshold, scale, out};
  return launch_items(stream, count, are_aligned(x, out), dropout);
}
