#!/bin/bash
# One training on two machines. On each, with the same command at the end, and runs/ on a file system that both share:
#
#   bash torchrun.sh 0 first-machine fit simclr photos/ --run runs/photos      on the first
#   bash torchrun.sh 1 first-machine fit simclr photos/ --run runs/photos      on the second
#
# PROCESSES is how many processes a machine has, one for each of its graphics cards; NODES how many machines.
set -euo pipefail
rank=$1 first=$2
shift 2
exec torchrun --nnodes "${NODES:-2}" --node-rank "$rank" --nproc-per-node "${PROCESSES:-1}" \
    --master-addr "$first" --master-port "${PORT:-29500}" -m -- replearn "$@"
