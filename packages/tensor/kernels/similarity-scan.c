// Blocks of similarities and their scans: the best values of rows and columns, and counts against
// thresholds. Threads share the columns of a block, cut evenly into tiles, or its rows.
#include "matmul.h"


typedef struct {
  int first, count;
} Stretch;

// Columns of a tile, of `tiles` nearly equal ones.
INLINE Stretch tile_columns(int tile, int tiles, int columns) {
  const int first = (int)((int64_t)tile * columns / tiles);
  return (Stretch){first, (int)((int64_t)(tile + 1) * columns / tiles) - first};
}

// Products of left and right rows, into tiles of the block or added to them.
EXPORT(similarity_tiles)
void similarity_tiles(int begin, int end, float *scratch, int tiles, int rows, int columns,
                      int width, const float *left, const float *right, float *block,
                      int accumulate) {
  for (int t = begin; t < end; t++) {
    const Stretch s = tile_columns(t, tiles, columns);
    lab_gemm(rows, s.count, width, left, width, 0, right + (size_t)s.first * width, width, 1,
             block + s.first, columns, accumulate, scratch);
  }
}

// similarities[i] of left row i with right row columns[i], 0 for -1: the diagonal of products of
// `size` rows, which have the bits of the blocks' similarities. The scratch holds
// size * (width + size) floats beyond those of a product.
EXPORT(pair_similarities)
void pair_similarities(int begin, int end, float *scratch, int size, int count, int width,
                       const float *left, const float *right, const int32_t *columns,
                       int accumulate, float *similarities) {
  float *gathered = scratch + LAB_GEMM_SCRATCH, *product = gathered + (size_t)size * width;
  for (int item = begin; item < end; item++) {
    const int first = item * size, rows = count - first < size ? count - first : size;
    for (int i = 0; i < rows; i++) {
      const int column = columns[first + i] < 0 ? 0 : columns[first + i];
      __builtin_memcpy(gathered + (size_t)i * width, right + (size_t)column * width,
                       (size_t)width * sizeof(float));
    }
    lab_gemm(rows, rows, width, left + (size_t)first * width, width, 0, gathered, width, 1,
             product, rows, 0, scratch);
    for (int i = 0; i < rows; i++) {
      const float value = columns[first + i] < 0 ? 0 : product[(size_t)i * (rows + 1)];
      similarities[first + i] = (accumulate ? similarities[first + i] : 0) + value;
    }
  }
}

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

INLINE f4 shifted4(const float *x, const float *shifts, int j) {
  return shifts ? load4(x + j) - load4(shifts + j) : load4(x + j);
}

INLINE float shifted1(const float *x, const float *shifts, int j) {
  return shifts ? x[j] - shifts[j] : x[j];
}

// Items are rows: takes them into their tables [row, k]; all pointers are to the block's start.
EXPORT(best_of_rows)
void best_of_rows(int begin, int end, float *scratch, int columns, const float *block,
                  const float *shifts, int column_start, int k, float *values, int32_t *indices) {
  (void)scratch;
  for (int i = begin; i < end; i++) {
    const float *x = block + (size_t)i * columns;
    const Line line = {values + (size_t)i * k, indices + (size_t)i * k, k, 1};
    int j = 0;
    for (; j + 4 <= columns; j += 4) {
      const f4 v = shifted4(x, shifts, j);
      if (!any4(v > splat4(line.values[k - 1]))) continue;
      for (int lane = 0; lane < 4; lane++) insert(line, v[lane], column_start + j + lane);
    }
    for (; j < columns; j++) insert(line, shifted1(x, shifts, j), column_start + j);
  }
}

// Items are tiles: takes their columns into the tables [k, total].
EXPORT(best_of_columns)
void best_of_columns(int begin, int end, float *scratch, int tiles, int rows, int columns,
                     const float *block, const float *shifts, int row_start, int k, int total,
                     float *values, int32_t *indices) {
  (void)scratch;
  const Stretch first = tile_columns(begin, tiles, columns);
  const Stretch last = tile_columns(end - 1, tiles, columns);
  const float *limits = values + (size_t)(k - 1) * total;
  for (int i = 0; i < rows; i++) {
    const float *x = block + (size_t)i * columns;
    int j = first.first;
    for (; j + 4 <= last.first + last.count; j += 4) {
      const f4 v = shifted4(x, shifts, j);
      if (!any4(v > load4(limits + j))) continue;
      for (int lane = 0; lane < 4; lane++)
        insert((Line){values + j + lane, indices + j + lane, k, total}, v[lane], row_start + i);
    }
    for (; j < last.first + last.count; j++)
      insert((Line){values + j, indices + j, k, total}, shifted1(x, shifts, j), row_start + i);
  }
}

// Items are rows: counts their values, less the columns' shifts, above and equal to the limits.
EXPORT(count_rows)
void count_rows(int begin, int end, float *scratch, int columns, const float *block,
                const float *shifts, const float *limits, int32_t *above, int32_t *equal) {
  (void)scratch;
  for (int i = begin; i < end; i++) {
    const float *x = block + (size_t)i * columns;
    i4 more = {0, 0, 0, 0}, same = {0, 0, 0, 0};
    int j = 0;
    for (; j + 4 <= columns; j += 4) {
      const f4 v = load4(x + j) - load4(shifts + j);
      more -= v > splat4(limits[i]);
      same -= v == splat4(limits[i]);
    }
    above[i] += more[0] + more[1] + more[2] + more[3];
    equal[i] += same[0] + same[1] + same[2] + same[3];
    for (; j < columns; j++) {
      above[i] += x[j] - shifts[j] > limits[i];
      equal[i] += x[j] - shifts[j] == limits[i];
    }
  }
}

// Items are tiles: counts their columns' values, less the rows' shifts, in the same way.
EXPORT(count_columns)
void count_columns(int begin, int end, float *scratch, int tiles, int rows, int columns,
                   const float *block, const float *shifts, const float *limits, int32_t *above,
                   int32_t *equal) {
  (void)scratch;
  const Stretch first = tile_columns(begin, tiles, columns);
  const Stretch last = tile_columns(end - 1, tiles, columns);
  for (int i = 0; i < rows; i++) {
    const float *x = block + (size_t)i * columns;
    const f4 shift = splat4(shifts[i]);
    int j = first.first;
    for (; j + 4 <= last.first + last.count; j += 4) {
      const f4 v = load4(x + j) - shift, limit = load4(limits + j);
      i4_unaligned *more = (i4_unaligned *)(above + j), *same = (i4_unaligned *)(equal + j);
      *more -= v > limit;
      const i4 is_same = v == limit;
      if (any4(is_same)) *same -= is_same;
    }
    for (; j < last.first + last.count; j++) {
      above[j] += x[j] - shifts[i] > limits[j];
      equal[j] += x[j] - shifts[i] == limits[j];
    }
  }
}
