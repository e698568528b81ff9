// The addon of packages/tensor/kernels/native/ops.cc, loaded without Node.
#pragma once

#include <string>
#include <vector>

// What Node would be given by it.
struct Addon {
  struct Launcher {
    std::string name, types;
  };
  std::string operation;
  std::vector<Launcher> launchers;
  bool is_cuda = false;
};

// Loads the addon as Node does, which registers the operation with TensorFlow; throws what the
// addon throws.
Addon load_addon(const std::string &path);
