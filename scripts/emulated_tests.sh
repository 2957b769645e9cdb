#!/usr/bin/env bash
# Test the core crate for 64-bit ARM under an emulator: each CPU level on a CPU that has it, and what is left without it.
# tests/same_bits.rs compares scores with those of the reference implementations on x86-64, bit for bit; also with musl,
# for both processors.
# On Debian: apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
# Arguments select tests by parts of their names; without any, the tests of kernels and searches run, and scores are compared.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=aarch64-unknown-linux-gnu
# With and without dot products of bytes.
cpus=(max cortex-a57)

for command in qemu-aarch64 aarch64-linux-gnu-gcc rustup; do
  if ! command -v "$command" > /dev/null; then
    echo "$command is missing: apt-get install qemu-user gcc-aarch64-linux-gnu, and rustup for the target $target" >&2
    exit 2
  fi
done
rustup target add "$target" aarch64-unknown-linux-musl x86_64-unknown-linux-musl

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
tests=("$@")
if [[ $# -eq 0 ]]; then
  tests=(simd:: retrieval:: resampling:: io::features::)
fi
for cpu in "${cpus[@]}"; do
  echo "== $target on $cpu =="
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu -cpu $cpu"
  cargo test --quiet --locked --release --target "$target" -p muge-fast-core --lib -- "${tests[@]}"
  [[ $# -gt 0 ]] || cargo test --quiet --locked --release --target "$target" -p muge-fast-core --test same_bits
done

[[ $# -eq 0 ]] || exit 0
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER="qemu-aarch64"
musl=(aarch64-unknown-linux-musl)
[[ $(uname -m) != x86_64 ]] || musl+=(x86_64-unknown-linux-musl)
for target in "${musl[@]}"; do
  echo "== $target =="
  cargo test --quiet --locked --release --target "$target" -p muge-fast-core --test same_bits
done
