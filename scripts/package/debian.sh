#!/bin/bash
# Runs in a clean Debian (scripts/package/debian.mjs) with the tarball's name: installs it and computes, on each Node.
set -euo pipefail
export HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
unset "${!npm_@}" NODE_EXTRA_CA_CERTS OPENBLAS_CORETYPE

for command in c++ g++ gcc cc make python3 pkg-config; do
  if command -v "$command"; then echo "$command is there already: this proves nothing" >&2; exit 1; fi
done
if find / -xdev -name '*blas*.so*' | grep .; then echo 'a BLAS is there already: this proves nothing' >&2; exit 1; fi

mkdir /root/empty
cd /root/empty
echo '{}' >package.json
for node in /root/runtimes/*; do
  rm -rf node_modules package-lock.json
  "$node" /root/npm/bin/npm-cli.js install --ignore-scripts --offline --no-audit --no-fund "/root/$1" >/root/npm.log 2>&1 ||
    { cat /root/npm.log >&2; exit 1; }
  cp -r /root/programs programs
  for program in import.mjs require.cjs worker.mjs; do
    "$node" "programs/$program" >/root/said || { echo "${node##*/} $program failed" >&2; exit 1; }
    grep -q '"source":"prebuild"' /root/said
  done
  "$node" node_modules/matfun/dist/cli/main.js info >/dev/null
  rm -r programs
  echo "set-up: ${node##*/} in a clean Debian $(cat /etc/debian_version), by import, by require, in a worker: right"
done
