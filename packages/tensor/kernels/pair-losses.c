// Steps of the losses over similarity blocks: products, exponents, log-sum-exps and weights.
#include "exponential.h"
#include "matmul.h"

// One product of blocks inside larger matrices; arguments as `lab_gemm`.
EXPORT(block_gemm)
void block_gemm(int m, int n, int k, const float *a, int lda, int trans_a, const float *b, int ldb,
                int trans_b, float *c, int ldc, int accumulate, float *scratch) {
  lab_gemm(m, n, k, a, lda, trans_a, b, ldb, trans_b, c, ldc, accumulate, scratch);
}

// block = scale * (block - offset).
EXPORT(similarity_exponents)
void similarity_exponents(int count, float *block, float scale, float offset) {
  int i = 0;
  for (; i + 4 <= count; i += 4)
    store4(block + i, (load4(block + i) - splat4(offset)) * splat4(scale));
  for (; i < count; i++) block[i] = (block[i] - offset) * scale;
}

// The last `count` < 4 values of a line, filled up.
INLINE f4 load_part(const float *p, int count, float fill) {
  f4 v = splat4(fill);
  for (int i = 0; i < count; i++) v[i] = p[i];
  return v;
}

INLINE void store_part(float *p, int count, f4 v) {
  for (int i = 0; i < count; i++) p[i] = v[i];
}

INLINE float exp1(float x) { return exp4(splat4(x))[0]; }

// Raises the maxima of a row and, when `column_tops` is given, of the columns; returns the row's.
INLINE float raise_tops(int columns, const float *x, float row_top, float *column_tops) {
  f4 top = splat4(row_top);
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const f4 v = load4(x + j);
    top = max4(top, v);
    if (column_tops) store4(column_tops + j, max4(load4(column_tops + j), v));
  }
  for (; j < columns; j++) {
    top[0] = max1(top[0], x[j]);
    if (column_tops) column_tops[j] = max1(column_tops[j], x[j]);
  }
  return max1(max1(top[0], top[1]), max1(top[2], top[3]));
}

// Sum of exp(x - top) over a row, and the same into the sums of the columns.
INLINE float add_exponentials(int columns, const float *x, float row_top, const float *column_tops,
                              float *column_sums) {
  f4 sum = splat4(0.0f);
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const f4 v = load4(x + j);
    sum += exp4(v - splat4(row_top));
    if (column_sums)
      store4(column_sums + j, load4(column_sums + j) + exp4(v - load4(column_tops + j)));
  }
  if (j == columns) return sum4(sum);
  const int rest = columns - j;
  const f4 v = load_part(x + j, rest, -__builtin_inff());
  sum += exp4(v - splat4(row_top));
  if (column_sums) {
    const f4 e = exp4(v - load_part(column_tops + j, rest, 0));
    store_part(column_sums + j, rest, load_part(column_sums + j, rest, 0) + e);
  }
  return sum4(sum);
}

// Takes a block of exponents into running log-sum-exps, each kept as (top, sum of exp(x - top)).
// Without `column_tops` the columns are left out. `spare` holds `columns` floats.
EXPORT(exponent_sums)
void exponent_sums(int rows, int columns, const float *block, float *row_tops, float *row_sums,
                   float *column_tops, float *column_sums, float *spare) {
  if (column_tops) __builtin_memcpy(spare, column_tops, (size_t)columns * sizeof(float));
  for (int i = 0; i < rows; i++) {
    const float old = row_tops[i];
    row_tops[i] = raise_tops(columns, block + (size_t)i * columns, old, column_tops);
    row_sums[i] *= exp1(old - row_tops[i]);
  }
  if (column_tops)
    for (int j = 0; j < columns; j++) column_sums[j] *= exp1(spare[j] - column_tops[j]);
  for (int i = 0; i < rows; i++)
    row_sums[i] += add_exponentials(columns, block + (size_t)i * columns, row_tops[i], column_tops,
                                    column_tops ? column_sums : 0);
}

INLINE f4 weight4(f4 x, f4 row_log, f4 row_factor, f4 column_log, f4 column_factor) {
  return row_factor * exp4(x - row_log) + column_factor * exp4(x - column_log);
}

INLINE void weigh_both(int columns, float *x, f4 row_log, f4 row_factor, const float *logs,
                       const float *factors) {
  int j = 0;
  for (; j + 4 <= columns; j += 4)
    store4(x + j, weight4(load4(x + j), row_log, row_factor, load4(logs + j), load4(factors + j)));
  const int rest = columns - j;
  const f4 v = load_part(x + j, rest, 0), log = load_part(logs + j, rest, 0);
  const f4 factor = load_part(factors + j, rest, 0);
  store_part(x + j, rest, weight4(v, row_log, row_factor, log, factor));
}

INLINE void weigh_row(int columns, float *x, f4 row_log, f4 row_factor) {
  int j = 0;
  for (; j + 4 <= columns; j += 4) store4(x + j, row_factor * exp4(load4(x + j) - row_log));
  const int rest = columns - j;
  store_part(x + j, rest, row_factor * exp4(load_part(x + j, rest, 0) - row_log));
}

// Replaces exponents x by row_factor * exp(x - row_log) + column_factor * exp(x - column_log);
// without `column_logs` only the first term.
EXPORT(exponent_weights)
void exponent_weights(int rows, int columns, float *block, const float *row_logs,
                      const float *row_factors, const float *column_logs,
                      const float *column_factors) {
  for (int i = 0; i < rows; i++) {
    float *x = block + (size_t)i * columns;
    const f4 log = splat4(row_logs[i]), factor = splat4(row_factors[i]);
    if (column_logs) weigh_both(columns, x, log, factor, column_logs, column_factors);
    else weigh_row(columns, x, log, factor);
  }
}
