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

// out_i = sum_k weights_k * sum over the entries e of row i of coefficients_ek x_(columns_e).
// Without weights there is one head. scratch holds K * width floats.
EXPORT(attention_collect)
void attention_collect(int begin, int end, float *scratch, int width, int heads,
                       const int32_t *pointers, const int32_t *columns, const float *coefficients,
                       const float *x, const float *weights, float *out) {
  for (int i = begin; i < end; i++) {
    const Entries e = {pointers[i], pointers[i + 1], columns, coefficients};
    float *to = out + (size_t)i * width;
    collect_rows(e, x, width, heads, weights ? scratch : to);
    for (int k = 0; weights && k < heads; k++) {
      const size_t at = (size_t)k * width;
      add_product(width, k > 0, scratch + at, weights + at, to);
    }
  }
}
