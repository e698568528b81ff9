// A GPU held as TensorFlow holds it: through the driver's interface, in the primary context, with a
// stream that does not wait for the default one, and with no context current between the runs. The
// kernels come with the runtime's interface, so that both have to understand each other.
#include <cuda.h>
#include <dlfcn.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>

#include "machine.h"

namespace {

// The longest that a stream is held, in case a kernel waits for it.
constexpr auto LONGEST_HOLD = std::chrono::seconds(20);

void must(CUresult result, const char *what) {
  if (result == CUDA_SUCCESS) return;
  throw std::runtime_error(std::string(what) + ": CUDA error " + std::to_string(result));
}

// Found when the program runs: the driver's library is not everywhere where there is a compiler.
void *driver_function(const char *name) {
  static void *library = dlopen("libcuda.so.1", RTLD_NOW);
  void *found = library == nullptr ? nullptr : dlsym(library, name);
  if (found == nullptr) throw std::runtime_error(std::string("the driver has no ") + name);
  return found;
}

#define DRIVER(name) reinterpret_cast<decltype(&name)>(driver_function(#name))

CUcontext make_current(CUcontext wanted) {
  CUcontext before = nullptr;
  must(DRIVER(cuCtxGetCurrent)(&before), "context");
  must(DRIVER(cuCtxSetCurrent)(wanted), "context");
  return before;
}

// A context that is the thread's own for a while.
class Current {
 public:
  explicit Current(CUcontext wanted) : before_(make_current(wanted)) {}
  ~Current() { make_current(before_); }

 private:
  CUcontext before_;
};

class Gpu : public Machine {
 public:
  Gpu() {
    must(DRIVER(cuDeviceGet)(&device_, 0), "device");
    must(DRIVER(cuDevicePrimaryCtxRetain)(&context_, device_), "context");
    const Current current(context_);
    must(DRIVER(cuStreamCreate)(&stream_, CU_STREAM_NON_BLOCKING), "stream");
  }

  const char *device() const override { return "GPU"; }

  std::string name() const override {
    char name[256] = "";
    must(DRIVER(cuDeviceGetName)(name, sizeof name, device_), "name");
    return name;
  }

  void *allocate(size_t bytes) override {
    const Current current(context_);
    CUdeviceptr place = 0;
    must(DRIVER(cuMemAlloc_v2)(&place, bytes), "memory");
    return reinterpret_cast<void *>(place);
  }

  void release(void *memory) override {
    const Current current(context_);
    must(DRIVER(cuMemFree_v2)(reinterpret_cast<CUdeviceptr>(memory)), "memory");
  }

  void write(void *to, const void *from, size_t bytes) override {
    if (bytes == 0) return;
    const Current current(context_);
    must(DRIVER(cuMemcpyHtoD_v2)(reinterpret_cast<CUdeviceptr>(to), from, bytes), "copy");
  }

  void read(void *to, const void *from, size_t bytes) override {
    if (bytes == 0) return;
    const Current current(context_);
    must(DRIVER(cuMemcpyDtoH_v2)(to, reinterpret_cast<CUdeviceptr>(from), bytes), "copy");
  }

  void *stream() const override { return stream_; }
  void enter() override { outer_ = make_current(context_); }
  void leave() override { make_current(outer_); }

  void wait() override {
    const Current current(context_);
    must(DRIVER(cuStreamSynchronize)(stream_), "stream");
  }

  bool can_hold() const override { return true; }

  void hold() override {
    const Current current(context_);
    is_held_ = true;
    was_too_long_ = false;
    must(DRIVER(cuLaunchHostFunc)(stream_, wait_while_held, this), "hold");
  }

  void let_go() override {
    {
      const std::lock_guard<std::mutex> guard(lock_);
      is_held_ = false;
    }
    free_.notify_all();
    wait();
    if (was_too_long_) throw std::runtime_error("a run of the operation waited for the GPU");
  }

  size_t temporary_bytes() override {
    CUmemoryPool pool = nullptr;
    cuuint64_t bytes = 0;
    must(DRIVER(cuDeviceGetDefaultMemPool)(&pool, device_), "pool");
    must(DRIVER(cuMemPoolGetAttribute)(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &bytes), "pool");
    return static_cast<size_t>(bytes);
  }

 private:
  static void wait_while_held(void *own) {
    Gpu &gpu = *static_cast<Gpu *>(own);
    std::unique_lock<std::mutex> guard(gpu.lock_);
    gpu.was_too_long_ = !gpu.free_.wait_for(guard, LONGEST_HOLD, [&] { return !gpu.is_held_; });
  }

  CUdevice device_ = 0;
  CUcontext context_ = nullptr, outer_ = nullptr;
  CUstream stream_ = nullptr;
  std::mutex lock_;
  std::condition_variable free_;
  bool is_held_ = false, was_too_long_ = false;
};

}  // namespace

std::unique_ptr<Machine> create_gpu() {
  int count = 0;
  if (dlopen("libcuda.so.1", RTLD_NOW) == nullptr || DRIVER(cuInit)(0) != CUDA_SUCCESS ||
      DRIVER(cuDeviceGetCount)(&count) != CUDA_SUCCESS || count == 0)
    return nullptr;
  return std::make_unique<Gpu>();
}
