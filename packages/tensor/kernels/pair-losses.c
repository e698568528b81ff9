// Losses over all pairs of left and right rows, block by block: first the sums of exponentials,
// then, with the levels that follow, the slopes of the similarities and of the rows.
#include "matmul.h"
#include "pair-walk.h"

static void fill_tile(const Walk *w, const Part *p, Place at, float *scratch) {
  lab_product(at.rows, at.columns, p->width, left_rows(w, p, at.row_block, 0),
              right_rows(w, p, at.column_block, 0), tile_of(w, p, at)->values, at.columns, 0,
              scratch);
}

// to = (adds ? to : 0) + own * others * x.
INLINE void add_shared_part(int columns, const float *x, float own, const float *others, float *to,
                            int adds) {
  const f4 factor = splat4(own);
  int j = 0;
  for (; j + 4 <= columns; j += 4) {
    const f4 v = load4(x + j) * (factor * load4(others + j));
    store4(to + j, adds ? load4(to + j) + v : v);
  }
  for (; j < columns; j++) to[j] = (adds ? to[j] : 0) + x[j] * (own * others[j]);
}

// Similarities of the joined rows: the only part's, or the blend of all.
static float *joined_tile(const Walk *w, Place at) {
  if (!w->blends) return tile_of(w, w->parts, at)->values;
  float *joined = w->blends + (size_t)at.column_block * w->size * w->size;
  for (int i = 0; i < at.rows; i++)
    for (int p = 0; p < w->part_count; p++) {
      const float *s = tile_of(w, w->parts + p, at)->values + (size_t)i * at.columns;
      const float own = w->left_shares[(size_t)p * w->count + at.row + i];
      const float *others = w->right_shares + (size_t)p * w->count + at.column;
      add_shared_part(at.columns, s, own, others, joined + (size_t)i * at.columns, p > 0);
    }
  return joined;
}

// Takes out what is no candidate: a row itself, and its partner where the loss says so.
static void exclude(const Walk *w, Place at, float *s) {
  if (!is_diagonal(at) || !(w->is_within || w->excludes_partners)) return;
  for (int i = 0; i < at.rows; i++) s[(size_t)i * (at.columns + 1)] = -__builtin_inff();
}

static void sum_labels(const Walk *w, const Part *p, Place at) {
  const float *s = tile_of(w, p, at)->values;
  float *sums = p->labelled + (size_t)at.column_block * w->count + at.row;
  for (int i = 0; i < at.rows; i++) {
    sums[i] = 0;
    for (int k = 0; k < w->labels_per_row; k++) {
      const size_t label = (size_t)(at.row + i) * w->labels_per_row + k;
      const int j = w->label_columns[label] - at.column;
      if (j >= 0 && j < at.columns) sums[i] += w->label_weights[label] * s[i * at.columns + j];
    }
  }
}

static void subtract_labels(const Walk *w, const Part *p, Place at) {
  float *slopes = tile_of(w, p, at)->values;
  for (int i = 0; i < at.rows; i++)
    for (int k = 0; k < w->labels_per_row; k++) {
      const size_t label = (size_t)(at.row + i) * w->labels_per_row + k;
      const int j = w->label_columns[label] - at.column;
      if (j >= 0 && j < at.columns)
        slopes[i * at.columns + j] -= p->label_factor * w->label_weights[label];
    }
}

static void sum_tile(const Walk *w, Place at, float *scratch) {
  for (int k = 0; k < w->part_count; k++) {
    const Part *p = w->parts + k;
    fill_tile(w, p, at, scratch);
    if (!w->directions) continue;
    const Lines row = lines_at(w, &p->rows, at.column_block, at.row);
    const Lines column = lines_at(w, &p->columns, at.row_block, at.column);
    line_sums(at.rows, at.columns, tile_of(w, p, at)->values, w->temper, &row,
              w->directions > 1 ? &column : 0);
    sum_labels(w, p, at);
  }
  if (!w->has_pairs) return;
  float *s = joined_tile(w, at);
  for (int i = 0; is_diagonal(at) && !w->is_within && i < at.rows; i++)
    w->partners[at.row + i] = s[(size_t)i * (at.columns + 1)];
  exclude(w, at, s);
  const Lines row = lines_at(w, &w->rows, at.column_block, at.row);
  const Lines column = lines_at(w, &w->columns, at.row_block, at.column);
  line_sums(at.rows, at.columns, s, w->scale, &row, is_square(w, at) ? 0 : &column);
}

// Slopes of the joined similarities, in place of them.
static float *joined_slopes(const Walk *w, Place at, float *spare) {
  float *s = joined_tile(w, at);
  exclude(w, at, s);
  const Lines row = lines_at(w, &w->rows, 0, at.row);
  const Lines column = lines_at(w, &w->columns, 0, at.column);
  line_weights(at.rows, at.columns, s, w->scale, &row, &column, spare);
  for (int i = 0; is_diagonal(at) && !w->is_within && i < at.rows; i++)
    s[(size_t)i * (at.columns + 1)] += w->pulls[at.row + i];
  return s;
}

// Slopes of part k's shares from those of the joined similarities g and the part's own s.
static void share_slopes(const Walk *w, int k, Place at, const float *g, const float *s) {
  const float *own = w->left_shares + (size_t)k * w->count + at.row;
  const float *others = w->right_shares + (size_t)k * w->count + at.column;
  const int all = w->part_count;
  float *left = w->left_share_slopes + ((size_t)at.column_block * all + k) * w->count + at.row;
  float *right = w->right_share_slopes + ((size_t)at.row_block * all + k) * w->count + at.column;
  __builtin_memset(right, 0, (size_t)at.columns * sizeof(float));
  for (int i = 0; i < at.rows; i++, g += at.columns, s += at.columns) {
    const f4 factor = splat4(own[i]);
    f4 sum = splat4(0);
    int j = 0;
    for (; j + 4 <= at.columns; j += 4) {
      const f4 v = load4(g + j) * load4(s + j);
      sum = madd4(v, load4(others + j), sum);
      store4(right + j, madd4(v, factor, load4(right + j)));
    }
    left[i] = sum4(sum);
    for (; j < at.columns; j++) {
      left[i] += g[j] * s[j] * others[j];
      right[j] += g[j] * s[j] * own[i];
    }
  }
}

// Turns part k's similarities into their slopes; g are those of the joined similarities, or null.
static void part_slopes(const Walk *w, int k, Place at, const float *g, float *spare) {
  const Part *p = w->parts + k;
  float *s = tile_of(w, p, at)->values;
  const int is_blend = g && w->blends;
  if (is_blend) share_slopes(w, k, at, g, s);
  if (w->directions) {
    const Lines row = lines_at(w, &p->rows, 0, at.row);
    const Lines column = lines_at(w, &p->columns, 0, at.column);
    line_weights(at.rows, at.columns, s, w->temper, &row, w->directions > 1 ? &column : 0, spare);
    subtract_labels(w, p, at);
  }
  for (int i = 0; is_blend && i < at.rows; i++) {
    const float own = w->left_shares[(size_t)k * w->count + at.row + i];
    const float *others = w->right_shares + (size_t)k * w->count + at.column;
    const size_t line = (size_t)i * at.columns;
    add_shared_part(at.columns, g + line, own, others, s + line, w->directions > 0);
  }
}

static void slope_tile(const Walk *w, Place at, float *scratch) {
  for (int k = 0; k < w->part_count; k++)
    if (!tile_of(w, w->parts + k, at)->is_kept) fill_tile(w, w->parts + k, at, scratch);
  const float *g = w->has_pairs ? joined_slopes(w, at, scratch) : 0;
  for (int k = 0; k < w->part_count; k++) {
    const Part *p = w->parts + k;
    part_slopes(w, k, at, g, scratch);
    if (is_square(w, at)) continue;
    const Operand slopes = {tile_of(w, p, at)->values, at.columns, 1, 0};
    lab_product(at.columns, p->width, at.rows, slopes, left_rows(w, p, at.row_block, 1),
                p->right_slopes + (size_t)at.column * p->width, p->width, 1, scratch);
  }
}

// Packs the right rows for similarities or for slopes. Items are blocks, for each part in turn.
EXPORT(pair_pack_right)
void pair_pack_right(int begin, int end, float *scratch, const Walk *w, int for_slopes) {
  (void)scratch;
  for (int item = begin; item < end; item++) {
    const Part *p = w->parts + item / w->blocks;
    const int block = item % w->blocks, rows = block_length(w, block);
    const Operand right = right_rows(w, p, block, for_slopes);
    float *panels = right_panels(w, p, block, for_slopes);
    if (for_slopes) lab_pack_b(p->width, rows, right, panels);
    else lab_pack_b(rows, p->width, right, panels);
  }
}

// The same for the left rows of a row block. Items are parts.
EXPORT(pair_pack_left)
void pair_pack_left(int begin, int end, float *scratch, const Walk *w, int for_slopes,
                    int row_block) {
  (void)scratch;
  const int rows = block_length(w, row_block);
  for (const Part *p = w->parts + begin; p < w->parts + end; p++) {
    const Operand left = left_rows(w, p, row_block, for_slopes);
    if (for_slopes) lab_pack_b(p->width, rows, left, p->panels.left_slopes);
    else lab_pack_a(rows, p->width, left, p->panels.left);
  }
}

INLINE int first_block(const Walk *w, int row_block) { return w->is_within ? row_block : 0; }

// Items are blocks of columns, from the row block itself on where a side is with itself.
EXPORT(pair_sums)
void pair_sums(int begin, int end, float *scratch, const Walk *w, int row_block) {
  for (int j = begin; j < end; j++)
    sum_tile(w, place_of(w, row_block, first_block(w, row_block) + j), scratch);
}

// The same items: slopes of the similarities, and of the right rows in their block.
EXPORT(pair_slopes)
void pair_slope_tiles(int begin, int end, float *scratch, const Walk *w, int row_block) {
  for (int j = begin; j < end; j++)
    slope_tile(w, place_of(w, row_block, first_block(w, row_block) + j), scratch);
}

// Slopes of the left rows of a row block from those of its similarities. Items are stretches of
// `stretch` rows, for each part in turn.
EXPORT(pair_row_slopes)
void pair_row_slopes(int begin, int end, float *scratch, const Walk *w, int row_block,
                     int stretch) {
  const int rows = block_length(w, row_block), parts = (rows + stretch - 1) / stretch;
  for (int item = begin; item < end; item++) {
    const Part *p = w->parts + item / parts;
    const int first = item % parts * stretch;
    const int count = rows - first < stretch ? rows - first : stretch;
    float *slopes = p->left_slopes + ((size_t)row_block * w->size + first) * p->width;
    for (int j = first_block(w, row_block); j < w->blocks; j++) {
      const Place at = place_of(w, row_block, j);
      const float *own = tile_of(w, p, at)->values + (size_t)first * at.columns;
      lab_product(count, p->width, at.columns, (Operand){own, at.columns, 0, 0},
                  right_rows(w, p, j, 1), slopes, p->width, 1, scratch);
    }
  }
}
