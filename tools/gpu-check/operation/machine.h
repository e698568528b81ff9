// Where tensors lie and kernels run: the CPU, or a GPU as TensorFlow's GPU build holds one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

class Machine {
 public:
  virtual ~Machine() = default;

  // TensorFlow's word for such a device: "CPU" or "GPU".
  virtual const char *device() const = 0;
  virtual std::string name() const = 0;

  virtual void *allocate(size_t bytes) = 0;
  virtual void release(void *memory) = 0;
  // Copies between this memory and the program's; they do not wait for the stream.
  virtual void write(void *to, const void *from, size_t bytes) = 0;
  virtual void read(void *to, const void *from, size_t bytes) = 0;

  // The CUDA stream of the kernels; null on a CPU.
  virtual void *stream() const = 0;
  // What stands around every run of an operation: the GPU's context is the thread's own in between.
  virtual void enter() = 0;
  virtual void leave() = 0;
  // Waits until all that was put on the stream is done.
  virtual void wait() = 0;

  // Whether the stream can be held: nothing put on it then begins before it is let go.
  virtual bool can_hold() const = 0;
  virtual void hold() = 0;
  virtual void let_go() = 0;

  // Bytes that kernels have taken from CUDA's pool for a moment and not given back.
  virtual size_t temporary_bytes() = 0;
};

std::unique_ptr<Machine> create_cpu();
// Null where there is no GPU.
std::unique_ptr<Machine> create_gpu();
