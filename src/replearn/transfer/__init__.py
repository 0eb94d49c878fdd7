"""Reuse of an encoder on a task with labels."""

from replearn.transfer.detector import Detector
from replearn.transfer.entities import entities, entity_scores
from replearn.transfer.finetune import FineTune
from replearn.transfer.load import load
from replearn.transfer.segmenter import Segmenter
from replearn.transfer.task_data import TASKS
from replearn.transfer.words import word_states

__all__ = ["TASKS", "Detector", "FineTune", "Segmenter", "entities", "entity_scores", "load", "word_states"]
