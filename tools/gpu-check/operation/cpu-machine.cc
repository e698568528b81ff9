#include <cstdlib>
#include <cstring>

#include "machine.h"

namespace {

class Cpu : public Machine {
 public:
  const char *device() const override { return "CPU"; }
  std::string name() const override { return "CPU"; }
  void *allocate(size_t bytes) override { return std::aligned_alloc(64, (bytes + 64) / 64 * 64); }
  void release(void *memory) override { std::free(memory); }
  void write(void *to, const void *from, size_t bytes) override { copy(to, from, bytes); }
  void read(void *to, const void *from, size_t bytes) override { copy(to, from, bytes); }
  void *stream() const override { return nullptr; }
  void enter() override {}
  void leave() override {}
  void wait() override {}
  bool can_hold() const override { return false; }
  void hold() override {}
  void let_go() override {}
  size_t temporary_bytes() override { return 0; }

 private:
  static void copy(void *to, const void *from, size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
};

}  // namespace

std::unique_ptr<Machine> create_cpu() { return std::make_unique<Cpu>(); }
