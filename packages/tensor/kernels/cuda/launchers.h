// The launchers of the CUDA kernels. All pointers are device pointers; a launcher puts its work on
// the stream (a cudaStream_t) and returns the CUDA error, 0 when all is well. `count` is the number
// of items: what the C form of the same name takes as begin and end. The order of all sums is
// fixed: the same input gives the same bits on the same GPU.
#pragma once

#ifdef __cplusplus
#include <cstdint>
extern "C" {
#else
#include <stdint.h>
#endif

int lab_cuda_csr_product(void *stream, int count, int width, const int32_t *pointers,
                         const int32_t *columns, const float *values, const float *x, float *out);
int lab_cuda_csr_sampled_dot(void *stream, int count, int width, const int32_t *pointers,
                             const int32_t *columns, const float *dy, const float *x, float *out);

int lab_cuda_gather_row_blocks(void *stream, int count, const float *x, int rows, int width,
                               const int32_t *indices, int index_count, float *out);
// Writes the position of the first index outside [low, high), or -1.
int lab_cuda_find_outside(void *stream, int count, const int32_t *indices, int low, int high,
                          int *position);

int lab_cuda_attention_coefficients(void *stream, int count, int heads, const int32_t *pointers,
                                    const int32_t *columns, const float *scores, float positive,
                                    float negative, float *out);
int lab_cuda_attention_head_mean(void *stream, int count, int heads, const float *x, float *out);
int lab_cuda_attention_collect(void *stream, int count, int width, int heads,
                               const int32_t *pointers, const int32_t *columns,
                               const float *coefficients, const float *x, const float *weights,
                               float *out);

// One part of the weights' gradient for `block` nodes, each a block of threads: few nodes, about
// 16, keep a GPU busy. weight_gradients has room for ceil(count / block) parts [K, width].
int lab_cuda_attention_sent(void *stream, int count, int width, int heads, const int32_t *pointers,
                            const int32_t *receivers, const int32_t *places,
                            const float *coefficients, const float *dy, const float *x,
                            const float *weights, float *weight_gradients, int block,
                            float *entry_gradient, float *out);
int lab_cuda_attention_softmax_backward(void *stream, int count, int heads,
                                        const int32_t *pointers, const int32_t *columns,
                                        const float *scores, float positive, float negative,
                                        const float *coefficients, float *score_gradient,
                                        float *entry_gradient);
int lab_cuda_attention_source_sums(void *stream, int count, int heads, const int32_t *pointers,
                                   const int32_t *places, const float *entry_gradient,
                                   float *score_gradient);
int lab_cuda_add_row_combinations(void *stream, int count, int width, int vector_count,
                                  const float *factors, const float *vectors, float *out);

// order has room for `rows`; what lies behind the rows with an id is not written.
int lab_cuda_segment_order(void *stream, int rows, int segments, const int32_t *ids,
                           int32_t *starts, int32_t *order);

int lab_cuda_segment_total(void *stream, int count, const float *x, int columns, int strip,
                           const int32_t *starts, const int32_t *order, float *out, int is_mean);
int lab_cuda_segment_max(void *stream, int count, const float *x, int columns, int strip,
                         const int32_t *starts, const int32_t *order, float *out, int32_t *at);
int lab_cuda_segment_max_backward(void *stream, int count, int width, const float *dy,
                                  const int32_t *at, const int32_t *ids, float *dx);
int lab_cuda_segment_mean_backward(void *stream, int count, int width, const float *dy,
                                   const float *shares, const int32_t *ids, float *dx);

int lab_cuda_segment_sum(void *stream, int rows, int width, int segments, const float *x,
                         const int32_t *ids, float *out);
int lab_cuda_segment_dots(void *stream, int rows, int segments, const float *a, const float *b,
                          const int32_t *ids, float *dots);
int lab_cuda_segment_shares(void *stream, int rows, int segments, const int32_t *ids,
                            float *shares);
int lab_cuda_segment_largest(void *stream, int rows, int segments, const float *x,
                             const int32_t *ids, float *largest);
int lab_cuda_segment_exponentials(void *stream, int count, const float *x, const int32_t *ids,
                                  const float *largest, float *out);
int lab_cuda_segment_divide(void *stream, int count, const int32_t *ids, const float *sums,
                            float *out);
int lab_cuda_segment_softmax_backward(void *stream, int count, const float *y, const float *dy,
                                      const int32_t *ids, const float *dots, float *dx);

int lab_cuda_softmax_rows(void *stream, int count, int width, const float *x, float *out);
int lab_cuda_log_softmax_rows(void *stream, int count, int width, const float *x, float *out);
int lab_cuda_softmax_rows_backward(void *stream, int count, int width, const float *dy,
                                   const float *y, float *dx);
int lab_cuda_log_softmax_rows_backward(void *stream, int count, int width, const float *dy,
                                       const float *y, float *dx);

int lab_cuda_normalize_rows(void *stream, int count, int width, const float *x, float epsilon,
                            float *out, float *divisors);
int lab_cuda_normalize_rows_backward(void *stream, int count, int width, const float *y,
                                     const float *divisors, const float *dy, float epsilon,
                                     float *dx);
int lab_cuda_layer_norm(void *stream, int count, int width, const float *x, const float *gain,
                        const float *bias, float epsilon, float *out);
int lab_cuda_rms_norm(void *stream, int count, int width, const float *x, const float *gain,
                      float epsilon, float *out);

int lab_cuda_adamw(void *stream, int count, float *p, const float *g, float *m, float *v,
                   float beta1, float beta2, float decay, float rate, float root_scale,
                   float epsilon);

int lab_cuda_dropout(void *stream, int count, const float *x, uint32_t seed, uint32_t threshold,
                     float scale, float *out);

int lab_cuda_sum_parts(void *stream, int parts, int count, const float *from, float *out);
int lab_cuda_scale_values(void *stream, int count, const float *x, float factor, float *out);

#ifdef __cplusplus
}
#endif
