// The CUDA stream on which TensorFlow runs an operation. The C interface has TF_GetStream, but only
// for devices that were plugged in: it refuses TensorFlow's own GPU.
#include "tensorflow/core/framework/op_kernel.h"
#include "xla/stream_executor/stream.h"

// `context` is the TF_OpKernelContext of a run; null where there is no stream.
extern "C" void *lab_stream_of(void *context) {
  const auto *device = static_cast<tensorflow::OpKernelContext *>(context)->op_device_context();
  if (device == nullptr || device->stream() == nullptr) return nullptr;
  return device->stream()->platform_specific_handle().stream;
}
