#!/bin/bash
#SBATCH --job-name=replearn
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --gpus-per-node=2
#SBATCH --cpus-per-task=8
#SBATCH --time=12:00:00
#SBATCH --signal=TERM@120
#SBATCH --open-mode=append
#
#   RUN=runs/photos sbatch slurm.sh simclr photos/ --epochs 100
#
# A process (task) for each graphics card. Two minutes before the time is over the processes are told to stop: they save
# where they are, the job is queued again, and goes on there. RUN, DATA and the environment lie on a shared file system.
set -euo pipefail
export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
resume=()
if [ -e "$RUN/method.json" ]; then
    resume=(--resume)
fi
code=0
srun replearn fit "$@" --run "$RUN" ${resume[@]+"${resume[@]}"} || code=$?
if [ "$code" -eq 143 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
