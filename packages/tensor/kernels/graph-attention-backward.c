// Gradients of graph attention: one pass over what every node has sent, then one over the scores.
#include "attention-scores.h"

// For COUNT entries of a sending node: to (+)= sum of a_r dy_r, and dots_r = dy_r . x. The rows of
// dy are far apart in memory; each is read once for both.
#define SEND(COUNT)                                                                                \
  NOINLINE static void send##COUNT(const float *dy, int width, const int32_t *rows,                \
                                   const float *a, const float *x, int adds, float *to,            \
                                   float *dots) {                                                  \
    const float *row[COUNT];                                                                       \
    f4 factor[COUNT], sum[COUNT] = {0};                                                            \
    for (int r = 0; r < COUNT; r++) {                                                              \
      row[r] = dy + (size_t)rows[r] * width;                                                       \
      factor[r] = splat4(a[r]);                                                                    \
    }                                                                                              \
    int d = 0;                                                                                     \
    for (; d + 4 <= width; d += 4) {                                                               \
      const f4 own = load4(x + d);                                                                 \
      f4 total = adds ? load4(to + d) : splat4(0);                                                 \
      for (int r = 0; r < COUNT; r++) {                                                            \
        const f4 y = load4(row[r] + d);                                                            \
        total = madd4(factor[r], y, total);                                                        \
        sum[r] = madd4(y, own, sum[r]);                                                            \
      }                                                                                            \
      store4(to + d, total);                                                                       \
    }                                                                                              \
    for (int r = 0; r < COUNT; r++) dots[r] = sum4(sum[r]);                                        \
    for (; d < width; d++) {                                                                       \
      f4 total = splat4(adds ? to[d] : 0);                                                         \
      for (int r = 0; r < COUNT; r++) {                                                            \
        total = madd4(factor[r], splat4(row[r][d]), total);                                        \
        dots[r] += row[r][d] * x[d];                                                               \
      }                                                                                            \
      to[d] = total[0];                                                                            \
    }                                                                                              \
  }

SEND(1)
SEND(2)
SEND(3)
SEND(4)

static void send(int count, const float *dy, int width, const int32_t *rows, const float *a,
                 const float *x, int adds, float *to, float *dots) {
  if (count == 4) send4(dy, width, rows, a, x, adds, to, dots);
  if (count == 3) send3(dy, width, rows, a, x, adds, to, dots);
  if (count == 2) send2(dy, width, rows, a, x, adds, to, dots);
  if (count == 1) send1(dy, width, rows, a, x, adds, to, dots);
}

// Entries of the transposed pattern: receiving nodes, and the places of the entries in the pattern.
typedef struct {
  const int32_t *receivers, *places;
} Sent;

// What a sending node's pass reads and writes. `weights` are [K, width], or 0; `sums` and `sides`
// are room for as much: the heads' sums, and the node's row times the heads' weights.
typedef struct {
  int width, heads;
  const float *dy, *coefficients, *weights;
  float *entry_gradient, *sums, *sides;
} Senders;

// Up to four entries of one head.
INLINE void send_head(const Senders *s, Sent e, int count, int k, int adds) {
  float a[4], dots[4];
  const size_t at = (size_t)k * s->width;
  for (int r = 0; r < count; r++) a[r] = s->coefficients[(size_t)e.places[r] * s->heads + k];
  send(count, s->dy, s->width, e.receivers, a, s->sides + at, adds, s->sums + at, dots);
  for (int r = 0; r < count; r++) s->entry_gradient[(size_t)e.places[r] * s->heads + k] = dots[r];
}

// Up to four entries without head weights: the mean of the coefficients, and one product for all.
INLINE void send_mean(const Senders *s, Sent e, int count, int adds, const float *x, float *out) {
  float a[4], dots[4];
  const float scale = 1.0f / (float)s->heads;
  for (int r = 0; r < count; r++) {
    a[r] = 0;
    for (int k = 0; k < s->heads; k++) a[r] += s->coefficients[(size_t)e.places[r] * s->heads + k];
    a[r] *= scale;
  }
  send(count, s->dy, s->width, e.receivers, a, x, adds, out, dots);
  for (int r = 0; r < count; r++)
    for (int k = 0; k < s->heads; k++)
      s->entry_gradient[(size_t)e.places[r] * s->heads + k] = dots[r] * scale;
}

static void send_row(const Senders *s, Sent all, int start, int end, const float *x, float *out) {
  const size_t size = (size_t)s->heads * s->width;
  if (s->weights)
    for (int k = 0; k < s->heads; k++) {
      const size_t at = (size_t)k * s->width;
      add_product(s->width, 0, x, s->weights + at, s->sides + at);
    }
  if (start == end && s->weights) __builtin_memset(s->sums, 0, size * sizeof(float));
  if (start == end && !s->weights) __builtin_memset(out, 0, (size_t)s->width * sizeof(float));
  for (int i = start; i < end; i += 4) {
    const Sent e = {all.receivers + i, all.places + i};
    const int count = end - i < 4 ? end - i : 4;
    if (!s->weights) send_mean(s, e, count, i > start, x, out);
    for (int k = 0; s->weights && k < s->heads; k++) send_head(s, e, count, k, i > start);
  }
}

// Items are sending nodes j with their entries e of the transposed pattern, which are entries p_e
// of the pattern with receiving node i_e. Writes
//   out_j = sum_k weights_k * sum_e coefficients_(p_e)k dy_(i_e), the features' part that was sent,
//   entry_gradient_(p_e)k = (dy_(i_e) * weights_k) . x_j, the gradient of the coefficients,
// and, for a block of `block` nodes, to row k of the block's own [K, width] in weight_gradients the
// sum of x_j times head k's sum. weights carry the 1 / K of the mean; without them (0) the heads
// have one mean. scratch holds 2 K width floats.
EXPORT(attention_sent)
void attention_sent(int begin, int end, float *scratch, int width, int heads,
                    const int32_t *pointers, const int32_t *receivers, const int32_t *places,
                    const float *coefficients, const float *dy, const float *x,
                    const float *weights, float *weight_gradients, int block,
                    float *entry_gradient, float *out) {
  const size_t size = (size_t)heads * width;
  const Sent all = {receivers, places};
  const Senders s = {width,   heads,          dy,      coefficients,
                     weights, entry_gradient, scratch, scratch + size};
  float *own = weights ? weight_gradients + size * (begin / block) : 0;
  if (own) __builtin_memset(own, 0, size * sizeof(float));
  for (int j = begin; j < end; j++) {
    const float *row = x + (size_t)j * width;
    float *to = out + (size_t)j * width;
    send_row(&s, all, pointers[j], pointers[j + 1], row, to);
    for (int k = 0; weights && k < heads; k++) {
      const size_t at = (size_t)k * width;
      add_product(width, k > 0, s.sums + at, weights + at, to);
      add_product(width, 1, s.sums + at, row, own + at);
    }
  }
}

// Turns gradients of a row's coefficients into gradients of its scores, and sums them.
static void softmax_backward(Entries e, int heads, const Scores *s, int row, float *gradient,
                             float *score_gradient) {
  for (int k = 0; k < heads; k++) {
    const float *a = e.values + (size_t)e.start * heads + k;
    float mean = 0, total = 0;
    for (int i = 0; i < e.end - e.start; i++)
      mean += a[(size_t)i * heads] * gradient[(size_t)i * heads + k];
    for (int i = 0; i < e.end - e.start; i++) {
      const float sum = score_sum(s, heads, k, row, e.columns[e.start + i]);
      float *g = gradient + (size_t)i * heads + k;
      *g = a[(size_t)i * heads] * (*g - mean) * slope(s, sum);
      total += *g;
    }
    score_gradient[2 * k] = total;
  }
}

// Turns gradients of coefficients, [E, K], into those of the entries' scores, in place, and writes
// the receiving nodes' part of the scores' gradient to [N, K, 2]. Items are rows.
EXPORT(attention_softmax_backward)
void attention_softmax_backward(int begin, int end, const float *scratch, int heads,
                                const int32_t *pointers, const int32_t *columns,
                                const float *scores, float positive, float negative,
                                const float *coefficients, float *score_gradient,
                                float *entry_gradient) {
  (void)scratch;
  const Scores s = {scores, positive, negative};
  for (int i = begin; i < end; i++) {
    const Entries e = {pointers[i], pointers[i + 1], columns, coefficients};
    float *gradient = entry_gradient + (size_t)e.start * heads;
    softmax_backward(e, heads, &s, i, gradient, score_gradient + (size_t)i * 2 * heads);
  }
}

// The sending nodes' part of the scores' gradient, to [N, K, 2]: of node j and head k the sum of
// the gradients of its entries of the transposed pattern. Items are nodes.
EXPORT(attention_source_sums)
void attention_source_sums(int begin, int end, const float *scratch, int heads,
                           const int32_t *pointers, const int32_t *places,
                           const float *entry_gradient, float *score_gradient) {
  (void)scratch;
  for (int j = begin; j < end; j++)
    for (int k = 0; k < heads; k++) {
      float sum = 0;
      for (int e = pointers[j]; e < pointers[j + 1]; e++)
        sum += entry_gradient[(size_t)places[e] * heads + k];
      score_gradient[2 * ((size_t)j * heads + k) + 1] = sum;
    }
}

// out_i += sum_m factors_im vectors_m for `count` vectors.
EXPORT(add_row_combinations)
void add_row_combinations(int begin, int end, const float *scratch, int width, int count,
                          const float *factors, const float *vectors, float *out) {
  (void)scratch;
  for (int i = begin; i < end; i++)
    for (int m = 0; m < count; m++)
      add_scaled(width, factors[(size_t)i * count + m], vectors + (size_t)m * width,
                 out + (size_t)i * width);
}
