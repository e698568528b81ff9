// Log-sum-exps over the lines of a block of similarities s, whose exponents are scale * s, and the
// weights that follow from them.
#pragma once

#include "exponential.h"

// One side's lines. A block gives each its largest similarity and the sum of
// exp(scale (s - top)). From these come the `levels`: a line's soft-max is exp(scale (s - level)).
typedef struct {
  float *tops, *sums;
  const float *levels, *factors;
} Lines;

// The largest of a row; raises those of the columns when they are given.
INLINE float raise_tops(int columns, const float *x, float *column_tops) {
  f4 top = splat4(-3e38f);
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
  return highest4(top);
}

// Largest difference of two exponents up to which one exponential serves rows and columns: a term
// that is lost then lies e^-27 below the largest of its line.
#define NEAR 60.0f

// Whether all values are within NEAR of the highest, which goes to `highest`.
INLINE int are_near(int rows, const float *a, int columns, const float *b, float scale,
                    float *highest) {
  float low = a[0], high = a[0];
  for (int i = 0; i < rows; i++) low = min1(low, a[i]), high = max1(high, a[i]);
  for (int j = 0; j < columns; j++) low = min1(low, b[j]), high = max1(high, b[j]);
  *highest = high;
  return (high - low) * scale <= NEAR;
}

// Sum of exp(scale (x - top)) over a row, added to the sums of the columns as well when given.
INLINE float add_shared(int columns, const float *x, float scale, float top, float *column_sums) {
  const f4 by = splat4(scale), from = splat4(top);
  f4 sum = splat4(0.0f);
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const f4 e = exp4((load4(x + j) - from) * by);
    sum += e;
    if (column_sums) store4(column_sums + j, load4(column_sums + j) + e);
  }
  if (j == columns) return sum4(sum);
  const int rest = columns - j;
  const f4 e = exp4((load_part(x + j, rest, -__builtin_inff()) - from) * by);
  if (column_sums) store_part(column_sums + j, rest, load_part(column_sums + j, rest, 0) + e);
  return sum4(sum + e);
}

// Adds exp(scale (x - top)) of a row to the sums of the columns, each by its own top.
INLINE void add_to_columns(int columns, const float *x, float scale, const Lines *column) {
  for (int j = 0; j < columns; j += 4) {
    const int rest = columns - j < 4 ? columns - j : 4;
    const f4 top = load_part(column->tops + j, rest, 0), v = load_part(x + j, rest, 0);
    const f4 sum = load_part(column->sums + j, rest, 0);
    store_part(column->sums + j, rest, sum + exp4((v - top) * splat4(scale)));
  }
}

static void sum_near(int rows, int columns, const float *x, float scale, float highest,
                     const Lines *row, const Lines *column) {
  for (int i = 0; i < rows; i++) {
    const float sum = add_shared(columns, x + (size_t)i * columns, scale, highest, column->sums);
    row->sums[i] = sum * exp1((highest - row->tops[i]) * scale);
  }
  for (int j = 0; j < columns; j++)
    column->sums[j] *= exp1((highest - column->tops[j]) * scale);
}

// Tops and sums of a block's rows, and of its columns unless `column` is null.
static void line_sums(int rows, int columns, const float *x, float scale, const Lines *row,
                      const Lines *column) {
  for (int j = 0; column && j < columns; j++) column->tops[j] = -3e38f, column->sums[j] = 0;
  for (int i = 0; i < rows; i++)
    row->tops[i] = raise_tops(columns, x + (size_t)i * columns, column ? column->tops : 0);
  float highest;
  if (column && are_near(rows, row->tops, columns, column->tops, scale, &highest)) {
    sum_near(rows, columns, x, scale, highest, row, column);
    return;
  }
  for (int i = 0; i < rows; i++, x += columns) {
    row->sums[i] = add_shared(columns, x, scale, row->tops[i], 0);
    if (column) add_to_columns(columns, x, scale, column);
  }
}

// x becomes exp(scale (x - top)) * (own + others); others are 0 when null.
INLINE void weigh_row(int columns, float *x, float scale, float top, float own,
                      const float *others) {
  const f4 by = splat4(scale), from = splat4(top), factor = splat4(own);
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const f4 e = exp4((load4(x + j) - from) * by);
    store4(x + j, e * (others ? factor + load4(others + j) : factor));
  }
  const int rest = columns - j;
  const f4 e = exp4((load_part(x + j, rest, 0) - from) * by);
  store_part(x + j, rest, e * (others ? factor + load_part(others + j, rest, 0) : factor));
}

static void weigh_far(int rows, int columns, float *x, float scale, const Lines *row,
                      const Lines *column) {
  const f4 by = splat4(scale);
  for (int i = 0; i < rows; i++, x += columns)
    for (int j = 0; j < columns; j += 4) {
      const int rest = columns - j < 4 ? columns - j : 4;
      const f4 v = load_part(x + j, rest, 0), level = load_part(column->levels + j, rest, 0);
      const f4 own = splat4(row->factors[i]) * exp4((v - splat4(row->levels[i])) * by);
      const f4 other = load_part(column->factors + j, rest, 0) * exp4((v - level) * by);
      store_part(x + j, rest, own + other);
    }
}

// Replaces similarities by their weights, factor * exp(scale (s - level)) of the row, and that of
// the column added unless `column` is null. `spare` holds `columns` floats.
static void line_weights(int rows, int columns, float *x, float scale, const Lines *row,
                         const Lines *column, float *spare) {
  float highest;
  if (!column) {
    for (int i = 0; i < rows; i++, x += columns)
      weigh_row(columns, x, scale, row->levels[i], row->factors[i], 0);
    return;
  }
  if (!are_near(rows, row->levels, columns, column->levels, scale, &highest)) {
    weigh_far(rows, columns, x, scale, row, column);
    return;
  }
  for (int j = 0; j < columns; j++)
    spare[j] = column->factors[j] * exp1((highest - column->levels[j]) * scale);
  for (int i = 0; i < rows; i++, x += columns) {
    const float own = row->factors[i] * exp1((highest - row->levels[i]) * scale);
    weigh_row(columns, x, scale, highest, own, spare);
  }
}
