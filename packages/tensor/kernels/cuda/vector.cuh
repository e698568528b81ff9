// The vector type of the kernels: N floats that move in one access, four where the rows allow it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime.h>

template <int N> struct alignas(4 * N) Pack {
  float at[N];
};

template <int N> __device__ Pack<N> load(const float *p) {
  return *reinterpret_cast<const Pack<N> *>(p);
}

template <int N> __device__ void store(float *p, Pack<N> v) { *reinterpret_cast<Pack<N> *>(p) = v; }

template <int N> __device__ Pack<N> zeros() {
  Pack<N> v;
  for (int i = 0; i < N; i++) v.at[i] = 0;
  return v;
}

template <int N> __device__ Pack<N> ones() {
  Pack<N> v;
  for (int i = 0; i < N; i++) v.at[i] = 1;
  return v;
}

// sum += factor * x.
template <int N> __device__ void add_scaled(Pack<N> &sum, float factor, Pack<N> x) {
  for (int i = 0; i < N; i++) sum.at[i] += factor * x.at[i];
}

// sum += a * b.
template <int N> __device__ void add_product(Pack<N> &sum, Pack<N> a, Pack<N> b) {
  for (int i = 0; i < N; i++) sum.at[i] += a.at[i] * b.at[i];
}

template <int N> __device__ void add(Pack<N> &sum, Pack<N> x) {
  for (int i = 0; i < N; i++) sum.at[i] += x.at[i];
}

template <int N> __device__ float dot(Pack<N> a, Pack<N> b) {
  float sum = 0;
  for (int i = 0; i < N; i++) sum += a.at[i] * b.at[i];
  return sum;
}

// exp as in the C kernels: below -87.3 that of -87.3, which vanishes beside any term that counts.
__device__ inline float exponential(float x) { return expf(x < -87.3f ? -87.3f : x); }

// exp as in the C kernels: exactly 0 below -87.68.
__device__ inline float exponential_or_zero(float x) { return x < -87.68f ? 0 : expf(x); }
