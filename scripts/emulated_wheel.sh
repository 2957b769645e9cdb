#!/usr/bin/env bash
# Try a manylinux wheel for 64-bit ARM under an emulator: compare the bits of scores, and run the demo.
# On Debian: apt-get install qemu-user. Python for ARM is unpacked from Debian's packages, into a folder of its own: nothing
# is installed, and apt's lists are not those of the system. Needs uv, and Debian's and Python's package registries.
# Arguments: the wheel; a folder that is kept for the next time.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
wheel=$(realpath "$1")
folder=$(mkdir -p "$2" && realpath "$2")

packages=(python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libgcc-s1 libstdc++6 libcrypt1 zlib1g
  libexpat1 libffi8 libssl3 libbz2-1.0 liblzma5 libsqlite3-0 libuuid1)
apt=(apt-get --quiet --quiet -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User="$(id -un)"
  -o Debug::NoLocking=1 -o Dir::State="$folder/apt" -o Dir::State::status="$folder/apt/status" -o Dir::Cache="$folder/apt/cache")

unpack_python() {
  mkdir -p "$folder"/apt/lists/partial "$folder"/apt/cache/archives/partial "$folder"/apt/packages "$folder"/new
  : > "$folder/apt/status"
  "${apt[@]}" update
  (cd "$folder/apt/packages" && "${apt[@]}" download "${packages[@]}")
  for package in "$folder"/apt/packages/*.deb; do
    dpkg-deb --extract "$package" "$folder/new"
  done
  mv "$folder/new" "$folder/root"
}

for command in qemu-aarch64 apt-get dpkg-deb uv; do
  if ! command -v "$command" > /dev/null; then
    echo "$command is missing" >&2
    exit 77
  fi
done
# 77: this machine cannot try it, which says nothing about the wheel.
[[ -e $folder/root ]] || unpack_python > "$folder.log" 2>&1 || { tail -n 3 "$folder.log" >&2; exit 77; }
rm -rf "$folder/site" "$folder/empty"
mkdir "$folder/empty"
uv pip install --quiet --target "$folder/site" --python-platform aarch64-manylinux2014 --python-version 3.11 \
  --only-binary :all: "$wheel"
cd "$folder/empty"
python=(qemu-aarch64 -L "$folder/root" -E PYTHONPATH="$folder/site" "$folder/root/usr/bin/python3.11")
"${python[@]}" -c 'import platform; assert platform.machine() == "aarch64"'
"${python[@]}" "$repository/tests/golden/check_same_bits.py"
"${python[@]}" -m muge_fast demo
