// How the launchers start a kernel: its grid, its vector width, and its groups of heads.
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "vector.cuh"

template <int VALUE> using Constant = std::integral_constant<int, VALUE>;

inline int ceiling(size_t count, size_t divisor) { return (int)((count + divisor - 1) / divisor); }

// Starts a kernel unless its grid is empty; returns the CUDA error, 0 when all is well.
template <class... Parameters, class... Arguments>
int launch(void *stream, dim3 blocks, dim3 threads, void (*kernel)(Parameters...),
           Arguments... arguments) {
  if (blocks.x == 0 || blocks.y == 0) return 0;
  cudaLaunchConfig_t config = {};
  config.gridDim = blocks;
  config.blockDim = threads;
  config.stream = (cudaStream_t)stream;
  cudaLaunchKernelEx(&config, kernel, (Parameters)arguments...);
  return (int)cudaPeekAtLastError();
}

// Whether accesses of 16 bytes are possible; a null pointer is never read.
template <class... Pointers> bool are_aligned(Pointers... pointers) {
  return (((uintptr_t)pointers % 16 == 0) && ...);
}

// body(Constant<N>) with the N floats of an access.
template <class Body> int with_vectors(bool four, Body body) {
  return four ? body(Constant<4>()) : body(Constant<1>());
}

// body(Constant<H>, first) for groups of H heads, together all of them: a kernel keeps the sums of
// its heads in registers, so their number is known when it is compiled.
template <class Body> int with_head_groups(int heads, Body body) {
  int error = 0;
  for (int first = 0; first < heads && error == 0;) {
    const int left = heads - first;
    if (left >= 8) error = body(Constant<8>(), first), first += 8;
    else if (left >= 4) error = body(Constant<4>(), first), first += 4;
    else if (left >= 2) error = body(Constant<2>(), first), first += 2;
    else error = body(Constant<1>(), first), first += 1;
  }
  return error;
}

// Threads side by side on one row of an array, at most.
constexpr int MOST_LANES = 128;
constexpr int BLOCK_THREADS = 256;

// A grid of threads that each own N columns of one row.
struct Grid {
  dim3 blocks, threads;
};

inline Grid grid_of_rows(int count, int width, int n) {
  const int vectors = ceiling(width, n);
  const int lanes = std::max(1, std::min(vectors, MOST_LANES));
  const int rows = std::max(1, BLOCK_THREADS / lanes);
  return {dim3(ceiling(count, rows), ceiling(vectors, lanes)), dim3(lanes, rows)};
}

// Row and first column of a thread of that grid.
__device__ inline size_t row_of_thread() {
  return (size_t)blockIdx.x * blockDim.y + threadIdx.y;
}

template <int N> __device__ int column_of_thread() {
  return N * (int)(blockIdx.y * blockDim.x + threadIdx.x);
}

// body.at<N>(i) for items i .. i + N - 1: four at a time, the rest one by one.
template <int N, class Body> __global__ void run_items(int count, Body body) {
  const size_t first = N * ((size_t)blockIdx.x * blockDim.x + threadIdx.x);
  if (first + N <= (size_t)count) {
    body.template at<N>(first);
    return;
  }
  for (size_t i = first; i < (size_t)count; i++) body.template at<1>(i);
}

template <class Body> int launch_items(void *stream, int count, bool four, Body body) {
  return with_vectors(four, [&](auto n) {
    constexpr int N = decltype(n)::value;
    const int blocks = ceiling(ceiling(count, N), BLOCK_THREADS);
    return launch(stream, blocks, BLOCK_THREADS, run_items<N, Body>, count, body);
  });
}
