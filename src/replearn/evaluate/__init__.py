"""What an embedding is good for: arrays in, numbers out. One file for each question.

Nothing here trains an encoder, so anybody's vectors can be scored.
"""

from replearn.evaluate.choosing import agreement, choose
from replearn.evaluate.clusters import ClusterScore, cluster_scores, compare_clusters
from replearn.evaluate.few_labels import draw_labels, few_label_curve, group_split
from replearn.evaluate.geometry import (
    alignment,
    alpha_req,
    dead_dimensions,
    effective_rank,
    singular_values,
    sparsity,
    uniformity,
)
from replearn.evaluate.intervals import student_interval, wilson_interval
from replearn.evaluate.linear import LinearProbe, LinearScore, linear_probe
from replearn.evaluate.neighbours import knn_probe, nearest
from replearn.evaluate.scorecard import join_seeds, scorecard

__all__ = [
    "ClusterScore",
    "LinearProbe",
    "LinearScore",
    "agreement",
    "alignment",
    "alpha_req",
    "choose",
    "cluster_scores",
    "compare_clusters",
    "dead_dimensions",
    "draw_labels",
    "effective_rank",
    "few_label_curve",
    "group_split",
    "join_seeds",
    "knn_probe",
    "linear_probe",
    "nearest",
    "scorecard",
    "singular_values",
    "sparsity",
    "student_interval",
    "uniformity",
    "wilson_interval",
]
