// Every kernel with a CUDA launcher, by its exported name, and a call of it.
// Written by kernels/build.mjs from cuda/launchers.h; do not edit.
#pragma once

#include "kernel.h"

#ifdef LAB_CUDA
#include "../cuda/launchers.h"

#define LAUNCH(function) function

static int launch_csr_product(void *stream, int count, const Value *v) {
  return lab_cuda_csr_product(stream, count, (int)v[0].number, (const int32_t *)v[1].address, (const int32_t *)v[2].address, (const float *)v[3].address, (const float *)v[4].address, (float *)v[5].address);
}
static int launch_csr_sampled_dot(void *stream, int count, const Value *v) {
  return lab_cuda_csr_sampled_dot(stream, count, (int)v[0].number, (const int32_t *)v[1].address, (const int32_t *)v[2].address, (const float *)v[3].address, (const float *)v[4].address, (float *)v[5].address);
}
static int launch_gather_row_blocks(void *stream, int count, const Value *v) {
  return lab_cuda_gather_row_blocks(stream, count, (const float *)v[0].address, (int)v[1].number, (int)v[2].number, (const int32_t *)v[3].address, (int)v[4].number, (float *)v[5].address);
}
static int launch_find_outside(void *stream, int count, const Value *v) {
  (void)count;
  return lab_cuda_find_outside(stream, (int)v[0].number, (const int32_t *)v[1].address, (int)v[2].number, (int)v[3].number, (int *)v[4].address);
}
static int launch_attention_coefficients(void *stream, int count, const Value *v) {
  return lab_cuda_attention_coefficients(stream, count, (int)v[0].number, (const int32_t *)v[1].address, (const int32_t *)v[2].address, (const float *)v[3].address, (float)v[4].number, (float)v[5].number, (float *)v[6].address);
}
static int launch_attention_head_mean(void *stream, int count, const Value *v) {
  return lab_cuda_attention_head_mean(stream, count, (int)v[0].number, (const float *)v[1].address, (float *)v[2].address);
}
static int launch_attention_collect(void *stream, int count, const Value *v) {
  return lab_cuda_attention_collect(stream, count, (int)v[0].number, (int)v[1].number, (const int32_t *)v[2].address, (const int32_t *)v[3].address, (const float *)v[4].address, (const float *)v[5].address, (const float *)v[6].address, (float *)v[7].address);
}
static int launch_attention_sent(void *stream, int count, const Value *v) {
  return lab_cuda_attention_sent(stream, count, (int)v[0].number, (int)v[1].number, (const int32_t *)v[2].address, (const int32_t *)v[3].address, (const int32_t *)v[4].address, (const float *)v[5].address, (const float *)v[6].address, (const float *)v[7].address, (const float *)v[8].address, (float *)v[9].address, (int)v[10].number, (float *)v[11].address, (float *)v[12].address);
}
static int launch_attention_softmax_backward(void *stream, int count, const Value *v) {
  return lab_cuda_attention_softmax_backward(stream, count, (int)v[0].number, (const int32_t *)v[1].address, (const int32_t *)v[2].address, (const float *)v[3].address, (float)v[4].number, (float)v[5].number, (const float *)v[6].address, (float *)v[7].address, (float *)v[8].address);
}
static int launch_attention_source_sums(void *stream, int count, const Value *v) {
  return lab_cuda_attention_source_sums(stream, count, (int)v[0].number, (const int32_t *)v[1].address, (const int32_t *)v[2].address, (const float *)v[3].address, (float *)v[4].address);
}
static int launch_add_row_combinations(void *stream, int count, const Value *v) {
  return lab_cuda_add_row_combinations(stream, count, (int)v[0].number, (int)v[1].number, (const float *)v[2].address, (const float *)v[3].address, (float *)v[4].address);
}
static int launch_segment_order(void *stream, int count, const Value *v) {
  (void)count;
  return lab_cuda_segment_order(stream, (int)v[0].number, (int)v[1].number, (const int32_t *)v[2].address, (int32_t *)v[3].address, (int32_t *)v[4].address);
}
static int launch_segment_total(void *stream, int count, const Value *v) {
  return lab_cuda_segment_total(stream, count, (const float *)v[0].address, (int)v[1].number, (int)v[2].number, (const int32_t *)v[3].address, (const int32_t *)v[4].address, (float *)v[5].address, (int)v[6].number);
}
static int launch_segment_max(void *stream, int count, const Value *v) {
  return lab_cuda_segment_max(stream, count, (const float *)v[0].address, (int)v[1].number, (int)v[2].number, (const int32_t *)v[3].address, (const int32_t *)v[4].address, (float *)v[5].address, (int32_t *)v[6].address);
}
static int launch_segment_max_backward(void *stream, int count, const Value *v) {
  return lab_cuda_segment_max_backward(stream, count, (int)v[0].number, (const float *)v[1].address, (const int32_t *)v[2].address, (const int32_t *)v[3].address, (float *)v[4].address);
}
static int launch_segment_mean_backward(void *stream, int count, const Value *v) {
  return lab_cuda_segment_mean_backward(stream, count, (int)v[0].number, (const float *)v[1].address, (const float *)v[2].address, (const int32_t *)v[3].address, (float *)v[4].address);
}
static int launch_segment_sum(void *stream, int count, const Value *v) {
  (void)count;
  return lab_cuda_segment_sum(stream, (int)v[0].number, (int)v[1].number, (int)v[2].number, (const float *)v[3].address, (const int32_t *)v[4].address, (float *)v[5].address);
}
static int launch_segment_dots(void *stream, int count, const Value *v) {
  (void)count;
  return lab_cuda_segment_dots(stream, (int)v[0].number, (int)v[1].number, (const float *)v[2].address, (const float *)v[3].address, (const int32_t *)v[4].address, (float *)v[5].address);
}
static int launch_segment_shares(void *stream, int count, const Value *v) {
  (void)count;
  return lab_cuda_segment_shares(stream, (int)v[0].number, (int)v[1].number, (const int32_t *)v[2].address, (float *)v[3].address);
}
static int launch_segment_largest(void *stream, int count, const Value *v) {
  (void)count;
  return lab_cuda_segment_largest(stream, (int)v[0].number, (int)v[1].number, (const float *)v[2].address, (const int32_t *)v[3].address, (float *)v[4].address);
}
static int launch_segment_exponentials(void *stream, int count, const Value *v) {
  return lab_cuda_segment_exponentials(stream, count, (const float *)v[0].address, (const int32_t *)v[1].address, (const float *)v[2].address, (float *)v[3].address);
}
static int launch_segment_divide(void *stream, int count, const Value *v) {
  return lab_cuda_segment_divide(stream, count, (const int32_t *)v[0].address, (const float *)v[1].address, (float *)v[2].address);
}
static int launch_segment_softmax_backward(void *stream, int count, const Value *v) {
  return lab_cuda_segment_softmax_backward(stream, count, (const float *)v[0].address, (const float *)v[1].address, (const int32_t *)v[2].address, (const float *)v[3].address, (float *)v[4].address);
}
static int launch_softmax_rows(void *stream, int count, const Value *v) {
  return lab_cuda_softmax_rows(stream, count, (int)v[0].number, (const float *)v[1].address, (float *)v[2].address);
}
static int launch_log_softmax_rows(void *stream, int count, const Value *v) {
  return lab_cuda_log_softmax_rows(stream, count, (int)v[0].number, (const float *)v[1].address, (float *)v[2].address);
}
static int launch_softmax_rows_backward(void *stream, int count, const Value *v) {
  return lab_cuda_softmax_rows_backward(stream, count, (int)v[0].number, (const float *)v[1].address, (const float *)v[2].address, (float *)v[3].address);
}
static int launch_log_softmax_rows_backward(void *stream, int count, const Value *v) {
  return lab_cuda_log_softmax_rows_backward(stream, count, (int)v[0].number, (const float *)v[1].address, (const float *)v[2].address, (float *)v[3].address);
}
static int launch_normalize_rows(void *stream, int count, const Value *v) {
  return lab_cuda_normalize_rows(stream, count, (int)v[0].number, (const float *)v[1].address, (float)v[2].number, (float *)v[3].address, (float *)v[4].address);
}
static int launch_normalize_rows_backward(void *stream, int count, const Value *v) {
  return lab_cuda_normalize_rows_backward(stream, count, (int)v[0].number, (const float *)v[1].address, (const float *)v[2].address, (const float *)v[3].address, (float)v[4].number, (float *)v[5].address);
}
static int launch_layer_norm(void *stream, int count, const Value *v) {
  return lab_cuda_layer_norm(stream, count, (int)v[0].number, (const float *)v[1].address, (const float *)v[2].address, (const float *)v[3].address, (float)v[4].number, (float *)v[5].address);
}
static int launch_rms_norm(void *stream, int count, const Value *v) {
  return lab_cuda_rms_norm(stream, count, (int)v[0].number, (const float *)v[1].address, (const float *)v[2].address, (float)v[3].number, (float *)v[4].address);
}
static int launch_adamw(void *stream, int count, const Value *v) {
  return lab_cuda_adamw(stream, count, (float *)v[0].address, (const float *)v[1].address, (float *)v[2].address, (float *)v[3].address, (float)v[4].number, (float)v[5].number, (float)v[6].number, (float)v[7].number, (float)v[8].number, (float)v[9].number);
}
static int launch_dropout(void *stream, int count, const Value *v) {
  return lab_cuda_dropout(stream, count, (const float *)v[0].address, (uint32_t)v[1].number, (uint32_t)v[2].number, (float)v[3].number, (float *)v[4].address);
}
static int launch_sum_parts(void *stream, int count, const Value *v) {
  (void)count;
  return lab_cuda_sum_parts(stream, (int)v[0].number, (int)v[1].number, (const float *)v[2].address, (float *)v[3].address);
}
static int launch_scale_values(void *stream, int count, const Value *v) {
  return lab_cuda_scale_values(stream, count, (const float *)v[0].address, (float)v[1].number, (float *)v[2].address);
}
#else
#define LAUNCH(function) 0
#endif

static const Launcher launchers[] = {
    {"csr_product", "ippppp", 1, LAUNCH(launch_csr_product)},
    {"csr_sampled_dot", "ippppp", 1, LAUNCH(launch_csr_sampled_dot)},
    {"gather_row_blocks", "piipip", 1, LAUNCH(launch_gather_row_blocks)},
    {"find_outside", "ipiia", 0, LAUNCH(launch_find_outside)},
    {"attention_coefficients", "ipppffp", 1, LAUNCH(launch_attention_coefficients)},
    {"attention_head_mean", "ipp", 1, LAUNCH(launch_attention_head_mean)},
    {"attention_collect", "iipppppp", 1, LAUNCH(launch_attention_collect)},
    {"attention_sent", "iippppppppipp", 1, LAUNCH(launch_attention_sent)},
    {"attention_softmax_backward", "ipppffppp", 1, LAUNCH(launch_attention_softmax_backward)},
    {"attention_source_sums", "ipppp", 1, LAUNCH(launch_attention_source_sums)},
    {"add_row_combinations", "iippp", 1, LAUNCH(launch_add_row_combinations)},
    {"segment_order", "iippp", 0, LAUNCH(launch_segment_order)},
    {"segment_total", "piipppi", 1, LAUNCH(launch_segment_total)},
    {"segment_max", "piipppp", 1, LAUNCH(launch_segment_max)},
    {"segment_max_backward", "ipppp", 1, LAUNCH(launch_segment_max_backward)},
    {"segment_mean_backward", "ipppp", 1, LAUNCH(launch_segment_mean_backward)},
    {"segment_sum", "iiippp", 0, LAUNCH(launch_segment_sum)},
    {"segment_dots", "iipppp", 0, LAUNCH(launch_segment_dots)},
    {"segment_shares", "iipp", 0, LAUNCH(launch_segment_shares)},
    {"segment_largest", "iippp", 0, LAUNCH(launch_segment_largest)},
    {"segment_exponentials", "pppp", 1, LAUNCH(launch_segment_exponentials)},
    {"segment_divide", "ppp", 1, LAUNCH(launch_segment_divide)},
    {"segment_softmax_backward", "ppppp", 1, LAUNCH(launch_segment_softmax_backward)},
    {"softmax_rows", "ipp", 1, LAUNCH(launch_softmax_rows)},
    {"log_softmax_rows", "ipp", 1, LAUNCH(launch_log_softmax_rows)},
    {"softmax_rows_backward", "ippp", 1, LAUNCH(launch_softmax_rows_backward)},
    {"log_softmax_rows_backward", "ippp", 1, LAUNCH(launch_log_softmax_rows_backward)},
    {"normalize_rows", "ipfpp", 1, LAUNCH(launch_normalize_rows)},
    {"normalize_rows_backward", "ipppfp", 1, LAUNCH(launch_normalize_rows_backward)},
    {"layer_norm", "ipppfp", 1, LAUNCH(launch_layer_norm)},
    {"rms_norm", "ippfp", 1, LAUNCH(launch_rms_norm)},
    {"adamw", "ppppffffff", 1, LAUNCH(launch_adamw)},
    {"dropout", "puufp", 1, LAUNCH(launch_dropout)},
    {"sum_parts", "iipp", 0, LAUNCH(launch_sum_parts)},
    {"scale_values", "pfp", 1, LAUNCH(launch_scale_values)},
};
