// Sparse (compressed rows) times dense, and its gradients.
#include "csr.h"

// out_i = sum over the entries e of row i of values_e x_(columns_e); values 0 means all ones.
EXPORT(csr_product)
void csr_product(int begin, int end, const float *scratch, int width, const int32_t *pointers,
                 const int32_t *columns, const float *values, const float *x, float *out) {
  (void)scratch;
  for (int i = begin; i < end; i++)
    collect_rows((Entries){pointers[i], pointers[i + 1], columns, values}, x, width, 1,
                 out + (size_t)i * width);
}

// out_e = dy_(row of e) . x_(columns_e), the gradient of the values.
EXPORT(csr_sampled_dot)
void csr_sampled_dot(int begin, int end, const float *scratch, int width, const int32_t *pointers,
                     const int32_t *columns, const float *dy, const float *x, float *out) {
  (void)scratch;
  dy += (size_t)begin * width;
  for (int i = begin; i < end; i++, dy += width) {
    int e = pointers[i];
    for (; e + 4 <= pointers[i + 1]; e += 4) {
      const Rows four = rows_of(x, columns + e, width);
      dots_4x1(&four, dy, width, out + e, 1);
    }
    for (; e < pointers[i + 1]; e++) out[e] = dot(dy, x + (size_t)columns[e] * width, width);
  }
}
