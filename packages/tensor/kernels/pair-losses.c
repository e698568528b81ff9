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

// Sum of exp(x - top) over a row, and into the sums of the columns by their own tops.
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

// Largest difference of two tops up to which one exponential serves rows and columns: a term that
// is lost then lies e^-27 below the largest of its line.
#define NEAR 60.0f

// Whether all values are within NEAR of the highest, which goes to `highest`.
INLINE int are_near(int rows, const float *a, int columns, const float *b, float *highest) {
  float low = a[0], high = a[0];
  for (int i = 0; i < rows; i++) low = min1(low, a[i]), high = max1(high, a[i]);
  for (int j = 0; j < columns; j++) low = min1(low, b[j]), high = max1(high, b[j]);
  *highest = high;
  return high - low <= NEAR;
}

// Sum of exp(x - top) over a row, added to the sums of the columns as well.
INLINE float add_shared(int columns, const float *x, float top, float *column_sums) {
  f4 sum = splat4(0.0f);
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const f4 e = exp4(load4(x + j) - splat4(top));
    sum += e;
    store4(column_sums + j, load4(column_sums + j) + e);
  }
  if (j == columns) return sum4(sum);
  const int rest = columns - j;
  const f4 e = exp4(load_part(x + j, rest, -__builtin_inff()) - splat4(top));
  store_part(column_sums + j, rest, load_part(column_sums + j, rest, 0) + e);
  return sum4(sum + e);
}

static void sum_near(int rows, int columns, const float *block, float highest,
                     const float *row_tops, float *row_sums, const float *column_tops,
                     float *column_sums, float *spare) {
  __builtin_memset(spare, 0, (size_t)columns * sizeof(float));
  for (int i = 0; i < rows; i++) {
    const float sum = add_shared(columns, block + (size_t)i * columns, highest, spare);
    row_sums[i] += sum * exp1(highest - row_tops[i]);
  }
  for (int j = 0; j < columns; j++) column_sums[j] += spare[j] * exp1(highest - column_tops[j]);
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
  float highest;
  if (column_tops) {
    for (int j = 0; j < columns; j++) column_sums[j] *= exp1(spare[j] - column_tops[j]);
    if (are_near(rows, row_tops, columns, column_tops, &highest)) {
      sum_near(rows, columns, block, highest, row_tops, row_sums, column_tops, column_sums, spare);
      return;
    }
  }
  for (int i = 0; i < rows; i++)
    row_sums[i] += add_exponentials(columns, block + (size_t)i * columns, row_tops[i], column_tops,
                                    column_tops ? column_sums : 0);
}

// Exponents x become row_factor * exp(x - row_log) + column_factor * exp(x - column_log).
static void weigh_far(int rows, int columns, float *block, const float *row_logs,
                      const float *row_factors, const float *column_logs,
                      const float *column_factors) {
  for (int i = 0; i < rows; i++) {
    float *x = block + (size_t)i * columns;
    for (int j = 0; j < columns; j += 4) {
      const int rest = columns - j < 4 ? columns - j : 4;
      const f4 v = load_part(x + j, rest, 0), log = load_part(column_logs + j, rest, 0);
      const f4 own = splat4(row_factors[i]) * exp4(v - splat4(row_logs[i]));
      store_part(x + j, rest, own + load_part(column_factors + j, rest, 0) * exp4(v - log));
    }
  }
}

// The same as exp(x - highest) * (own + others): one exponential an entry.
INLINE void weigh_row(int columns, float *x, float highest, float own, const float *others) {
  const f4 top = splat4(highest), factor = splat4(own);
  int j = 0;
  for (; j + 4 <= columns; j += 4)
    store4(x + j, exp4(load4(x + j) - top) * (factor + load4(others + j)));
  const int rest = columns - j;
  const f4 e = exp4(load_part(x + j, rest, 0) - top);
  store_part(x + j, rest, e * (factor + load_part(others + j, rest, 0)));
}

// Replaces exponents x by row_factor * exp(x - row_log) + column_factor * exp(x - column_log).
// `spare` holds `columns` floats.
EXPORT(exponent_weights)
void exponent_weights(int rows, int columns, float *block, const float *row_logs,
                      const float *row_factors, const float *column_logs,
                      const float *column_factors, float *spare) {
  float highest;
  if (!are_near(rows, row_logs, columns, column_logs, &highest)) {
    weigh_far(rows, columns, block, row_logs, row_factors, column_logs, column_factors);
    return;
  }
  for (int j = 0; j < columns; j++)
    spare[j] = column_factors[j] * exp1(highest - column_logs[j]);
  for (int i = 0; i < rows; i++) {
    const float own = row_factors[i] * exp1(highest - row_logs[i]);
    weigh_row(columns, block + (size_t)i * columns, highest, own, spare);
  }
}

// exp(x - top) in place; returns the sum.
INLINE float exponentials(int columns, float *x, float top) {
  f4 sum = splat4(0.0f);
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const f4 e = exp4(load4(x + j) - splat4(top));
    sum += e;
    store4(x + j, e);
  }
  if (j == columns) return sum4(sum);
  const int rest = columns - j;
  const f4 e = exp4(load_part(x + j, rest, -__builtin_inff()) - splat4(top));
  store_part(x + j, rest, e);
  return sum4(sum + e);
}

// Replaces whole rows of exponents by factor * softmax and leaves their log-sum-exps as
// (top, sum of exp(x - top)).
EXPORT(softmax_weights)
void softmax_weights(int rows, int columns, float *block, const float *factors, float *tops,
                     float *sums) {
  for (int i = 0; i < rows; i++) {
    float *x = block + (size_t)i * columns;
    tops[i] = raise_tops(columns, x, -3e38f, 0);
    sums[i] = exponentials(columns, x, tops[i]);
    const float scale = factors[i] / sums[i];
    int j = 0;
    for (; j + 4 <= columns; j += 4) store4(x + j, load4(x + j) * splat4(scale));
    for (; j < columns; j++) x[j] *= scale;
  }
}
