// Attention over neighbours, all heads in one pass, without a tensor per entry and column.
#include "attention-scores.h"
#include "exponential.h"

// Scores of a row's entries minus the row's largest, head by head.
static void shifted_scores(Entries e, int heads, const Scores *s, int row, float *out) {
  for (int k = 0; k < heads; k++) {
    float largest = -__builtin_inff();
    for (int i = e.start; i < e.end; i++) {
      const float sum = score_sum(s, heads, k, row, e.columns[i]);
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
                            const int32_t *pointers, const int32_t *columns, const float *scores,
                            float positive, float negative, float *out) {
  (void)scratch;
  const Scores s = {scores, positive, negative};
  for (int i = begin; i < end; i++) {
    const Entries e = {pointers[i], pointers[i + 1], columns, 0};
    const int entries = e.end - e.start;
    float *row = out + (size_t)e.start * heads;
    shifted_scores(e, heads, &s, i, row);
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

// What a row's sums need besides its entries. `weights` are [K, width], `sums` is room for as much.
typedef struct {
  int width, heads;
  const float *x, *weights;
  float *sums;
} Collect;

// Two rows of `to` (+)= sums of COUNT entries' rows by the coefficients of two heads.
#define ADD_PAIR(COUNT)                                                                            \
  NOINLINE static void add_pair##COUNT(const Collect *c, const int32_t *columns,                   \
                                       const float *values, int adds, float *to) {                 \
    const int width = c->width;                                                                    \
    const float *row[COUNT];                                                                       \
    f4 first[COUNT], second[COUNT];                                                                \
    for (int r = 0; r < COUNT; r++, values += c->heads) {                                          \
      row[r] = c->x + (size_t)columns[r] * width;                                                  \
      first[r] = splat4(values[0]);                                                                \
      second[r] = splat4(values[1]);                                                               \
    }                                                                                              \
    int d = 0;                                                                                     \
    for (; d + 4 <= width; d += 4) {                                                               \
      f4 a = adds ? load4(to + d) : splat4(0), b = adds ? load4(to + width + d) : splat4(0);       \
      for (int r = 0; r < COUNT; r++) {                                                            \
        const f4 x = load4(row[r] + d);                                                            \
        a = madd4(first[r], x, a);                                                                 \
        b = madd4(second[r], x, b);                                                                \
      }                                                                                            \
      store4(to + d, a);                                                                           \
      store4(to + width + d, b);                                                                   \
    }                                                                                              \
    for (; d < width; d++) {                                                                       \
      f4 a = splat4(adds ? to[d] : 0), b = splat4(adds ? to[width + d] : 0);                       \
      for (int r = 0; r < COUNT; r++) {                                                            \
        a = madd4(first[r], splat4(row[r][d]), a);                                                 \
        b = madd4(second[r], splat4(row[r][d]), b);                                                \
      }                                                                                            \
      to[d] = a[0];                                                                                \
      to[width + d] = b[0];                                                                        \
    }                                                                                              \
  }

ADD_PAIR(1)
ADD_PAIR(2)
ADD_PAIR(3)
ADD_PAIR(4)

// As collect_rows, for heads k and k + 1.
static void collect_pair(const Collect *c, Entries e, int k) {
  float *to = c->sums + (size_t)k * c->width;
  int i = e.start;
  if (i == e.end) __builtin_memset(to, 0, 2 * (size_t)c->width * sizeof(float));
#define ADD(COUNT)                                                                                 \
  add_pair##COUNT(c, e.columns + i, e.values + (size_t)i * c->heads + k, i > e.start, to)
  for (; i + 4 <= e.end; i += 4) ADD(4);
  if (e.end - i == 3) ADD(3);
  if (e.end - i == 2) ADD(2);
  if (e.end - i == 1) ADD(1);
#undef ADD
}

// The sums of all heads over a row's entries, to `sums`.
static void collect_heads(const Collect *c, Entries e) {
  int k = 0;
  for (; k + 2 <= c->heads; k += 2) collect_pair(c, e, k);
  if (k == c->heads) return;
  const Entries last = {e.start, e.end, e.columns, e.values + k};
  collect_rows(last, c->x, c->width, c->heads, c->sums + (size_t)k * c->width);
}

// out = sum of the heads' sums times their weights.
NOINLINE static void weigh_heads(const Collect *c, float *out) {
  for (int k = 0; k < c->heads; k++) {
    const size_t at = (size_t)k * c->width;
    add_product(c->width, k > 0, c->sums + at, c->weights + at, out);
  }
}

// out_i = sum_k weights_k * sum over the entries e of row i of coefficients_ek x_(columns_e). Without
// weights there is one head. scratch holds K * width floats.
EXPORT(attention_collect)
void attention_collect(int begin, int end, float *scratch, int width, int heads,
                       const int32_t *pointers, const int32_t *columns, const float *coefficients,
                       const float *x, const float *weights, float *out) {
  const Collect c = {width, heads, x, weights, scratch};
  for (int i = begin; i < end; i++) {
    const Entries e = {pointers[i], pointers[i + 1], columns, coefficients};
    float *to = out + (size_t)i * width;
    if (weights) {
      collect_heads(&c, e);
      weigh_heads(&c, to);
    } else collect_rows(e, x, width, 1, to);
  }
}
