#!/bin/bash
# Proves the set-up on a machine that has Node and git only: makes a minimal Debian in a temporary folder, copies
# this machine's Node into it, clones the last commit there and runs the commands of the README.
set -euo pipefail

usage='usage: scripts/clean-debian.sh [--suite NAME] [--overlay FOLDER] [--no-headers] [--keep] [--] [COMMAND ...]
  --suite NAME      Debian release (default: bookworm)
  --overlay FOLDER  files laid over the tree first: certificates and settings that a proxy needs, say
  --no-headers      leave out include/node, as some packages of Node do; node-gyp then downloads it
  --keep            leave the tree behind, and say where
  COMMAND ...       run these, each by bash, in the clone (default: npm start, npm test)
Needs root, Linux, debootstrap, and Node and npm of a kind that runs on that release.'

inside() { # runs in a mount namespace of its own: the mounts go with the process, however it ends
  local tree=$1
  mount -t proc proc "$tree/proc"
  mount --rbind /dev "$tree/dev"
  exec chroot "$tree" /bin/bash /root/proof.sh
}

write_proof() { # what runs in the tree, for the commands given
  cat <<'PROOF'
set -euo pipefail
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
title() { printf '\n#### %s\n' "$*"; }

title 'the machine: Node and git only'
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends git >/dev/null 2>&1
echo "node $(node --version), npm $(npm --version), $(git --version)"
for command in c++ g++ gcc make python3 pkg-config cmake; do
  if command -v "$command"; then echo "$command is there already: this proves nothing" >&2; exit 1; fi
done
git -c advice.detachedHead=false clone -q /root/matfun.bundle /root/matfun
cd /root/matfun

title 'a user who may not install: exit code 1 and the command to run'
cp -r /root/matfun /tmp/matfun-nobody
chown -R nobody /tmp/matfun-nobody
refused=0
(cd /tmp/matfun-nobody && setpriv --reuid=nobody --clear-groups node scripts/setup.mjs --for test) || refused=$?
test "$refused" = 1
rm -r /tmp/matfun-nobody

title '--check: exit code 1 and what is missing'
checked=0
node scripts/setup.mjs --for test --check || checked=$?
test "$checked" = 1

PROOF
  local command
  for command in "$@"; do printf "title %q\ntime bash -c %q\n" "$command" "$command"; done
  cat <<'PROOF'

title 'set-up again, without any network: nothing to do'
time unshare --net node scripts/setup.mjs --for test >/tmp/again
test ! -s /tmp/again
test -z "$(git status --porcelain)"

title 'set-up after a change of one source, without any network: builds that one'
echo '// changed' >>native/linalg/blas.cpp
time unshare --net node scripts/setup.mjs
git checkout -q native/linalg/blas.cpp

title 'proven'
PROOF
}

suite=bookworm overlay='' headers=yes keep=no
while (($# > 0)); do
  case $1 in
    --inside) inside "$2" ;;
    --suite) suite=${2:?"$usage"}; shift 2 ;;
    --overlay) overlay=${2:?"$usage"}; shift 2 ;;
    --no-headers) headers=no; shift ;;
    --keep) keep=yes; shift ;;
    --) shift; break ;;
    -*) echo "$usage" >&2; exit 2 ;;
    *) break ;;
  esac
done
(($# > 0)) || set -- 'npm start' 'npm test'
if ((EUID != 0)) || ! command -v debootstrap >/dev/null; then echo "$usage" >&2; exit 2; fi

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tree=$(mktemp -d "${TMPDIR:-/tmp}/matfun-debian.XXXXXX")
chmod 755 "$tree" # apt and the user who may not install are not root
clean_up() {
  if [[ $keep = yes ]]; then echo "kept: $tree"; else rm -rf --one-file-system "$tree"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

echo "#### debootstrap $suite"
debootstrap --variant=minbase "$suite" "$tree" >"$tree.log" 2>&1 || { tail -20 "$tree.log" >&2; exit 1; }
rm "$tree.log"

# Node lies in the tree as its official archives lay it out: bin, lib/node_modules, include/node.
node=$(node -p 'fs.realpathSync(process.execPath)')
prefix=$(dirname "$(dirname "$node")")
install -D "$node" "$tree/usr/local/bin/node"
mkdir -p "$tree/usr/local/lib/node_modules" "$tree/usr/local/include"
cp -r "$prefix/lib/node_modules/npm" "$tree/usr/local/lib/node_modules/"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$tree/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$tree/usr/local/bin/npx"
if [[ $headers = yes ]]; then cp -r "$prefix/include/node" "$tree/usr/local/include/"; fi
if [[ -n $overlay ]]; then cp -rT "$overlay" "$tree"; fi

git -C "$repository" bundle create -q "$tree/root/matfun.bundle" HEAD
write_proof "$@" >"$tree/root/proof.sh"
# The settings of the npm or the user who starts this are not part of a clean machine.
mapfile -t settings < <(compgen -e | grep -i '^npm_' || true)
for name in "${settings[@]}"; do unset "$name"; done
unshare --mount --propagation private -- "${BASH_SOURCE[0]}" --inside "$tree"
