"""What an embedding is good for: arrays in, numbers out. One file for each question.

Nothing here trains an encoder, so anybody's vectors can be scored.
"""

from replearn.evaluate.balance import balanced, hierarchical_kmeans
from replearn.evaluate.choosing import agreement, choose
from replearn.evaluate.clusters import ClusterScore, class_silhouette, cluster_scores, compare_clusters
from replearn.evaluate.colours import ColourScore, colour_baselines, colour_score, colour_table
from replearn.evaluate.copies import NearCopies, near_copies, near_texts, near_texts_within, near_within
from replearn.evaluate.detection import average_precision, detection_scores
from replearn.evaluate.disentanglement import disentanglement
from replearn.evaluate.episodes import EpisodeScore, episodes
from replearn.evaluate.factor_information import modularity, mutual_information_gap
from replearn.evaluate.factor_prediction import DCI, dci, explicitness, separated_attribute_predictability
from replearn.evaluate.factor_votes import beta_vae_score, factor_vae_score
from replearn.evaluate.few_labels import draw_labels, few_label_curve, group_split
from replearn.evaluate.geometry import (
    alignment,
    alpha_req,
    dead_dimensions,
    effective_rank,
    lifetime_sparseness,
    population_sparseness,
    singular_values,
    sparsity,
    uniformity,
)
from replearn.evaluate.hierarchy import layer_probes
from replearn.evaluate.interpolation import interpolate, linear_path, spherical_path
from replearn.evaluate.intervals import accuracy_interval, student_interval, wilson_interval
from replearn.evaluate.label_errors import LabelErrors, label_errors, out_of_fold
from replearn.evaluate.latents import latent_scores
from replearn.evaluate.layers import control_labels, layer_knowledge
from replearn.evaluate.linear import LinearProbe, LinearScore, linear_probe
from replearn.evaluate.memorization import memorization, overlap
from replearn.evaluate.modalities import modality_gap, shared_space
from replearn.evaluate.mutual_information import discretise, entropy, mutual_information
from replearn.evaluate.neighbours import knn_probe, nearest
from replearn.evaluate.outliers import outlying
from replearn.evaluate.pairs import relatedness, retrieval
from replearn.evaluate.partition import LogPartition, exact_log_partition, log_partition
from replearn.evaluate.power_law import PowerLaw, power_law
from replearn.evaluate.probe_space import ProbeSpace, probe_space
from replearn.evaluate.prompting import few_shot
from replearn.evaluate.scorecard import join_seeds, scorecard
from replearn.evaluate.segmentation import pixel_confusion, segmentation_scores
from replearn.evaluate.tracking import mask_iou, points_found, propagate, propagate_points
from replearn.evaluate.traversal import code_grid, traverse, unit_order
from replearn.evaluate.units import telling_units, top_samples
from replearn.evaluate.words import (
    Analogies,
    WordSimilarity,
    analogies,
    read_analogies,
    read_word_pairs,
    word_similarity,
)

__all__ = [
    "DCI",
    "Analogies",
    "ClusterScore",
    "ColourScore",
    "EpisodeScore",
    "LabelErrors",
    "LinearProbe",
    "LinearScore",
    "LogPartition",
    "NearCopies",
    "PowerLaw",
    "ProbeSpace",
    "WordSimilarity",
    "accuracy_interval",
    "agreement",
    "alignment",
    "alpha_req",
    "analogies",
    "average_precision",
    "balanced",
    "beta_vae_score",
    "choose",
    "class_silhouette",
    "cluster_scores",
    "code_grid",
    "colour_baselines",
    "colour_score",
    "colour_table",
    "compare_clusters",
    "control_labels",
    "dci",
    "dead_dimensions",
    "detection_scores",
    "discretise",
    "disentanglement",
    "draw_labels",
    "effective_rank",
    "entropy",
    "episodes",
    "exact_log_partition",
    "explicitness",
    "factor_vae_score",
    "few_label_curve",
    "few_shot",
    "group_split",
    "hierarchical_kmeans",
    "interpolate",
    "join_seeds",
    "knn_probe",
    "label_errors",
    "latent_scores",
    "layer_knowledge",
    "layer_probes",
    "lifetime_sparseness",
    "linear_path",
    "linear_probe",
    "log_partition",
    "mask_iou",
    "memorization",
    "modality_gap",
    "modularity",
    "mutual_information",
    "mutual_information_gap",
    "near_copies",
    "near_texts",
    "near_texts_within",
    "near_within",
    "nearest",
    "out_of_fold",
    "outlying",
    "overlap",
    "pixel_confusion",
    "points_found",
    "population_sparseness",
    "power_law",
    "probe_space",
    "propagate",
    "propagate_points",
    "read_analogies",
    "read_word_pairs",
    "relatedness",
    "retrieval",
    "scorecard",
    "segmentation_scores",
    "separated_attribute_predictability",
    "shared_space",
    "singular_values",
    "sparsity",
    "spherical_path",
    "student_interval",
    "telling_units",
    "top_samples",
    "traverse",
    "uniformity",
    "unit_order",
    "wilson_interval",
    "word_similarity",
]
