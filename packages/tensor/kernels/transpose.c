// Permuted axes: rows copied where the last axis stays last, else planes transposed by tiles.
#include "vector.h"

// Steps from one position to the next along the axes around a row or plane, outermost first.
typedef struct {
  int size, from, to;
} Axis;

typedef struct {
  size_t from, to;
} Place;

// Where item `index` of the surrounding axes starts in the source and in the output.
static Place place_of(int index, int axes, const Axis *axis) {
  Place place = {0, 0};
  for (int a = axes - 1; a >= 0; a--) {
    const int rest = index / axis[a].size, at = index - rest * axis[a].size;
    place.from += (size_t)at * axis[a].from;
    place.to += (size_t)at * axis[a].to;
    index = rest;
  }
  return place;
}

INLINE void copy_words(int width, const int32_t *from, int32_t *to) {
  int d = 0;
  for (; d + 4 <= width; d += 4) *(i4_unaligned *)(to + d) = *(const i4_unaligned *)(from + d);
  for (; d < width; d++) to[d] = from[d];
}

// Moves the places on to the next item, as a mileage counter moves on.
INLINE void advance(Place *place, int *at, int axes, const Axis *axis) {
  for (int a = axes - 1; a >= 0; a--) {
    place->from += (size_t)axis[a].from;
    place->to += (size_t)axis[a].to;
    if (++at[a] < axis[a].size) return;
    place->from -= (size_t)axis[a].from * axis[a].size;
    place->to -= (size_t)axis[a].to * axis[a].size;
    at[a] = 0;
  }
}

#define MOST_AXES 8

// Rows of `width` elements to their new places; an item is a row.
EXPORT(permute_rows)
void permute_rows(int begin, int end, float *scratch, const int32_t *x, int32_t *out, int width,
                  int axes, const Axis *axis) {
  (void)scratch;
  int at[MOST_AXES];
  for (int a = axes - 1, rest = begin; a >= 0; rest /= axis[a--].size) at[a] = rest % axis[a].size;
  Place place = place_of(begin, axes, axis);
  for (int i = begin; i < end; i++, advance(&place, at, axes, axis))
    copy_words(width, x + place.from, out + place.to);
}

// Turns 4 rows of 4: column q of the source becomes row q of `to`.
INLINE void turn4(const int32_t *from, size_t from_step, int32_t *to, int to_step) {
  const i4 r0 = *(const i4_unaligned *)from;
  const i4 r1 = *(const i4_unaligned *)(from + from_step);
  const i4 r2 = *(const i4_unaligned *)(from + 2 * from_step);
  const i4 r3 = *(const i4_unaligned *)(from + 3 * from_step);
  const i4 t0 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
  const i4 t1 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
  const i4 t2 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
  const i4 t3 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
  *(i4_unaligned *)to = __builtin_shufflevector(t0, t2, 0, 1, 4, 5);
  *(i4_unaligned *)(to + to_step) = __builtin_shufflevector(t0, t2, 2, 3, 6, 7);
  *(i4_unaligned *)(to + 2 * to_step) = __builtin_shufflevector(t1, t3, 0, 1, 4, 5);
  *(i4_unaligned *)(to + 3 * to_step) = __builtin_shufflevector(t1, t3, 2, 3, 6, 7);
}

// to[c, r] = from[r, c], the rows of `to` `rows` elements long.
NOINLINE static void turn_tile(int rows, int columns, const int32_t *from, int from_step,
                               int32_t *to) {
  int r = 0;
  for (; r + 4 <= rows; r += 4) {
    const int32_t *line = from + (size_t)r * from_step;
    int c = 0;
    for (; c + 4 <= columns; c += 4) turn4(line + c, from_step, to + c * rows + r, rows);
    for (; c < columns; c++)
      for (int q = 0; q < 4; q++) to[c * rows + r + q] = line[(size_t)q * from_step + c];
  }
  for (; r < rows; r++)
    for (int c = 0; c < columns; c++) to[c * rows + r] = from[(size_t)r * from_step + c];
}

typedef struct {
  int rows, columns, row_step, column_step, tile_rows, tile_columns;
} Plane;

static void transpose_tile(int tile, Plane p, const int32_t *x, int32_t *out, int32_t *turned) {
  const int across = (p.columns + p.tile_columns - 1) / p.tile_columns;
  const int r = tile / across * p.tile_rows, c = tile % across * p.tile_columns;
  const int rows = p.rows - r < p.tile_rows ? p.rows - r : p.tile_rows;
  const int columns = p.columns - c < p.tile_columns ? p.columns - c : p.tile_columns;
  turn_tile(rows, columns, x + (size_t)r * p.row_step + c, p.row_step, turned);
  int32_t *to = out + (size_t)c * p.column_step + r;
  for (int i = 0; i < columns; i++, to += p.column_step)
    copy_words(rows, turned + i * rows, to);
}

// Planes [rows, columns], rows `row_step` apart, to planes [columns, rows], `column_step` apart.
// An item is a tile of tile_rows x tile_columns <= 4096 elements; axis says where planes start.
EXPORT(transpose_tiles)
void transpose_tiles(int begin, int end, float *scratch, const int32_t *x, int32_t *out, int rows,
                     int columns, int row_step, int column_step, int tile_rows, int tile_columns,
                     int axes, const Axis *axis) {
  const Plane plane = {rows, columns, row_step, column_step, tile_rows, tile_columns};
  const int tiles = ((rows + tile_rows - 1) / tile_rows) *
                    ((columns + tile_columns - 1) / tile_columns);
  for (int i = begin; i < end; i++) {
    const Place place = place_of(i / tiles, axes, axis);
    transpose_tile(i % tiles, plane, x + place.from, out + place.to, (int32_t *)scratch);
  }
}
