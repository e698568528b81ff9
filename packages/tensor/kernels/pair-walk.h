// What a loss over all pairs of left and right rows works on: the walk over its blocks.
#pragma once

#include "exponents.h"
#include "matmul.h"

// Similarities of a block, later their slopes; kept ones stay from the sums until the slopes.
typedef struct {
  float *values;
  int is_kept;
} Tile;

// Rows packed for products: the left ones of the present row block, the right ones of all blocks.
typedef struct {
  float *left, *right;                // for similarities
  float *left_slopes, *right_slopes;  // for slopes, or null
} Panels;

// One kind of rows, with their soft-max. Tops and sums are [blocks, count]: what each block of
// the other side gives.
typedef struct {
  int width;
  const float *left, *right;
  float *left_slopes, *right_slopes;
  const Tile *tiles;  // [blocks, blocks]
  Panels panels;
  Lines rows, columns;
  float *labelled;  // [blocks, count], label-weighted similarities
  float label_factor;
} Part;

// What a loss computes over the pairs of two sides, or of one side with itself (`is_within`, above
// the diagonal). The soft-max is over each part's similarities; the pair term is over those of
// the joined rows, sum_p a_pi b_pj s_pij with the shares a and b, or of the only part.
typedef struct {
  int count, size, blocks, part_count;
  const Part *parts;
  int directions;  // of the soft-max: 0 none, 1 over rows, 2 over rows and over columns
  float temper;
  int labels_per_row;
  const int32_t *label_columns;
  const float *label_weights;
  int has_pairs, is_within, excludes_partners;
  float scale;
  Lines rows, columns;
  float *blends;                                   // [blocks, size, size] or null
  const float *left_shares, *right_shares;         // [parts, count]
  float *left_share_slopes, *right_share_slopes;   // [blocks, parts, count]
  float *partners;                                 // [count], similarity of each pair
  const float *pulls;                              // [count], slopes of the positive terms
} Walk;

typedef struct {
  int row_block, column_block, row, column, rows, columns;
} Place;

INLINE int block_length(const Walk *w, int block) {
  const int rest = w->count - block * w->size;
  return rest < w->size ? rest : w->size;
}

INLINE Place place_of(const Walk *w, int row_block, int column_block) {
  return (Place){row_block, column_block, row_block * w->size, column_block * w->size,
                 block_length(w, row_block), block_length(w, column_block)};
}

INLINE const Tile *tile_of(const Walk *w, const Part *p, Place at) {
  return p->tiles + (size_t)at.row_block * w->blocks + at.column_block;
}

INLINE Lines lines_at(const Walk *w, const Lines *all, int slot, int start) {
  const size_t own = (size_t)slot * w->count + start;
  return (Lines){all->tops + own, all->sums + own, all->levels + start, all->factors + start};
}

INLINE int is_diagonal(Place at) { return at.row_block == at.column_block; }

// Whether the block is a square of one side with itself: both of its halves are computed.
INLINE int is_square(const Walk *w, Place at) { return w->is_within && is_diagonal(at); }

// Left rows of a block as the first operand of similarities, or as the second of slopes.
INLINE Operand left_rows(const Walk *w, const Part *p, int block, int for_slopes) {
  return (Operand){p->left + (size_t)block * w->size * p->width, p->width, 0,
                   for_slopes ? p->panels.left_slopes : p->panels.left};
}

// Lines in whole tiles of a product, whichever side they are on: 6 rows, or 8 or 16 columns.
INLINE size_t whole_lines(int lines) { return (size_t)((lines + 47) / 48 * 48); }

// Place of a block's panels; as long for similarities as for slopes, whole tiles of a product.
INLINE float *right_panels(const Walk *w, const Part *p, int block, int for_slopes) {
  const size_t length = whole_lines(w->size) * whole_lines(p->width);
  return (for_slopes ? p->panels.right_slopes : p->panels.right) + block * length;
}

// Right rows of a block as the second operand, transposed for similarities.
INLINE Operand right_rows(const Walk *w, const Part *p, int block, int for_slopes) {
  return (Operand){p->right + (size_t)block * w->size * p->width, p->width, !for_slopes,
                   right_panels(w, p, block, for_slopes)};
}
