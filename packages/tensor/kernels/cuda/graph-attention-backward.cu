// Gradients of graph attention; the definitions are in ../graph-attention-backward.c.
#include "attention-scores.cuh"
#include "entry-dots.cuh"
#include "launchers.h"

// The coefficient of an entry of the transposed pattern: that of its place in the pattern.
struct PlacedHeads {
  const int32_t *places;
  const float *values;
  int heads, first;
  __device__ float operator()(int e, int k) const {
    return values[(size_t)places[e] * heads + first + k];
  }
};

// Without head weights the mean of the heads' coefficients.
struct PlacedMean {
  const int32_t *places;
  const float *values;
  int heads;
  __device__ float operator()(int e, int) const {
    float sum = 0;
    for (int k = 0; k < heads; k++) sum += values[(size_t)places[e] * heads + k];
    return sum * (1.0f / (float)heads);
  }
};

// What the pass over the sending nodes reads and writes, all of it at its group of heads.
struct Senders {
  int width, heads, nodes, block;
  const float *dy, *x, *weights;
  float *weight_gradients, *out;
  bool adds;
};

// A block of threads has `block` nodes, one after another. The heads' sums of a part of its entries
// give the part's share of the weights' gradient, so that only the results are added over parts.
template <int N, int H>
__global__ void __launch_bounds__(COLLECT_THREADS)
    send_nodes(Senders s, Pattern pattern, PlacedHeads factor) {
  const int column = column_of_thread<N>();
  const bool is_inside = column < s.width;
  const size_t start = (size_t)blockIdx.x * s.block;
  const size_t end = min(start + s.block, (size_t)s.nodes);
  Pack<N> gradients[H];
  for (int k = 0; k < H; k++) gradients[k] = zeros<N>();
  for (size_t j = start; j < end; j++) {
    const size_t place = j * s.width + column;
    Pack<N> sums[H], total = zeros<N>();
    for (int k = 0; k < H; k++) sums[k] = zeros<N>();
    if (is_inside) {
      collect_entries(pattern.pointers[j] + (int)threadIdx.y, pattern.pointers[j + 1],
                      (int)blockDim.y, pattern.columns, s.dy + column, s.width, factor, sums);
      total = join_heads(sums, s.weights + column, s.width);
      const Pack<N> own = load<N>(s.x + place);
      for (int k = 0; k < H; k++) add_product(gradients[k], sums[k], own);
    }
    total = sum_of_parts(total);
    if (!is_inside || threadIdx.y > 0) continue;
    if (s.adds) add(total, load<N>(s.out + place));
    store(s.out + place, total);
  }
  for (int k = 0; k < H; k++) {
    const Pack<N> total = sum_of_parts(gradients[k]);
    const size_t row = (size_t)blockIdx.x * s.heads + k;
    if (is_inside && threadIdx.y == 0) store(s.weight_gradients + row * s.width + column, total);
  }
}

struct KeepHead {
  const int32_t *places;
  float *out;
  int heads, first;
  __device__ void operator()(int e, int k, float dot) const {
    out[(size_t)places[e] * heads + first + k] = dot;
  }
};

struct KeepMean {
  const int32_t *places;
  float *out;
  int heads;
  __device__ void operator()(int e, int, float dot) const {
    const float share = dot * (1.0f / (float)heads);
    for (int k = 0; k < heads; k++) out[(size_t)places[e] * heads + k] = share;
  }
};

// dy is read once for the sums and once for the entries: both passes keep all threads at work.
int lab_cuda_attention_sent(void *stream, int count, int width, int heads, const int32_t *pointers,
                            const int32_t *receivers, const int32_t *places,
                            const float *coefficients, const float *dy, const float *x,
                            const float *weights, float *weight_gradients, int block,
                            float *entry_gradient, float *out) {
  const Pattern pattern = {pointers, receivers};
  if (!weights) {
    const PlacedMean mean = {places, coefficients, heads};
    const int error = launch_collect(stream, count, width, pattern, mean, dy, out);
    if (error != 0) return error;
    return launch_dots<1>(stream, count, width, pattern, {x, dy, nullptr},
                          KeepMean{places, entry_gradient, heads});
  }
  const bool four = width % 4 == 0 && are_aligned(dy, x, weights, weight_gradients, out);
  return with_head_groups(heads, [&](auto h, int first) {
    constexpr int H = decltype(h)::value;
    const size_t at = (size_t)first * width;
    const int error = with_vectors(four, [&](auto n) {
      constexpr int N = decltype(n)::value;
      const Senders senders = {width, heads, count, block, dy, x, weights + at,
                               weight_gradients + at, out, first > 0};
      return launch(stream, collect_blocks(ceiling(count, block), width, N),
                    collect_threads(width, N), send_nodes<N, H>, senders, pattern,
                    PlacedHeads{places, coefficients, heads, first});
    });
    if (error != 0) return error;
    return launch_dots<H>(stream, count, width, pattern, {x, dy, weights + at},
                          KeepHead{places, entry_gradient, heads, first});
  });
}

// Gradients of a row's coefficients become those of its scores, in place.
__global__ void attention_softmax_backward(size_t items, Pattern pattern, Scores scores,
                                           const float *coefficients, float *score_gradient,
                                           float *entry_gradient) {
  if (item_of_warp() >= items) return;
  const int heads = scores.heads;
  const HeadItem item = head_item(item_of_warp(), heads, pattern.pointers);
  const float *a = coefficients + item.head;
  float *gradient = entry_gradient + item.head;
  float mean = 0, total = 0;
#pragma unroll 4
  for (int e = item.first; e < item.end; e += WARP)
    mean += a[(size_t)e * heads] * gradient[(size_t)e * heads];
  mean = warp_sum(mean);
#pragma unroll 4
  for (int e = item.first; e < item.end; e += WARP) {
    const size_t at = (size_t)e * heads;
    const float slope = scores.slope(scores.sum(item.head, item.row, pattern.columns[e]));
    const float own = a[at] * (gradient[at] - mean) * slope;
    gradient[at] = own;
    total += own;
  }
  total = warp_sum(total);
  if (lane_of_thread() == 0) score_gradient[2 * item_of_warp()] = total;
}

int lab_cuda_attention_softmax_backward(void *stream, int count, int heads,
                                        const int32_t *pointers, const int32_t *columns,
                                        const float *scores, float positive, float negative,
                                        const float *coefficients, float *score_gradient,
                                        float *entry_gradient) {
  const size_t items = (size_t)count * heads;
  return launch(stream, blocks_of_warps(items), BLOCK_THREADS, attention_softmax_backward, items,
                Pattern{pointers, columns}, Scores{scores, positive, negative, heads},
                coefficients, score_gradient, entry_gradient);
}

__global__ void attention_source_sums(size_t items, int heads, Pattern pattern,
                                      const float *entry_gradient, float *score_gradient) {
  if (item_of_warp() >= items) return;
  const HeadItem item = head_item(item_of_warp(), heads, pattern.pointers);
  float sum = 0;
#pragma unroll 4
  for (int e = item.first; e < item.end; e += WARP)
    sum += entry_gradient[(size_t)pattern.columns[e] * heads + item.head];
  sum = warp_sum(sum);
  if (lane_of_thread() == 0) score_gradient[2 * item_of_warp() + 1] = sum;
}

int lab_cuda_attention_source_sums(void *stream, int count, int heads, const int32_t *pointers,
                                   const int32_t *places, const float *entry_gradient,
                                   float *score_gradient) {
  const size_t items = (size_t)count * heads;
  return launch(stream, blocks_of_warps(items), BLOCK_THREADS, attention_source_sums, items, heads,
                Pattern{pointers, places}, entry_gradient, score_gradient);
}

template <int N>
__global__ void add_combinations(size_t rows, int width, int vector_count, const float *factors,
                                 const float *vectors, float *out) {
  const size_t row = row_of_thread();
  const int column = column_of_thread<N>();
  if (row >= rows || column >= width) return;
  Pack<N> sum = load<N>(out + row * width + column);
  for (int m = 0; m < vector_count; m++)
    add_scaled(sum, factors[row * vector_count + m],
               load<N>(vectors + (size_t)m * width + column));
  store(out + row * width + column, sum);
}

int lab_cuda_add_row_combinations(void *stream, int count, int width, int vector_count,
                                  const float *factors, const float *vectors, float *out) {
  return with_vectors(width % 4 == 0 && are_aligned(vectors, out), [&](auto n) {
    constexpr int N = decltype(n)::value;
    const Grid grid = grid_of_rows(count, width, N);
    return launch(stream, grid.blocks, grid.threads, add_combinations<N>, count, width,
                  vector_count, factors, vectors, out);
  });
}
