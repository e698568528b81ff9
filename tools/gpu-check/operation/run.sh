#!/bin/sh
# Checks the operation of TensorFlow that starts the CUDA kernels, on a GPU and on the CPU:
#   sh tools/gpu-check/operation/run.sh FOLDER [--small]
# writes FOLDER/operation.json. Exit 0: all right; 1: a case failed, or the build did; 2: usage; 3:
# no nvcc, no GPU, no TensorFlow or no headers of Node. Needs python3 with numpy; TensorFlow, also
# one for the CPU, where python3 finds it or in $TENSORFLOW; and the headers of Node, beside `node`
# or in $NODE_HEADERS.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/prepare.sh"
. "$here/operation/check.sh"
exit "$operation"
