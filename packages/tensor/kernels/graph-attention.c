// Attention over neighbours, all heads in one pass, without a tensor per entry and column.
#include "csr.h"
#include "exponential.h"

#define MAX_HEADS 8

typedef struct {
  const float *target, *source;
  float positive, negative;
} Scores;

INLINE float slope(const Scores *s, float sum) { return sum > 0 ? s->positive : s->negative; }

// Scores of a row's entries minus the row's largest, head by head.
static void shifted_scores(Entries e, int heads, const Scores *s, const float *target,
                           float *out) {
  for (int k = 0; k < heads; k++) {
    float largest = -__builtin_inff();
    for (int i = e.start; i < e.end; i++) {
      const float sum = target[k] + s->source[(size_t)e.columns[i] * heads + k];
      const float score = slope(s, sum) * sum;
      out[(size_t)(i - e.start) * heads + k] = score;
      largest = max1(largest, score);
    }
    for (int i = 0; i < e.end - e.start; i++) out[(size_t)i * heads + k] -= largest;
  }
}

static void exponentials(int count, float *x) {
  int i = 0;
  for (; i + 4 <= count; i += 4) store4(x + i, exp4(load4(x + i)));
  for (; i < count; i++) x[i] = exp1(x[i]);
}

static void divide_by_sums(int entries, int heads, float *x) {
  for (int k = 0; k < heads; k++) {
    float sum = 0;
    for (int i = 0; i < entries; i++) sum += x[(size_t)i * heads + k];
    const float scale = 1 / sum;
    for (int i = 0; i < entries; i++) x[(size_t)i * heads + k] *= scale;
  }
}

// out[e, k]: softmax over the entries of each row of f(target_ik + source_jk).
EXPORT(attention_coefficients)
void attention_coefficients(int begin, int end, const float *scratch, int heads,
                            const int32_t *pointers, const int32_t *columns, const float *target,
                            const float *source, float positive, float negative, float *out) {
  (void)scratch;
  const Scores s = {target, source, positive, negative};
  for (int i = begin; i < end; i++) {
    const Entries e = {pointers[i], pointers[i + 1], columns, 0};
    const int entries = e.end - e.start;
    float *row = out + (size_t)e.start * heads;
    shifted_scores(e, heads, &s, target + (size_t)i * heads, row);
    exponentials(entries * heads, row);
    divide_by_sums(entries, heads, row);
  }
}

// out[e] = mean over the heads of x[e, k].
EXPORT(attention_head_mean)
void attention_head_mean(int begin, int end, const float *scratch, int heads, const float *x,
                         float *out) {
  (void)scratch;
  const float scale = 1.0f / (float)heads;
  x += (size_t)begin * heads;
  for (int e = begin; e < end; e++, x += heads) {
    float sum = 0;
    for (int k = 0; k < heads; k++) sum += x[k];
    out[e] = sum * scale;
  }
}

// What a row's sums need besides its entries. `weights` and `weight_gradient` are [K, width];
// the latter is 0 in the forward pass, else sums `sent` times the unweighted sums.
typedef struct {
  int width, heads;
  const float *x, *weights, *sent;
  float *weight_gradient;
} Collect;

// Sums of two heads over a row's entries for 4 * V columns from d, times the heads' weights,
// added to `total`.
#define PAIR_TILE(NAME, V, PAIRS)                                                                  \
  INLINE void NAME(const Collect *c, Entries e, int k, int d, const float *sent, f4 *total) {      \
    f4 first[V] = {0}, second[V] = {0};                                                            \
    for (int i = e.start; i < e.end; i++) {                                                        \
      const float *row = c->x + (size_t)e.columns[i] * c->width + d;                               \
      const float *a = e.values + (size_t)i * c->heads + k;                                        \
      const f4 a0 = splat4(a[0]), a1 = PAIRS ? splat4(a[1]) : a0;                                  \
      for (int q = 0; q < V; q++) {                                                                \
        const f4 v = load4(row + 4 * q);                                                           \
        first[q] = madd4(a0, v, first[q]);                                                         \
        if (PAIRS) second[q] = madd4(a1, v, second[q]);                                            \
        __asm__ volatile("" ::: "memory");                                                         \
      }                                                                                            \
    }                                                                                              \
    finish_head(c, k, d, sent, first, total, V);                                                   \
    if (PAIRS) finish_head(c, k + 1, d, sent, second, total, V);                                   \
  }

INLINE void finish_head(const Collect *c, int k, int d, const float *sent, const f4 *sum,
                        f4 *total, int vectors) {
  const size_t at = (size_t)k * c->width + d;
  for (int q = 0; q < vectors; q++) {
    total[q] = madd4(sum[q], load4(c->weights + at + 4 * q), total[q]);
    if (!c->weight_gradient) continue;
    float *to = c->weight_gradient + at + 4 * q;
    store4(to, madd4(sum[q], load4(sent + d + 4 * q), load4(to)));
  }
}

PAIR_TILE(pair_tile4, 4, 1)
PAIR_TILE(pair_tile1, 1, 1)
PAIR_TILE(single_tile4, 4, 0)
PAIR_TILE(single_tile1, 1, 0)

INLINE void collect_tile4(const Collect *c, Entries e, int d, const float *sent, float *out) {
  f4 total[4] = {0};
  int k = 0;
  for (; k + 2 <= c->heads; k += 2) pair_tile4(c, e, k, d, sent, total);
  if (k < c->heads) single_tile4(c, e, k, d, sent, total);
  for (int q = 0; q < 4; q++) store4(out + d + 4 * q, total[q]);
}

INLINE void collect_tile1(const Collect *c, Entries e, int d, const float *sent, float *out) {
  f4 total = {0};
  int k = 0;
  for (; k + 2 <= c->heads; k += 2) pair_tile1(c, e, k, d, sent, &total);
  if (k < c->heads) single_tile1(c, e, k, d, sent, &total);
  store4(out + d, total);
}

INLINE void collect_scalar(const Collect *c, Entries e, int d, const float *sent, float *out) {
  float total = 0;
  for (int k = 0; k < c->heads; k++) {
    const size_t at = (size_t)k * c->width + d;
    float sum = 0;
    for (int i = e.start; i < e.end; i++)
      sum += e.values[(size_t)i * c->heads + k] * c->x[(size_t)e.columns[i] * c->width + d];
    total += sum * c->weights[at];
    if (c->weight_gradient) c->weight_gradient[at] += sum * sent[d];
  }
  out[d] = total;
}

NOINLINE static void collect_row(const Collect *c, Entries e, const float *sent, float *out) {
  int d = 0;
  for (; d + 16 <= c->width; d += 16) collect_tile4(c, e, d, sent, out);
  for (; d + 4 <= c->width; d += 4) collect_tile1(c, e, d, sent, out);
  for (; d < c->width; d++) collect_scalar(c, e, d, sent, out);
}

// out_i = sum_k weights_k * sum over the entries e of row i of coefficients_ek x_(columns_e);
// weights carry the 1 / K of the mean. With weight_gradients, also writes
// sum_i sent_i * (the sum of head k without its weight) of the rows of one block to row k of the
// block's own [K, width] there; blocks have `block` rows.
EXPORT(attention_collect)
void attention_collect(int begin, int end, const float *scratch, int width, int heads,
                       const int32_t *pointers, const int32_t *columns, const float *coefficients,
                       const float *x, const float *weights, float *out, const float *sent,
                       float *weight_gradients, int block) {
  (void)scratch;
  const size_t size = (size_t)heads * width;
  float *own = weight_gradients ? weight_gradients + size * (begin / block) : 0;
  const Collect c = {width, heads, x, weights, sent, own};
  if (own) __builtin_memset(own, 0, size * sizeof(float));
  for (int i = begin; i < end; i++) {
    const size_t at = (size_t)i * width;
    const Entries e = {pointers[i], pointers[i + 1], columns, coefficients};
    collect_row(&c, e, sent + at, out + at);
  }
}

// Products of x with two rows of g.
INLINE void dot_pair(const float *x, const float *g0, const float *g1, int width, float *out) {
  f4 a0 = {0}, a1 = {0}, b0 = {0}, b1 = {0};
  int d = 0;
  for (; d + 8 <= width; d += 8) {
    const f4 x0 = load4(x + d), x1 = load4(x + d + 4);
    a0 = madd4(x0, load4(g0 + d), a0);
    b0 = madd4(x0, load4(g1 + d), b0);
    a1 = madd4(x1, load4(g0 + d + 4), a1);
    b1 = madd4(x1, load4(g1 + d + 4), b1);
  }
  for (; d + 4 <= width; d += 4) {
    const f4 x0 = load4(x + d);
    a0 = madd4(x0, load4(g0 + d), a0);
    b0 = madd4(x0, load4(g1 + d), b0);
  }
  float first = sum4(a0 + a1), second = sum4(b0 + b1);
  for (; d < width; d++) {
    first += x[d] * g0[d];
    second += x[d] * g1[d];
  }
  out[0] = first;
  out[1] = second;
}

// out[e, k] = g_k . x_(columns_e) for a row's entries, four of them at a time: their rows are far
// apart in memory, and so are fetched together.
NOINLINE static void entry_dots(Entries e, int width, int heads, const float *g, const float *x,
                                float *out) {
  for (int k = 0; k < heads; k++, g += width) {
    const float *h = k + 1 < heads ? g + width : 0;
    int i = e.start;
    float *to = out + k;
    for (; i + 4 <= e.end; i += 4, to += 4 * (size_t)heads) {
      const Rows rows = rows_of(x, e.columns + i, width);
      if (h) dots_4x2(&rows, g, h, width, to, heads);
      else dots_4x1(&rows, g, width, to, heads);
    }
    for (; i < e.end; i++, to += heads) {
      const float *row = x + (size_t)e.columns[i] * width;
      if (h) dot_pair(row, g, h, width, to);
      else *to = dot(row, g, width);
    }
    if (h) k++, g += width;
  }
}

// Without head weights all heads share one product.
NOINLINE static void shared_dots(Entries e, int width, int heads, const float *dy, const float *x,
                                 float *out) {
  const float scale = 1.0f / (float)heads;
  entry_dots(e, width, 1, dy, x, out);
  for (int i = e.end - e.start - 1; i >= 0; i--) {
    const float value = out[i] * scale;
    for (int k = 0; k < heads; k++) out[(size_t)i * heads + k] = value;
  }
}

// Turns gradients of a row's coefficients into gradients of its scores, and sums them.
static void softmax_backward(Entries e, int heads, const Scores *s, const float *target,
                             float *gradient, float *target_gradient) {
  for (int k = 0; k < heads; k++) {
    const float *a = e.values + (size_t)e.start * heads + k;
    float mean = 0, total = 0;
    for (int i = 0; i < e.end - e.start; i++)
      mean += a[(size_t)i * heads] * gradient[(size_t)i * heads + k];
    for (int i = 0; i < e.end - e.start; i++) {
      const float sum = target[k] + s->source[(size_t)e.columns[e.start + i] * heads + k];
      float *g = gradient + (size_t)i * heads + k;
      *g = a[(size_t)i * heads] * (*g - mean) * slope(s, sum);
      total += *g;
    }
    target_gradient[k] = total;
  }
}

// What the backward pass over rows reads.
typedef struct {
  int width, heads;
  const float *weights, *x;
  float *g;
} Backward;

static void row_dots(const Backward *b, Entries e, const float *dy, float *out) {
  if (!b->weights) {
    shared_dots(e, b->width, b->heads, dy, b->x, out);
    return;
  }
  for (int k = 0; k < b->heads; k++)
    for (int d = 0; d < b->width; d++)
      b->g[k * b->width + d] = dy[d] * b->weights[k * b->width + d];
  entry_dots(e, b->width, b->heads, b->g, b->x, out);
}

// Gradients of the scores: `entry_gradient` [E, K] and, summed over rows, `target_gradient`.
// weights carry the 1 / K of the mean, or are 0; scratch holds K * width floats.
EXPORT(attention_scores_backward)
void attention_scores_backward(int begin, int end, float *scratch, int width, int heads,
                               const int32_t *pointers, const int32_t *columns,
                               const float *target, const float *source, float positive,
                               float negative, const float *coefficients, const float *weights,
                               const float *x, const float *dy, float *target_gradient,
                               float *entry_gradient) {
  const Scores s = {target, source, positive, negative};
  const Backward b = {width, heads, weights, x, scratch};
  for (int i = begin; i < end; i++) {
    const Entries e = {pointers[i], pointers[i + 1], columns, coefficients};
    const size_t at = (size_t)i * heads;
    float *gradient = entry_gradient + (size_t)e.start * heads;
    row_dots(&b, e, dy + (size_t)i * width, gradient);
    softmax_backward(e, heads, &s, target + at, gradient, target_gradient + at);
  }
}
