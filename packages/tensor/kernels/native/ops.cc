// Our kernels as an operation of TensorFlow, for tensors that only TensorFlow can reach: on a GPU.
// On a CPU the same operation runs the C bodies, so that all but the launchers can be tested there.
// It is an addon of Node too, so that `require` loads it after the binding. Build: see
// src/native/build-operations.ts, which names the operation after the build.
//
// Inputs: `job`, numbers on the host, and `tensors`. The job holds the place of the kernel in the
// table of launchers; items, and items of a block; scratch and bytes of it for a thread, for a CPU;
// then the values of the kernel. An address among them is a token: (input + 1) * 2^44 + bytes, the
// input counted among `tensors`; 0 is none. Kernels write into their inputs; there is no output.
#define NAPI_VERSION 8
#include <node_api.h>

#include <cmath>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "cuda-table.h"
#include "team.h"
#include "tensorflow/c/c_api.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#ifdef LAB_CUDA
#include <cuda_runtime_api.h>

extern "C" void *lab_stream_of(void *context);
#endif

namespace {

constexpr double SLOT_BYTES = 17592186044416.0;  // 2^44
constexpr int64_t FIRST_VALUE = 5;
constexpr int LAUNCHER_COUNT = static_cast<int>(sizeof launchers / sizeof *launchers);

// Places of the launched kernels in the table of all kernels.
int places[LAUNCHER_COUNT];

// The status of one run, and the inputs it has asked for.
class Run {
 public:
  explicit Run(TF_OpKernelContext *context) : context_(context), status_(TF_NewStatus()) {}
  Run(const Run &) = delete;
  Run &operator=(const Run &) = delete;
  ~Run() {
    if (TF_GetCode(status_) != TF_OK) TF_OpKernelContext_Failure(context_, status_);
    for (TF_Tensor *tensor : inputs_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }

  bool fail(TF_Code code, const std::string &message) {
    TF_SetStatus(status_, code, ("tensor: " + message).c_str());
    return false;
  }

  // Reads the job and, but for its addresses, checks it.
  bool read() {
    inputs_.assign(TF_NumInputs(context_), nullptr);
    for (size_t i = 0; i < inputs_.size(); i++) {
      TF_GetInput(context_, static_cast<int>(i), &inputs_[i], status_);
      if (TF_GetCode(status_) != TF_OK) return false;
    }
    const int64_t length = inputs_.empty() ? 0 : TF_TensorElementCount(inputs_[0]);
    if (length < FIRST_VALUE) return fail(TF_INVALID_ARGUMENT, "a job has five numbers at least.");
    job_ = static_cast<const double *>(TF_TensorData(inputs_[0]));
    if (!(job_[0] >= 0 && job_[0] < LAUNCHER_COUNT))
      return fail(TF_INVALID_ARGUMENT, "there is no kernel " + std::to_string(job_[0]) + ".");
    launcher = launchers + static_cast<int>(job_[0]);
    count = static_cast<int>(job_[1]);
    block = static_cast<int>(job_[2]);
    if (block < 1 || length < FIRST_VALUE + static_cast<int64_t>(std::strlen(launcher->types)))
      return fail(TF_INVALID_ARGUMENT, name() + " was given too few values.");
    return true;
  }

  // The values of the kernel, tokens resolved; `last` is the address of an answer or nothing.
  bool resolve(Value *values, void **last) {
    for (int i = 0; launcher->types[i]; i++) {
      const double value = job_[FIRST_VALUE + i];
      values[i].number = value;
      const char type = launcher->types[i];
      if (type != 'p' && type != 'a') continue;
      if (!address_of(value, &values[i].address)) return false;
      if (type == 'a' && (*last = values[i].address) == nullptr)
        return fail(TF_INVALID_ARGUMENT, name() + " has no address for its answer.");
    }
    return true;
  }

  bool scratch(void **address, double *bytes) {
    *bytes = job_[4];
    return address_of(job_[3], address);
  }

  std::string name() const { return std::string("the kernel ") + launcher->name; }
  TF_OpKernelContext *context() const { return context_; }

  const Launcher *launcher = nullptr;
  int count = 0, block = 1;

 private:
  bool address_of(double token, void **address) {
    *address = nullptr;
    if (token == 0) return true;
    const double slot = std::floor(token / SLOT_BYTES);
    const double offset = token - slot * SLOT_BYTES;
    if (!(slot >= 1 && slot < static_cast<double>(inputs_.size())) || offset != std::floor(offset))
      return fail(TF_INVALID_ARGUMENT, name() + " was given an address in none of its tensors.");
    const TF_Tensor *tensor = inputs_[static_cast<size_t>(slot)];
    if (offset > static_cast<double>(TF_TensorByteSize(tensor)))
      return fail(TF_INVALID_ARGUMENT, name() + " was given an address past the end of a tensor.");
    char *start = static_cast<char *>(TF_TensorData(tensor));
    *address = start == nullptr ? nullptr : start + static_cast<size_t>(offset);
    return true;
  }

  TF_OpKernelContext *context_;
  TF_Status *status_;
  std::vector<TF_Tensor *> inputs_;
  const double *job_ = nullptr;
};

double as_number(const void *address) {
  return static_cast<double>(reinterpret_cast<uintptr_t>(address));
}

void run_on_cpu(void *, TF_OpKernelContext *context) {
  Run run(context);
  Value values[MOST_VALUES];
  void *answer = nullptr, *scratch = nullptr;
  Job job = {};
  if (!run.read() || !run.resolve(values, &answer) || !run.scratch(&scratch, &job.scratch_bytes))
    return;
  double numbers[MOST_VALUES];
  for (int i = 0; run.launcher->types[i]; i++) {
    const bool is_address = run.launcher->types[i] == 'p';
    numbers[i] = is_address ? as_number(values[i].address) : values[i].number;
  }
  job.kernel = places[run.launcher - launchers];
  job.count = run.count, job.block = run.block;
  job.scratch = as_number(scratch), job.values = numbers;
  int failed = 0;
  const double result = run_job(&job, &failed);
  if (failed) run.fail(TF_RESOURCE_EXHAUSTED, "no memory for the scratch of a thread.");
  if (answer != nullptr) *static_cast<int32_t *>(answer) = static_cast<int32_t>(result);
}

#ifdef LAB_CUDA
void run_on_gpu(void *, TF_OpKernelContext *context) {
  Run run(context);
  Value values[MOST_VALUES];
  void *answer = nullptr;
  if (!run.read() || !run.resolve(values, &answer)) return;
  if (run.launcher->is_of_blocks && run.count <= 0) return;
  void *stream = lab_stream_of(context);
  if (stream == nullptr) {
    run.fail(TF_INTERNAL, "TensorFlow gave no stream of the GPU.");
    return;
  }
  const int error = run.launcher->call(stream, run.count, values);
  if (error == 0) return;
  cudaGetLastError();  // else the next kernel would be blamed for it
  run.fail(TF_INTERNAL, run.name() + " failed on the GPU with CUDA error " +
                            std::to_string(error) + ": " +
                            cudaGetErrorString(static_cast<cudaError_t>(error)) + ".");
}
#endif

void register_for(const char *device, void (*compute)(void *, TF_OpKernelContext *),
                  TF_Status *status) {
  TF_KernelBuilder *builder =
      TF_NewKernelBuilder(LAB_OPERATION, device, nullptr, compute, nullptr);
  TF_KernelBuilder_HostMemory(builder, "job");
  TF_RegisterKernelBuilder(LAB_OPERATION, builder, status);
}

// Whether the operation is there: another copy of this addon may have registered it.
bool is_registered(TF_Status *status) {
  TF_Buffer *found = TF_GetRegisteredKernelsForOp(LAB_OPERATION, status);
  const bool is_there = found != nullptr && found->length > 0;
  if (found != nullptr) TF_DeleteBuffer(found);
  return is_there;
}

void register_operation(TF_Status *status) {
  if (is_registered(status)) return;
  TF_OpDefinitionBuilder *builder = TF_NewOpDefinitionBuilder(LAB_OPERATION);
  TF_OpDefinitionBuilderAddAttr(builder, "Ttypes: list(type) >= 0");
  TF_OpDefinitionBuilderAddInput(builder, "job: double");
  TF_OpDefinitionBuilderAddInput(builder, "tensors: Ttypes");
  TF_OpDefinitionBuilderSetIsStateful(builder, true);
  TF_RegisterOpDefinition(builder, status);
  if (TF_GetCode(status) == TF_OK) register_for("CPU", run_on_cpu, status);
#ifdef LAB_CUDA
  if (TF_GetCode(status) == TF_OK) register_for("GPU", run_on_gpu, status);
#endif
}

// Finds the kernels of all launchers; the name of one that is not there, or nothing.
const char *find_places() {
  for (int i = 0; i < LAUNCHER_COUNT; i++) {
    places[i] = 0;
    while (places[i] < kernel_count() && std::strcmp(kernel_name(places[i]), launchers[i].name))
      places[i]++;
    if (places[i] == kernel_count()) return launchers[i].name;
  }
  return nullptr;
}

napi_value text(napi_env env, const char *value) {
  napi_value result;
  napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &result);
  return result;
}

// launchers: [name: string, types: string][], in the order of their numbers in a job
napi_value launcher_list(napi_env env) {
  napi_value list, entry;
  napi_create_array_with_length(env, LAUNCHER_COUNT, &list);
  for (int i = 0; i < LAUNCHER_COUNT; i++) {
    napi_create_array_with_length(env, 2, &entry);
    napi_set_element(env, entry, 0, text(env, launchers[i].name));
    napi_set_element(env, entry, 1, text(env, launchers[i].types));
    napi_set_element(env, list, i, entry);
  }
  return list;
}

}  // namespace

// Exports the name of the operation, the kernels it runs, and whether a GPU can be its device.
extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(
    napi_env env, napi_value exports) {
  static std::mutex one_at_a_time;
  const std::lock_guard<std::mutex> guard(one_at_a_time);
  TF_Status *status = TF_NewStatus();
  const char *missing = find_places();
  if (missing != nullptr) {
    const std::string message = std::string("tensor: there is no kernel ") + missing + ".";
    TF_SetStatus(status, TF_NOT_FOUND, message.c_str());
  } else {
    register_operation(status);
  }
  if (TF_GetCode(status) != TF_OK) napi_throw_error(env, nullptr, TF_Message(status));
  TF_DeleteStatus(status);
#ifdef LAB_CUDA
  const bool is_cuda = true;
#else
  const bool is_cuda = false;
#endif
  napi_value has_cuda;
  napi_get_boolean(env, is_cuda, &has_cuda);
  napi_set_named_property(env, exports, "operation", text(env, LAB_OPERATION));
  napi_set_named_property(env, exports, "launchers", launcher_list(env));
  napi_set_named_property(env, exports, "isCuda", has_cuda);
  return exports;
}
