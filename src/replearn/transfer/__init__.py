"""Reuse of an encoder on a task with labels."""

from replearn.transfer.detector import Detector
from replearn.transfer.entities import entities, entity_scores
from replearn.transfer.finetune import FineTune
from replearn.transfer.load import load
from replearn.transfer.segmenter import Segmenter
from replearn.transfer.table import Cell, Transfer
from replearn.transfer.task_data import TASKS
from replearn.transfer.words import word_states

__all__ = [
    "TASKS",
    "Cell",
    "Detector",
    "FineTune",
    "Segmenter",
    "Transfer",
    "entities",
    "entity_scores",
    "load",
    "word_states",
]
