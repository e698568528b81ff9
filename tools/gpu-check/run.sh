#!/bin/sh
# Builds the CUDA kernels, checks them against float64 and times them beside PyTorch, and checks the
# operation of TensorFlow that starts them:
#   sh tools/gpu-check/run.sh FOLDER [--small]
# writes FOLDER/gpu-check.json, FOLDER/gpu-check.md and FOLDER/operation.json. Exit 0: all right; 1:
# a case failed, or the build did; 2: usage; 3: no nvcc or no GPU. Needs python3 with numpy, torch
# for its columns, and what operation/run.sh needs, else the operation is left out.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/prepare.sh"

"$nvcc" "$work"/*.o -o "$work/driver" -ldl

# PyTorch brings a cuBLAS of its own, which the driver looks for when it runs.
blas=$(python3 -c '
import glob, site, sysconfig
roots = {sysconfig.get_paths()["purelib"], *site.getsitepackages()}
names = [root + "/nvidia/**/libcublas.so*" for root in sorted(roots)]
found = [file for name in names for file in glob.glob(name, recursive=True)]
print(found[0].rsplit("/", 1)[0] if found else "")') || blas=
export LD_LIBRARY_PATH="$blas:/usr/local/cuda/lib64:${LD_LIBRARY_PATH:-}"

echo "checking and timing the kernels" >&2
status=0
"$work/driver" "$work/cases" >"$work/driver.txt" || status=$?

echo "timing PyTorch" >&2
python3 "$here/torch_times.py" "$work/torch.json" || echo "PyTorch: not timed" >&2

version=$("$nvcc" --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')
python3 "$here/report.py" "$work/driver.txt" "$work/torch.json" "$version" "$out"
cat "$out/gpu-check.md"

. "$here/operation/check.sh"
if [ "$operation" -eq 1 ]; then status=1; fi
exit "$status"
