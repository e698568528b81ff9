// Reductions over segments given by an id per row, and their gradients; the definitions are in
// ../segment.c.
#include "collect.cuh"
#include "launchers.h"

// Rows that are added up before their sum joins the total, so that long sums stay accurate.
constexpr int ROWS_PER_RUN = 512;

// The rows and columns of a block: a segment, or a strip of its columns.
struct Strip {
  const float *x;
  int columns, strip;
  const int32_t *starts, *order;
};

// The place in the output of a thread's columns; the rows are order[first] .. order[end - 1].
struct StripPlace {
  int first, end, column;
  bool is_inside;
  size_t at;
};

template <int N> __device__ StripPlace place_of(const Strip &of) {
  const int strips = (of.columns + of.strip - 1) / of.strip;
  const int segment = (int)blockIdx.x / strips;
  const int start = ((int)blockIdx.x - segment * strips) * of.strip;
  const int own = column_of_thread<N>(), column = start + own;
  return {of.starts[segment], of.starts[segment + 1], column,
          own < of.strip && column < of.columns, (size_t)segment * of.columns + column};
}

template <int N>
__global__ void __launch_bounds__(COLLECT_THREADS)
    total_segments(Strip of, float *out, bool is_mean) {
  const StripPlace place = place_of<N>(of);
  const int step = (int)blockDim.y;
  Pack<N> total = zeros<N>();
  for (int run = place.first; place.is_inside && run < place.end; run += ROWS_PER_RUN) {
    Pack<N> sums[1] = {zeros<N>()};
    collect_entries(run + (int)threadIdx.y, min(run + ROWS_PER_RUN, place.end), step, of.order,
                    of.x + place.column, of.columns, EntryValues{nullptr}, sums);
    add(total, sums[0]);
  }
  total = sum_of_parts(total);
  if (!place.is_inside || threadIdx.y > 0) return;
  const int count = place.end - place.first;
  for (int i = 0; is_mean && count > 1 && i < N; i++) total.at[i] /= (float)count;
  store(out + place.at, total);
}

// Strips of fours need columns and strips that are whole fours.
static bool are_fours(Strip of, const float *out) {
  return of.columns % 4 == 0 && of.strip % 4 == 0 && are_aligned(of.x, out);
}

int lab_cuda_segment_total(void *stream, int count, const float *x, int columns, int strip,
                           const int32_t *starts, const int32_t *order, float *out, int is_mean) {
  const Strip of = {x, columns, strip, starts, order};
  return with_vectors(are_fours(of, out), [&](auto n) {
    constexpr int N = decltype(n)::value;
    return launch(stream, collect_blocks(count, strip, N), collect_threads(strip, N),
                  total_segments<N>, of, out, is_mean != 0);
  });
}

// The largest so far of a column, and the row that it is from, -1 before the first.
struct Largest {
  float best;
  int row;

  // NaN is above all; of equals the first row stays.
  __device__ void take(Largest other) {
    if (other.row < 0) return;
    const bool is_nan = best != best, is_other_nan = other.best != other.best;
    const bool are_equal = best == other.best || (is_nan && is_other_nan);
    const bool is_larger = are_equal ? other.row < row : is_other_nan || other.best > best;
    if (row < 0 || (is_larger && (are_equal || !is_nan))) *this = other;
  }
};

__global__ void __launch_bounds__(COLLECT_THREADS)
    largest_of_segments(Strip of, float *out, int32_t *rows) {
  __shared__ Largest parts[COLLECT_THREADS];
  const StripPlace place = place_of<1>(of);
  Largest own = {0, -1};
#pragma unroll 4
  for (int i = place.first + (int)threadIdx.y; place.is_inside && i < place.end; i += blockDim.y) {
    const int row = of.order[i];
    own.take({of.x[(size_t)row * of.columns + place.column], row});
  }
  parts[threadIdx.y * blockDim.x + threadIdx.x] = own;
  __syncthreads();
  if (!place.is_inside || threadIdx.y > 0) return;
  for (int p = 1; p < blockDim.y; p++) own.take(parts[p * blockDim.x + threadIdx.x]);
  out[place.at] = own.best;
  rows[place.at] = own.row;
}

int lab_cuda_segment_max(void *stream, int count, const float *x, int columns, int strip,
                         const int32_t *starts, const int32_t *order, float *out, int32_t *at) {
  return launch(stream, collect_blocks(count, strip, 1), collect_threads(strip, 1),
                largest_of_segments, Strip{x, columns, strip, starts, order}, out, at);
}

template <int N>
__global__ void max_backward(size_t rows, int width, const float *dy, const int32_t *at,
                             const int32_t *ids, float *dx) {
  const size_t row = row_of_thread();
  const int column = column_of_thread<N>();
  if (row >= rows || column >= width) return;
  const size_t from = (size_t)ids[row] * width + column;
  Pack<N> gradient = load<N>(dy + from);
  for (int i = 0; i < N; i++)
    if (at[from + i] != (int32_t)row) gradient.at[i] = 0;
  store(dx + row * width + column, gradient);
}

int lab_cuda_segment_max_backward(void *stream, int count, int width, const float *dy,
                                  const int32_t *at, const int32_t *ids, float *dx) {
  return with_vectors(width % 4 == 0 && are_aligned(dy, dx), [&](auto n) {
    constexpr int N = decltype(n)::value;
    const Grid grid = grid_of_rows(count, width, N);
    return launch(stream, grid.blocks, grid.threads, max_backward<N>, count, width, dy, at, ids,
                  dx);
  });
}

template <int N>
__global__ void mean_backward(size_t rows, int width, const float *dy, const float *shares,
                              const int32_t *ids, float *dx) {
  const size_t row = row_of_thread();
  const int column = column_of_thread<N>();
  if (row >= rows || column >= width) return;
  const float share = shares[ids[row]];
  Pack<N> gradient = load<N>(dy + (size_t)ids[row] * width + column);
  for (int i = 0; i < N; i++) gradient.at[i] *= share;
  store(dx + row * width + column, gradient);
}

int lab_cuda_segment_mean_backward(void *stream, int count, int width, const float *dy,
                                   const float *shares, const int32_t *ids, float *dx) {
  return with_vectors(width % 4 == 0 && are_aligned(dy, dx), [&](auto n) {
    constexpr int N = decltype(n)::value;
    const Grid grid = grid_of_rows(count, width, N);
    return launch(stream, grid.blocks, grid.threads, mean_backward<N>, count, width, dy, shares,
                  ids, dx);
  });
}
