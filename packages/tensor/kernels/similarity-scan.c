// Scans of similarity blocks: the best values of rows and columns, and counts against thresholds.
#include "matmul.h"

// One product of blocks inside larger matrices; arguments as `lab_gemm`.
EXPORT(block_gemm)
void block_gemm(int m, int n, int k, const float *a, int lda, int trans_a, const float *b, int ldb,
                int trans_b, float *c, int ldc, int accumulate, float *scratch) {
  lab_gemm(m, n, k, a, lda, trans_a, b, ldb, trans_b, c, ldc, accumulate, scratch);
}

typedef int8_t bytes16 __attribute__((vector_size(16)));

// A line's k best values so far, `stride` apart, best first, with their positions.
typedef struct {
  float *values;
  int32_t *indices;
  int k;
  int stride;
} Line;

static void insert(Line line, float value, int32_t index) {
  int at = line.k - 1;
  if (!(value > line.values[(size_t)at * line.stride])) return;
  for (; at > 0 && value > line.values[(size_t)(at - 1) * line.stride]; at--) {
    line.values[(size_t)at * line.stride] = line.values[(size_t)(at - 1) * line.stride];
    line.indices[(size_t)at * line.stride] = line.indices[(size_t)(at - 1) * line.stride];
  }
  line.values[(size_t)at * line.stride] = value;
  line.indices[(size_t)at * line.stride] = index;
}

INLINE int any4(i4 mask) { return __builtin_wasm_any_true_v128((bytes16)mask); }

// Rows of the block's scan; `column_total` strides the levels of the columns' tables.
typedef struct {
  int column_start, column_k, column_total;
  float *column_values;
  int32_t *column_indices;
  const float *shifts;
} Columns;

INLINE void insert_at(const Columns *c, Line row, int row_index, int j, float value) {
  if (row.k > 0) insert(row, value, c->column_start + j);
  if (c->column_k > 0)
    insert((Line){c->column_values + j, c->column_indices + j, c->column_k, c->column_total},
           value, row_index);
}

static void scan_row(int columns, const float *x, Line row, int row_index, const Columns *c) {
  const float none = __builtin_inff();
  const float *limits = c->column_values + (size_t)(c->column_k - 1) * c->column_total;
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const f4 v = c->shifts ? load4(x + j) - load4(c->shifts + j) : load4(x + j);
    i4 hit = v > splat4(row.k > 0 ? row.values[row.k - 1] : none);
    if (c->column_k > 0) hit |= v > load4(limits + j);
    if (!any4(hit)) continue;
    for (int lane = 0; lane < 4; lane++) insert_at(c, row, row_index, j + lane, v[lane]);
  }
  for (; j < columns; j++)
    insert_at(c, row, row_index, j, c->shifts ? x[j] - c->shifts[j] : x[j]);
}

// Takes a block into the tables of best values. Row tables are [row, k], column tables
// [k, column_total]; all pointers are to the block's first row or column; k = 0 leaves a side out.
EXPORT(scan_best)
void scan_best(int rows, int columns, const float *block, const float *shifts, int row_start,
               int row_k, float *row_values, int32_t *row_indices, int column_start, int column_k,
               int column_total, float *column_values, int32_t *column_indices) {
  const Columns c = {column_start, column_k, column_total, column_values, column_indices, shifts};
  for (int i = 0; i < rows; i++) {
    const Line row = {row_values + (size_t)i * row_k, row_indices + (size_t)i * row_k, row_k, 1};
    scan_row(columns, block + (size_t)i * columns, row, row_start + i, &c);
  }
}

// Thresholds and counts of one side of a block: `shifts` belong to the other side's lines,
// `limits`, `above` and `equal` to its own.
typedef struct {
  const float *shifts, *limits;
  int32_t *above, *equal;
} Side;

INLINE void count_one(float value, float shift, float limit, int32_t *above, int32_t *equal) {
  const float score = value - shift;
  *above += score > limit;
  *equal += score == limit;
}

INLINE void count_pair(float value, int i, int j, const Side *r, const Side *c) {
  count_one(value, r->shifts[j], r->limits[i], r->above + i, r->equal + i);
  count_one(value, c->shifts[i], c->limits[j], c->above + j, c->equal + j);
}

static void count_row(int columns, const float *x, int i, const Side *r, const Side *c) {
  const f4 limit = splat4(r->limits[i]), shift = splat4(c->shifts[i]);
  i4 above = {0, 0, 0, 0};
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const f4 v = load4(x + j), own = v - load4(r->shifts + j), other = v - shift;
    const f4 limits = load4(c->limits + j);
    above -= own > limit;
    i4_unaligned *counts = (i4_unaligned *)(c->above + j);
    *counts -= other > limits;
    const i4 same = own == limit, same_other = other == limits;
    if (!any4(same | same_other)) continue;
    for (int lane = 0; lane < 4; lane++) {
      r->equal[i] -= same[lane];
      c->equal[j + lane] -= same_other[lane];
    }
  }
  r->above[i] += above[0] + above[1] + above[2] + above[3];
  for (; j < columns; j++) count_pair(x[j], i, j, r, c);
}

// Counts scores above and equal to each line's limit: rows over columns and columns over rows.
EXPORT(scan_counts)
void scan_counts(int rows, int columns, const float *block, const float *row_limits,
                 const float *column_shifts, int32_t *row_above, int32_t *row_equal,
                 const float *column_limits, const float *row_shifts, int32_t *column_above,
                 int32_t *column_equal) {
  const Side r = {column_shifts, row_limits, row_above, row_equal};
  const Side c = {row_shifts, column_limits, column_above, column_equal};
  for (int i = 0; i < rows; i++) count_row(columns, block + (size_t)i * columns, i, &r, &c);
}
