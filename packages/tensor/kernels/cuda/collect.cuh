// Weighted sums of rows that an index names: a block for each sum. Its threads side by side own
// columns; its parts, one above the other, own every so many-th entry, so that a row with many
// entries is not one thread's work. The parts are added in their order: always the same bits.
#pragma once

#include "launch.cuh"

constexpr int COLLECT_THREADS = 512;
constexpr int MOST_PARTS = 8;

inline dim3 collect_threads(int width, int n) {
  const int lanes = std::max(1, std::min(ceiling(width, n), MOST_LANES));
  return dim3(lanes, std::max(1, std::min(COLLECT_THREADS / lanes, MOST_PARTS)));
}

inline dim3 collect_blocks(int count, int width, int n) {
  const dim3 threads = collect_threads(width, n);
  return dim3(count, ceiling(ceiling(width, n), threads.x));
}

// Entries whose rows are loaded side by side, so that their latencies overlap.
constexpr int ENTRIES_IN_FLIGHT = 4;

// sums_k += factor(e, k) x_(columns_e) for the entries of a part: first, first + step, ... x begins
// at the thread's columns.
template <int N, int H, class Factor>
__device__ void collect_entries(int first, int end, int step, const int32_t *columns,
                                const float *x, int width, Factor factor, Pack<N> (&sums)[H]) {
  for (int e = first; e < end; e += ENTRIES_IN_FLIGHT * step) {
    Pack<N> rows[ENTRIES_IN_FLIGHT];
    float factors[ENTRIES_IN_FLIGHT][H];
#pragma unroll
    for (int r = 0; r < ENTRIES_IN_FLIGHT; r++) {
      const bool is_entry = r * step < end - e;
      const int entry = is_entry ? e + r * step : e;
      rows[r] = is_entry ? load<N>(x + (size_t)columns[entry] * width) : zeros<N>();
#pragma unroll
      for (int k = 0; k < H; k++) factors[r][k] = is_entry ? factor(entry, k) : 0;
    }
#pragma unroll
    for (int r = 0; r < ENTRIES_IN_FLIGHT; r++)
#pragma unroll
      for (int k = 0; k < H; k++) add_scaled(sums[k], factors[r][k], rows[r]);
  }
}

// The sum over the parts of a block, for the threads of part 0.
template <int N> __device__ Pack<N> sum_of_parts(Pack<N> own) {
  __shared__ Pack<N> parts[COLLECT_THREADS];
  __syncthreads();
  parts[threadIdx.y * blockDim.x + threadIdx.x] = own;
  __syncthreads();
  for (int p = 1; threadIdx.y == 0 && p < blockDim.y; p++)
    add(own, parts[p * blockDim.x + threadIdx.x]);
  return own;
}

// The heads' sums, times the heads' weights where they are given; weights begin at the columns.
template <int N, int H>
__device__ Pack<N> join_heads(const Pack<N> (&sums)[H], const float *weights, int width) {
  if (!weights) return sums[0];
  Pack<N> total = zeros<N>();
  for (int k = 0; k < H; k++)
    add_product(total, sums[k], load<N>(weights + (size_t)k * width));
  return total;
}

// A pattern in compressed rows: the entries of row i are pointers[i] .. pointers[i + 1] - 1.
struct Pattern {
  const int32_t *pointers, *columns;
};

// out_i (+)= sum_k weights_k * sum over the entries e of row i of factor(e, k) x_(columns_e).
template <int N, int H, class Factor>
__global__ void __launch_bounds__(COLLECT_THREADS)
    collect_rows(int width, Pattern pattern, Factor factor, const float *x, const float *weights,
                 bool adds, float *out) {
  const int column = column_of_thread<N>(), first = pattern.pointers[blockIdx.x];
  const int end = pattern.pointers[blockIdx.x + 1];
  const bool is_inside = column < width;
  Pack<N> sums[H], total = zeros<N>();
  for (int k = 0; k < H; k++) sums[k] = zeros<N>();
  if (is_inside) {
    collect_entries(first + (int)threadIdx.y, end, (int)blockDim.y, pattern.columns, x + column,
                    width, factor, sums);
    total = join_heads(sums, weights ? weights + column : nullptr, width);
  }
  total = sum_of_parts(total);
  if (!is_inside || threadIdx.y > 0) return;
  float *to = out + (size_t)blockIdx.x * width + column;
  if (adds) add(total, load<N>(to));
  store(to, total);
}

// The factor of an entry: its value, or one without values.
struct EntryValues {
  const float *values;
  __device__ float operator()(int e, int) const { return values ? values[e] : 1; }
};

// One product of a pattern and a dense matrix, for one head.
template <class Factor>
int launch_collect(void *stream, int count, int width, Pattern pattern, Factor factor,
                   const float *x, float *out) {
  return with_vectors(width % 4 == 0 && are_aligned(x, out), [&](auto n) {
    constexpr int N = decltype(n)::value;
    return launch(stream, collect_blocks(count, width, N), collect_threads(width, N),
                  collect_rows<N, 1, Factor>, width, pattern, factor, x, nullptr, false, out);
  });
}
