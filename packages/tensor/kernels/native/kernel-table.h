// Every kernel by its exported name, with a call on values from JavaScript. Written by
// kernels/build.mjs from the sources; do not edit.
#pragma once

#include "kernel.h"

void gelu_values(int, int, void *, void *, void *);
static double call_gelu_values(const Range *r, const Value *v) {
  gelu_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void gelu_tanh_values(int, int, void *, void *, void *);
static double call_gelu_tanh_values(const Range *r, const Value *v) {
  gelu_tanh_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void silu_values(int, int, void *, void *, void *);
static double call_silu_values(const Range *r, const Value *v) {
  silu_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void gelu_gradient(int, int, void *, void *, void *, void *);
static double call_gelu_gradient(const Range *r, const Value *v) {
  gelu_gradient(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address);
  return 0;
}
void gelu_tanh_gradient(int, int, void *, void *, void *, void *);
static double call_gelu_tanh_gradient(const Range *r, const Value *v) {
  gelu_tanh_gradient(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address);
  return 0;
}
void silu_gradient(int, int, void *, void *, void *, void *);
static double call_silu_gradient(const Range *r, const Value *v) {
  silu_gradient(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address);
  return 0;
}
void adamw(int, int, void *, void *, void *, void *, void *, float, float, float, float, float, float);
static double call_adamw(const Range *r, const Value *v) {
  adamw(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address, v[3].address, (float)v[4].number, (float)v[5].number, (float)v[6].number, (float)v[7].number, (float)v[8].number, (float)v[9].number);
  return 0;
}
void add_values(int, int, void *, void *, int, void *, int, void *);
static double call_add_values(const Range *r, const Value *v) {
  add_values(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, v[2].address, (int)v[3].number, v[4].address);
  return 0;
}
void add_values_rows(int, int, void *, int, void *, int, int, void *, int, int, void *);
static double call_add_values_rows(const Range *r, const Value *v) {
  add_values_rows(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, (int)v[2].number, (int)v[3].number, v[4].address, (int)v[5].number, (int)v[6].number, v[7].address);
  return 0;
}
void subtract_values(int, int, void *, void *, int, void *, int, void *);
static double call_subtract_values(const Range *r, const Value *v) {
  subtract_values(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, v[2].address, (int)v[3].number, v[4].address);
  return 0;
}
void subtract_values_rows(int, int, void *, int, void *, int, int, void *, int, int, void *);
static double call_subtract_values_rows(const Range *r, const Value *v) {
  subtract_values_rows(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, (int)v[2].number, (int)v[3].number, v[4].address, (int)v[5].number, (int)v[6].number, v[7].address);
  return 0;
}
void multiply_values(int, int, void *, void *, int, void *, int, void *);
static double call_multiply_values(const Range *r, const Value *v) {
  multiply_values(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, v[2].address, (int)v[3].number, v[4].address);
  return 0;
}
void multiply_values_rows(int, int, void *, int, void *, int, int, void *, int, int, void *);
static double call_multiply_values_rows(const Range *r, const Value *v) {
  multiply_values_rows(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, (int)v[2].number, (int)v[3].number, v[4].address, (int)v[5].number, (int)v[6].number, v[7].address);
  return 0;
}
void divide_values(int, int, void *, void *, int, void *, int, void *);
static double call_divide_values(const Range *r, const Value *v) {
  divide_values(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, v[2].address, (int)v[3].number, v[4].address);
  return 0;
}
void divide_values_rows(int, int, void *, int, void *, int, int, void *, int, int, void *);
static double call_divide_values_rows(const Range *r, const Value *v) {
  divide_values_rows(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, (int)v[2].number, (int)v[3].number, v[4].address, (int)v[5].number, (int)v[6].number, v[7].address);
  return 0;
}
void attention(int, int, void *, int, int, int, int, int, int, int, int, float, void *, void *, void *, void *, void *, void *);
static double call_attention(const Range *r, const Value *v) {
  attention(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, (int)v[2].number, (int)v[3].number, (int)v[4].number, (int)v[5].number, (int)v[6].number, (int)v[7].number, (float)v[8].number, v[9].address, v[10].address, v[11].address, v[12].address, v[13].address, v[14].address);
  return 0;
}
void attention_deltas(int, int, void *, int, void *, void *, void *);
static double call_attention_deltas(const Range *r, const Value *v) {
  attention_deltas(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address);
  return 0;
}
void attention_backward(int, int, void *, int, int, int, int, int, int, int, int, float, int, int, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *);
static double call_attention_backward(const Range *r, const Value *v) {
  attention_backward(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, (int)v[2].number, (int)v[3].number, (int)v[4].number, (int)v[5].number, (int)v[6].number, (int)v[7].number, (float)v[8].number, (int)v[9].number, (int)v[10].number, v[11].address, v[12].address, v[13].address, v[14].address, v[15].address, v[16].address, v[17].address, v[18].address, v[19].address, v[20].address);
  return 0;
}
int attention_scratch_bytes(void);
static double call_attention_scratch_bytes(const Range *r, const Value *v) {
  (void)r;
  (void)v;
  return attention_scratch_bytes();
}
void cache_append(int, int, void *, void *, int, int, int, int, void *, void *);
static double call_cache_append(const Range *r, const Value *v) {
  cache_append(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, (int)v[2].number, (int)v[3].number, (int)v[4].number, v[5].address, v[6].address);
  return 0;
}
void cached_attention(int, int, void *, void *, int, int, int, int, int, int, float, float, int, void *, int, void *, void *);
static double call_cached_attention(const Range *r, const Value *v) {
  cached_attention(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, (int)v[2].number, (int)v[3].number, (int)v[4].number, (int)v[5].number, (int)v[6].number, (float)v[7].number, (float)v[8].number, (int)v[9].number, v[10].address, (int)v[11].number, v[12].address, v[13].address);
  return 0;
}
void cached_attention_join(int, int, void *, void *, int, int, int, int, int, void *, void *);
static double call_cached_attention_join(const Range *r, const Value *v) {
  cached_attention_join(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, (int)v[2].number, (int)v[3].number, (int)v[4].number, (int)v[5].number, v[6].address, v[7].address);
  return 0;
}
int cached_attention_scratch_bytes(void);
static double call_cached_attention_scratch_bytes(const Range *r, const Value *v) {
  (void)r;
  (void)v;
  return cached_attention_scratch_bytes();
}
void csr_product(int, int, void *, int, void *, void *, void *, void *, void *);
static double call_csr_product(const Range *r, const Value *v) {
  csr_product(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, v[4].address, v[5].address);
  return 0;
}
void csr_sampled_dot(int, int, void *, int, void *, void *, void *, void *, void *);
static double call_csr_sampled_dot(const Range *r, const Value *v) {
  csr_sampled_dot(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, v[4].address, v[5].address);
  return 0;
}
void dropout(int, int, void *, void *, uint32_t, uint32_t, float, void *);
static double call_dropout(const Range *r, const Value *v) {
  dropout(r->begin, r->end, r->scratch, v[0].address, (uint32_t)v[1].number, (uint32_t)v[2].number, (float)v[3].number, v[4].address);
  return 0;
}
void square_values(int, int, void *, void *, void *);
static double call_square_values(const Range *r, const Value *v) {
  square_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void negate_values(int, int, void *, void *, void *);
static double call_negate_values(const Range *r, const Value *v) {
  negate_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void exp_values(int, int, void *, void *, void *);
static double call_exp_values(const Range *r, const Value *v) {
  exp_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void log_values(int, int, void *, void *, void *);
static double call_log_values(const Range *r, const Value *v) {
  log_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void sigmoid_values(int, int, void *, void *, void *);
static double call_sigmoid_values(const Range *r, const Value *v) {
  sigmoid_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void softplus_values(int, int, void *, void *, void *);
static double call_softplus_values(const Range *r, const Value *v) {
  softplus_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void tanh_values(int, int, void *, void *, void *);
static double call_tanh_values(const Range *r, const Value *v) {
  tanh_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void elu_values(int, int, void *, void *, void *);
static double call_elu_values(const Range *r, const Value *v) {
  elu_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void sqrt_values(int, int, void *, void *, void *);
static double call_sqrt_values(const Range *r, const Value *v) {
  sqrt_values(r->begin, r->end, r->scratch, v[0].address, v[1].address);
  return 0;
}
void elu_gradient(int, int, void *, void *, void *, void *);
static double call_elu_gradient(const Range *r, const Value *v) {
  elu_gradient(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address);
  return 0;
}
void relu_gradient(int, int, void *, void *, void *, void *);
static double call_relu_gradient(const Range *r, const Value *v) {
  relu_gradient(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address);
  return 0;
}
void sigmoid_gradient(int, int, void *, void *, void *, void *);
static double call_sigmoid_gradient(const Range *r, const Value *v) {
  sigmoid_gradient(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address);
  return 0;
}
void tanh_gradient(int, int, void *, void *, void *, void *);
static double call_tanh_gradient(const Range *r, const Value *v) {
  tanh_gradient(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address);
  return 0;
}
void softplus_gradient(int, int, void *, void *, void *, void *);
static double call_softplus_gradient(const Range *r, const Value *v) {
  softplus_gradient(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address);
  return 0;
}
void square_gradient(int, int, void *, void *, void *, void *);
static double call_square_gradient(const Range *r, const Value *v) {
  square_gradient(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address);
  return 0;
}
void few_rows(int, int, void *, void *, int, void *, void *, int, int, int, int, void *);
static double call_few_rows(const Range *r, const Value *v) {
  few_rows(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, v[2].address, v[3].address, (int)v[4].number, (int)v[5].number, (int)v[6].number, (int)v[7].number, v[8].address);
  return 0;
}
void few_rows_apart(int, int, int, void *, void *);
static double call_few_rows_apart(const Range *r, const Value *v) {
  (void)r;
  few_rows_apart((int)v[0].number, (int)v[1].number, (int)v[2].number, v[3].address, v[4].address);
  return 0;
}
int find_outside(int, void *, int, int);
static double call_find_outside(const Range *r, const Value *v) {
  (void)r;
  return find_outside((int)v[0].number, v[1].address, (int)v[2].number, (int)v[3].number);
}
void gather_row_blocks(int, int, void *, void *, int, int, void *, int, void *);
static double call_gather_row_blocks(const Range *r, const Value *v) {
  gather_row_blocks(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, (int)v[2].number, v[3].address, (int)v[4].number, v[5].address);
  return 0;
}
void gaussian_kl(int, int, void *, void *, void *, int, float, float, float, float, float, void *, int);
static double call_gaussian_kl(const Range *r, const Value *v) {
  gaussian_kl(r->begin, r->end, r->scratch, v[0].address, v[1].address, (int)v[2].number, (float)v[3].number, (float)v[4].number, (float)v[5].number, (float)v[6].number, (float)v[7].number, v[8].address, (int)v[9].number);
  return 0;
}
void gaussian_kl_total(int, void *, double, void *);
static double call_gaussian_kl_total(const Range *r, const Value *v) {
  (void)r;
  gaussian_kl_total((int)v[0].number, v[1].address, (double)v[2].number, v[3].address);
  return 0;
}
void gaussian_kl_backward(int, int, void *, void *, void *, int, float, float, float, float, void *, float, void *, void *);
static double call_gaussian_kl_backward(const Range *r, const Value *v) {
  gaussian_kl_backward(r->begin, r->end, r->scratch, v[0].address, v[1].address, (int)v[2].number, (float)v[3].number, (float)v[4].number, (float)v[5].number, (float)v[6].number, v[7].address, (float)v[8].number, v[9].address, v[10].address);
  return 0;
}
void attention_sent(int, int, void *, int, int, void *, void *, void *, void *, void *, void *, void *, void *, int, void *, void *);
static double call_attention_sent(const Range *r, const Value *v) {
  attention_sent(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, v[2].address, v[3].address, v[4].address, v[5].address, v[6].address, v[7].address, v[8].address, v[9].address, (int)v[10].number, v[11].address, v[12].address);
  return 0;
}
void attention_softmax_backward(int, int, void *, int, void *, void *, void *, float, float, void *, void *, void *);
static double call_attention_softmax_backward(const Range *r, const Value *v) {
  attention_softmax_backward(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, (float)v[4].number, (float)v[5].number, v[6].address, v[7].address, v[8].address);
  return 0;
}
void attention_source_sums(int, int, void *, int, void *, void *, void *, void *);
static double call_attention_source_sums(const Range *r, const Value *v) {
  attention_source_sums(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, v[4].address);
  return 0;
}
void add_row_combinations(int, int, void *, int, int, void *, void *, void *);
static double call_add_row_combinations(const Range *r, const Value *v) {
  add_row_combinations(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, v[2].address, v[3].address, v[4].address);
  return 0;
}
void attention_coefficients(int, int, void *, int, void *, void *, void *, float, float, void *);
static double call_attention_coefficients(const Range *r, const Value *v) {
  attention_coefficients(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, (float)v[4].number, (float)v[5].number, v[6].address);
  return 0;
}
void attention_head_mean(int, int, void *, int, void *, void *);
static double call_attention_head_mean(const Range *r, const Value *v) {
  attention_head_mean(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address);
  return 0;
}
void attention_collect(int, int, void *, int, int, void *, void *, void *, void *, void *, void *);
static double call_attention_collect(const Range *r, const Value *v) {
  attention_collect(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, v[2].address, v[3].address, v[4].address, v[5].address, v[6].address, v[7].address);
  return 0;
}
void half_product(int, int, void *, void *, void *, void *, int, int, int, int, void *);
static double call_half_product(const Range *r, const Value *v) {
  half_product(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address, (int)v[3].number, (int)v[4].number, (int)v[5].number, (int)v[6].number, v[7].address);
  return 0;
}
void half_product_backward(int, int, void *, void *, void *, void *, int, int, int, int);
static double call_half_product_backward(const Range *r, const Value *v) {
  half_product_backward(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address, (int)v[3].number, (int)v[4].number, (int)v[5].number, (int)v[6].number);
  return 0;
}
void half_rows(int, int, void *, void *, int, int, void *, void *);
static double call_half_rows(const Range *r, const Value *v) {
  half_rows(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, (int)v[2].number, v[3].address, v[4].address);
  return 0;
}
int half_scratch_bytes(void);
static double call_half_scratch_bytes(const Range *r, const Value *v) {
  (void)r;
  (void)v;
  return half_scratch_bytes();
}
void gemm(int, int, void *, int, int, int, void *, int, int, void *, int, int, void *, int, int);
static double call_gemm(const Range *r, const Value *v) {
  gemm(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, (int)v[2].number, v[3].address, (int)v[4].number, (int)v[5].number, v[6].address, (int)v[7].number, (int)v[8].number, v[9].address, (int)v[10].number, (int)v[11].number);
  return 0;
}
void gemm_stretches(int, int, void *, int, int, int, void *, int, void *, int, void *, int);
static double call_gemm_stretches(const Range *r, const Value *v) {
  gemm_stretches(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, (int)v[2].number, v[3].address, (int)v[4].number, v[5].address, (int)v[6].number, v[7].address, (int)v[8].number);
  return 0;
}
int gemm_scratch_bytes(void);
static double call_gemm_scratch_bytes(const Range *r, const Value *v) {
  (void)r;
  (void)v;
  return gemm_scratch_bytes();
}
void repeat_blocks(int, int, void *, void *, void *, int, int, int);
static double call_repeat_blocks(const Range *r, const Value *v) {
  repeat_blocks(r->begin, r->end, r->scratch, v[0].address, v[1].address, (int)v[2].number, (int)v[3].number, (int)v[4].number);
  return 0;
}
void copy_rows(int, int, void *, void *, int, void *, int, int, int);
static double call_copy_rows(const Range *r, const Value *v) {
  copy_rows(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, v[2].address, (int)v[3].number, (int)v[4].number, (int)v[5].number);
  return 0;
}
void pad_rows(int, int, void *, void *, void *, int, int, int, int);
static double call_pad_rows(const Range *r, const Value *v) {
  pad_rows(r->begin, r->end, r->scratch, v[0].address, v[1].address, (int)v[2].number, (int)v[3].number, (int)v[4].number, (int)v[5].number);
  return 0;
}
void noise_rows(int, int, void *, int, void *, uint32_t, int, void *);
static double call_noise_rows(const Range *r, const Value *v) {
  noise_rows(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, (uint32_t)v[2].number, (int)v[3].number, v[4].address);
  return 0;
}
void pair_pack_right(int, int, void *, void *, int);
static double call_pair_pack_right(const Range *r, const Value *v) {
  pair_pack_right(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number);
  return 0;
}
void pair_pack_left(int, int, void *, void *, int, int);
static double call_pair_pack_left(const Range *r, const Value *v) {
  pair_pack_left(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, (int)v[2].number);
  return 0;
}
void pair_sums(int, int, void *, void *, int);
static double call_pair_sums(const Range *r, const Value *v) {
  pair_sums(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number);
  return 0;
}
void pair_slope_tiles(int, int, void *, void *, int);
static double call_pair_slopes(const Range *r, const Value *v) {
  pair_slope_tiles(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number);
  return 0;
}
void pair_row_slopes(int, int, void *, void *, int, int);
static double call_pair_row_slopes(const Range *r, const Value *v) {
  pair_row_slopes(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, (int)v[2].number);
  return 0;
}
void sum_parts(int, int, void *, void *);
static double call_sum_parts(const Range *r, const Value *v) {
  (void)r;
  sum_parts((int)v[0].number, (int)v[1].number, v[2].address, v[3].address);
  return 0;
}
void peak_fma(int, int, void *, void *, int, float);
static double call_peak_fma(const Range *r, const Value *v) {
  peak_fma(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, (float)v[2].number);
  return 0;
}
void triad(int, int, void *, void *, void *, void *, float);
static double call_triad(const Range *r, const Value *v) {
  triad(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address, (float)v[3].number);
  return 0;
}
void sum_part(int, int, void *, void *, void *, int, int, int, int);
static double call_sum_part(const Range *r, const Value *v) {
  sum_part(r->begin, r->end, r->scratch, v[0].address, v[1].address, (int)v[2].number, (int)v[3].number, (int)v[4].number, (int)v[5].number);
  return 0;
}
void prod_part(int, int, void *, void *, void *, int, int, int, int);
static double call_prod_part(const Range *r, const Value *v) {
  prod_part(r->begin, r->end, r->scratch, v[0].address, v[1].address, (int)v[2].number, (int)v[3].number, (int)v[4].number, (int)v[5].number);
  return 0;
}
void max_part(int, int, void *, void *, void *, int, int, int, int);
static double call_max_part(const Range *r, const Value *v) {
  max_part(r->begin, r->end, r->scratch, v[0].address, v[1].address, (int)v[2].number, (int)v[3].number, (int)v[4].number, (int)v[5].number);
  return 0;
}
void min_part(int, int, void *, void *, void *, int, int, int, int);
static double call_min_part(const Range *r, const Value *v) {
  min_part(r->begin, r->end, r->scratch, v[0].address, v[1].address, (int)v[2].number, (int)v[3].number, (int)v[4].number, (int)v[5].number);
  return 0;
}
void scale_values(int, int, void *, void *, float, void *);
static double call_scale_values(const Range *r, const Value *v) {
  scale_values(r->begin, r->end, r->scratch, v[0].address, (float)v[1].number, v[2].address);
  return 0;
}
void rms_norm(int, int, void *, int, void *, void *, float, void *);
static double call_rms_norm(const Range *r, const Value *v) {
  rms_norm(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, (float)v[3].number, v[4].address);
  return 0;
}
void rms_norm_backward(int, int, void *, int, void *, void *, void *, float, void *, void *, int);
static double call_rms_norm_backward(const Range *r, const Value *v) {
  rms_norm_backward(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, (float)v[4].number, v[5].address, v[6].address, (int)v[7].number);
  return 0;
}
void rotary_rows(int, int, void *, int, int, int, int, float, void *, void *, void *, void *);
static double call_rotary_rows(const Range *r, const Value *v) {
  rotary_rows(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, (int)v[2].number, (int)v[3].number, (float)v[4].number, v[5].address, v[6].address, v[7].address, v[8].address);
  return 0;
}
void normalize_rows(int, int, void *, int, void *, float, void *, void *);
static double call_normalize_rows(const Range *r, const Value *v) {
  normalize_rows(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, (float)v[2].number, v[3].address, v[4].address);
  return 0;
}
void normalize_rows_backward(int, int, void *, int, void *, void *, void *, float, void *);
static double call_normalize_rows_backward(const Range *r, const Value *v) {
  normalize_rows_backward(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, (float)v[4].number, v[5].address);
  return 0;
}
void layer_norm(int, int, void *, int, void *, void *, void *, float, void *);
static double call_layer_norm(const Range *r, const Value *v) {
  layer_norm(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, (float)v[4].number, v[5].address);
  return 0;
}
void layer_norm_backward(int, int, void *, int, void *, void *, void *, float, void *, void *, int);
static double call_layer_norm_backward(const Range *r, const Value *v) {
  layer_norm_backward(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, (float)v[4].number, v[5].address, v[6].address, (int)v[7].number);
  return 0;
}
void segment_sum(int, int, int, void *, void *, void *);
static double call_segment_sum(const Range *r, const Value *v) {
  (void)r;
  segment_sum((int)v[0].number, (int)v[1].number, (int)v[2].number, v[3].address, v[4].address, v[5].address);
  return 0;
}
void segment_order(int, int, void *, void *, void *);
static double call_segment_order(const Range *r, const Value *v) {
  (void)r;
  segment_order((int)v[0].number, (int)v[1].number, v[2].address, v[3].address, v[4].address);
  return 0;
}
void segment_total(int, int, void *, void *, int, int, void *, void *, void *, int);
static double call_segment_total(const Range *r, const Value *v) {
  segment_total(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, (int)v[2].number, v[3].address, v[4].address, v[5].address, (int)v[6].number);
  return 0;
}
void segment_max(int, int, void *, void *, int, int, void *, void *, void *, void *);
static double call_segment_max(const Range *r, const Value *v) {
  segment_max(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, (int)v[2].number, v[3].address, v[4].address, v[5].address, v[6].address);
  return 0;
}
void segment_max_backward(int, int, void *, int, void *, void *, void *, void *);
static double call_segment_max_backward(const Range *r, const Value *v) {
  segment_max_backward(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, v[4].address);
  return 0;
}
void segment_shares(int, int, void *, void *);
static double call_segment_shares(const Range *r, const Value *v) {
  (void)r;
  segment_shares((int)v[0].number, (int)v[1].number, v[2].address, v[3].address);
  return 0;
}
void segment_mean_backward(int, int, void *, int, void *, void *, void *, void *);
static double call_segment_mean_backward(const Range *r, const Value *v) {
  segment_mean_backward(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, v[4].address);
  return 0;
}
void segment_largest(int, int, void *, void *, void *);
static double call_segment_largest(const Range *r, const Value *v) {
  (void)r;
  segment_largest((int)v[0].number, (int)v[1].number, v[2].address, v[3].address, v[4].address);
  return 0;
}
void segment_exponentials(int, int, void *, void *, void *, void *, void *);
static double call_segment_exponentials(const Range *r, const Value *v) {
  segment_exponentials(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address, v[3].address);
  return 0;
}
void segment_divide(int, int, void *, void *, void *, void *);
static double call_segment_divide(const Range *r, const Value *v) {
  segment_divide(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address);
  return 0;
}
void segment_dots(int, int, void *, void *, void *, void *);
static double call_segment_dots(const Range *r, const Value *v) {
  (void)r;
  segment_dots((int)v[0].number, (int)v[1].number, v[2].address, v[3].address, v[4].address, v[5].address);
  return 0;
}
void segment_softmax_backward(int, int, void *, void *, void *, void *, void *, void *);
static double call_segment_softmax_backward(const Range *r, const Value *v) {
  segment_softmax_backward(r->begin, r->end, r->scratch, v[0].address, v[1].address, v[2].address, v[3].address, v[4].address);
  return 0;
}
void similarity_tiles(int, int, void *, int, int, int, int, void *, void *, void *, int);
static double call_similarity_tiles(const Range *r, const Value *v) {
  similarity_tiles(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, (int)v[2].number, (int)v[3].number, v[4].address, v[5].address, v[6].address, (int)v[7].number);
  return 0;
}
void pair_similarities(int, int, void *, int, int, int, void *, void *, void *, int, void *);
static double call_pair_similarities(const Range *r, const Value *v) {
  pair_similarities(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, (int)v[2].number, v[3].address, v[4].address, v[5].address, (int)v[6].number, v[7].address);
  return 0;
}
void best_of_rows(int, int, void *, int, void *, void *, int, int, void *, void *);
static double call_best_of_rows(const Range *r, const Value *v) {
  best_of_rows(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, (int)v[3].number, (int)v[4].number, v[5].address, v[6].address);
  return 0;
}
void best_of_columns(int, int, void *, int, int, int, void *, void *, int, int, int, void *, void *);
static double call_best_of_columns(const Range *r, const Value *v) {
  best_of_columns(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, (int)v[2].number, v[3].address, v[4].address, (int)v[5].number, (int)v[6].number, (int)v[7].number, v[8].address, v[9].address);
  return 0;
}
void count_rows(int, int, void *, int, void *, void *, void *, void *, void *);
static double call_count_rows(const Range *r, const Value *v) {
  count_rows(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address, v[4].address, v[5].address);
  return 0;
}
void count_columns(int, int, void *, int, int, int, void *, void *, void *, void *, void *);
static double call_count_columns(const Range *r, const Value *v) {
  count_columns(r->begin, r->end, r->scratch, (int)v[0].number, (int)v[1].number, (int)v[2].number, v[3].address, v[4].address, v[5].address, v[6].address, v[7].address);
  return 0;
}
void softmax_rows(int, int, void *, int, void *, void *);
static double call_softmax_rows(const Range *r, const Value *v) {
  softmax_rows(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address);
  return 0;
}
void log_softmax_rows(int, int, void *, int, void *, void *);
static double call_log_softmax_rows(const Range *r, const Value *v) {
  log_softmax_rows(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address);
  return 0;
}
void softmax_rows_backward(int, int, void *, int, void *, void *, void *);
static double call_softmax_rows_backward(const Range *r, const Value *v) {
  softmax_rows_backward(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address);
  return 0;
}
void log_softmax_rows_backward(int, int, void *, int, void *, void *, void *);
static double call_log_softmax_rows_backward(const Range *r, const Value *v) {
  log_softmax_rows_backward(r->begin, r->end, r->scratch, (int)v[0].number, v[1].address, v[2].address, v[3].address);
  return 0;
}
void top_k(int, int, void *, void *, int, int, void *, void *);
static double call_top_k(const Range *r, const Value *v) {
  top_k(r->begin, r->end, r->scratch, v[0].address, (int)v[1].number, (int)v[2].number, v[3].address, v[4].address);
  return 0;
}
void permute_rows(int, int, void *, void *, void *, int, int, void *);
static double call_permute_rows(const Range *r, const Value *v) {
  permute_rows(r->begin, r->end, r->scratch, v[0].address, v[1].address, (int)v[2].number, (int)v[3].number, v[4].address);
  return 0;
}
void transpose_tiles(int, int, void *, void *, void *, int, int, int, int, int, int, int, void *);
static double call_transpose_tiles(const Range *r, const Value *v) {
  transpose_tiles(r->begin, r->end, r->scratch, v[0].address, v[1].address, (int)v[2].number, (int)v[3].number, (int)v[4].number, (int)v[5].number, (int)v[6].number, (int)v[7].number, (int)v[8].number, v[9].address);
  return 0;
}

static const Kernel kernels[] = {
    {"gelu_values", "pp", 1, call_gelu_values},
    {"gelu_tanh_values", "pp", 1, call_gelu_tanh_values},
    {"silu_values", "pp", 1, call_silu_values},
    {"gelu_gradient", "ppp", 1, call_gelu_gradient},
    {"gelu_tanh_gradient", "ppp", 1, call_gelu_tanh_gradient},
    {"silu_gradient", "ppp", 1, call_silu_gradient},
    {"adamw", "ppppffffff", 1, call_adamw},
    {"add_values", "pipip", 1, call_add_values},
    {"add_values_rows", "ipiipiip", 1, call_add_values_rows},
    {"subtract_values", "pipip", 1, call_subtract_values},
    {"subtract_values_rows", "ipiipiip", 1, call_subtract_values_rows},
    {"multiply_values", "pipip", 1, call_multiply_values},
    {"multiply_values_rows", "ipiipiip", 1, call_multiply_values_rows},
    {"divide_values", "pipip", 1, call_divide_values},
    {"divide_values_rows", "ipiipiip", 1, call_divide_values_rows},
    {"attention", "iiiiiiiifpppppp", 1, call_attention},
    {"attention_deltas", "ippp", 1, call_attention_deltas},
    {"attention_backward", "iiiiiiiifiipppppppppp", 1, call_attention_backward},
    {"attention_scratch_bytes", "", 0, call_attention_scratch_bytes},
    {"cache_append", "piiiipp", 1, call_cache_append},
    {"cached_attention", "piiiiiiffipipp", 1, call_cached_attention},
    {"cached_attention_join", "piiiiipp", 1, call_cached_attention_join},
    {"cached_attention_scratch_bytes", "", 0, call_cached_attention_scratch_bytes},
    {"csr_product", "ippppp", 1, call_csr_product},
    {"csr_sampled_dot", "ippppp", 1, call_csr_sampled_dot},
    {"dropout", "puufp", 1, call_dropout},
    {"square_values", "pp", 1, call_square_values},
    {"negate_values", "pp", 1, call_negate_values},
    {"exp_values", "pp", 1, call_exp_values},
    {"log_values", "pp", 1, call_log_values},
    {"sigmoid_values", "pp", 1, call_sigmoid_values},
    {"softplus_values", "pp", 1, call_softplus_values},
    {"tanh_values", "pp", 1, call_tanh_values},
    {"elu_values", "pp", 1, call_elu_values},
    {"sqrt_values", "pp", 1, call_sqrt_values},
    {"elu_gradient", "ppp", 1, call_elu_gradient},
    {"relu_gradient", "ppp", 1, call_relu_gradient},
    {"sigmoid_gradient", "ppp", 1, call_sigmoid_gradient},
    {"tanh_gradient", "ppp", 1, call_tanh_gradient},
    {"softplus_gradient", "ppp", 1, call_softplus_gradient},
    {"square_gradient", "ppp", 1, call_square_gradient},
    {"few_rows", "pippiiiip", 1, call_few_rows},
    {"few_rows_apart", "iiipp", 0, call_few_rows_apart},
    {"find_outside", "ipii", 0, call_find_outside},
    {"gather_row_blocks", "piipip", 1, call_gather_row_blocks},
    {"gaussian_kl", "ppifffffpi", 1, call_gaussian_kl},
    {"gaussian_kl_total", "ipdp", 0, call_gaussian_kl_total},
    {"gaussian_kl_backward", "ppiffffpfpp", 1, call_gaussian_kl_backward},
    {"attention_sent", "iippppppppipp", 1, call_attention_sent},
    {"attention_softmax_backward", "ipppffppp", 1, call_attention_softmax_backward},
    {"attention_source_sums", "ipppp", 1, call_attention_source_sums},
    {"add_row_combinations", "iippp", 1, call_add_row_combinations},
    {"attention_coefficients", "ipppffp", 1, call_attention_coefficients},
    {"attention_head_mean", "ipp", 1, call_attention_head_mean},
    {"attention_collect", "iipppppp", 1, call_attention_collect},
    {"half_product", "pppiiiip", 1, call_half_product},
    {"half_product_backward", "pppiiii", 1, call_half_product_backward},
    {"half_rows", "piipp", 1, call_half_rows},
    {"half_scratch_bytes", "", 0, call_half_scratch_bytes},
    {"gemm", "iiipiipiipii", 1, call_gemm},
    {"gemm_stretches", "iiipipipi", 1, call_gemm_stretches},
    {"gemm_scratch_bytes", "", 0, call_gemm_scratch_bytes},
    {"repeat_blocks", "ppiii", 1, call_repeat_blocks},
    {"copy_rows", "pipiii", 1, call_copy_rows},
    {"pad_rows", "ppiiii", 1, call_pad_rows},
    {"noise_rows", "ipuip", 1, call_noise_rows},
    {"pair_pack_right", "pi", 1, call_pair_pack_right},
    {"pair_pack_left", "pii", 1, call_pair_pack_left},
    {"pair_sums", "pi", 1, call_pair_sums},
    {"pair_slopes", "pi", 1, call_pair_slopes},
    {"pair_row_slopes", "pii", 1, call_pair_row_slopes},
    {"sum_parts", "iipp", 0, call_sum_parts},
    {"peak_fma", "pif", 1, call_peak_fma},
    {"triad", "pppf", 1, call_triad},
    {"sum_part", "ppiiii", 1, call_sum_part},
    {"prod_part", "ppiiii", 1, call_prod_part},
    {"max_part", "ppiiii", 1, call_max_part},
    {"min_part", "ppiiii", 1, call_min_part},
    {"scale_values", "pfp", 1, call_scale_values},
    {"rms_norm", "ippfp", 1, call_rms_norm},
    {"rms_norm_backward", "ipppfppi", 1, call_rms_norm_backward},
    {"rotary_rows", "iiiifpppp", 1, call_rotary_rows},
    {"normalize_rows", "ipfpp", 1, call_normalize_rows},
    {"normalize_rows_backward", "ipppfp", 1, call_normalize_rows_backward},
    {"layer_norm", "ipppfp", 1, call_layer_norm},
    {"layer_norm_backward", "ipppfppi", 1, call_layer_norm_backward},
    {"segment_sum", "iiippp", 0, call_segment_sum},
    {"segment_order", "iippp", 0, call_segment_order},
    {"segment_total", "piipppi", 1, call_segment_total},
    {"segment_max", "piipppp", 1, call_segment_max},
    {"segment_max_backward", "ipppp", 1, call_segment_max_backward},
    {"segment_shares", "iipp", 0, call_segment_shares},
    {"segment_mean_backward", "ipppp", 1, call_segment_mean_backward},
    {"segment_largest", "iippp", 0, call_segment_largest},
    {"segment_exponentials", "pppp", 1, call_segment_exponentials},
    {"segment_divide", "ppp", 1, call_segment_divide},
    {"segment_dots", "iipppp", 0, call_segment_dots},
    {"segment_softmax_backward", "ppppp", 1, call_segment_softmax_backward},
    {"similarity_tiles", "iiiipppi", 1, call_similarity_tiles},
    {"pair_similarities", "iiipppip", 1, call_pair_similarities},
    {"best_of_rows", "ippiipp", 1, call_best_of_rows},
    {"best_of_columns", "iiippiiipp", 1, call_best_of_columns},
    {"count_rows", "ippppp", 1, call_count_rows},
    {"count_columns", "iiippppp", 1, call_count_columns},
    {"softmax_rows", "ipp", 1, call_softmax_rows},
    {"log_softmax_rows", "ipp", 1, call_log_softmax_rows},
    {"softmax_rows_backward", "ippp", 1, call_softmax_rows_backward},
    {"log_softmax_rows_backward", "ippp", 1, call_log_softmax_rows_backward},
    {"top_k", "piipp", 1, call_top_k},
    {"permute_rows", "ppiip", 1, call_permute_rows},
    {"transpose_tiles", "ppiiiiiiip", 1, call_transpose_tiles},
};
