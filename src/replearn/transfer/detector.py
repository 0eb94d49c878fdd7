"""`Detector`: what is where in a scene, in boxes: torchvision's FCOS on an encoder of ours.

    scene --encoder--> maps --pyramid--> at each place: class? how far to the box's sides? how central?
                                         --focal loss, GIoU, cross-entropy--> loss
                                         --surest boxes, overlapping ones left out--> boxes, labels, scores

References: Tian et al., "FCOS: fully convolutional one-stage object detection", ICCV 2019, equations 1 to 3.
    https://arxiv.org/abs/1904.01355
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import (
    FCOS,
    FCOSClassificationHead,
    FCOSHead,
    FCOSRegressionHead,
)
from torchvision.models.detection.image_list import ImageList

from replearn.data import Batch, Description
from replearn.data.processes import collect, processes
from replearn.data.scene_samples import Scenes
from replearn.evaluate.detection import detection_by_index
from replearn.transfer.scene_model import SceneModel
from replearn.transfer.surgery import Level, Pyramid, group_norm, maps_of

SURE = 0.05  # score of a box that is told, at least
TERMS = ("classification", "bbox_regression", "bbox_ctrness")
Found = dict[str, np.ndarray]


@dataclass(kw_only=True, eq=False, repr=False)
class Detector(SceneModel):
    """Boxes, by FCOS.

    Attributes:
        convolutions: in each of the head's two towers.

    >>> from replearn.data import make_scenes
    >>> model = Detector(encoder="cnn", epochs=1, width=16, device="cpu").fit(make_scenes(8))
    >>> sorted(model.predict(make_scenes(1))[0])
    ['boxes', 'labels', 'scores']
    """

    year: ClassVar[int] = 2019
    paper: ClassVar[str] = "https://arxiv.org/abs/1904.01355"
    main: ClassVar[str] = "ap"
    usual_told: ClassVar[str] = "the mean box of each class, in every scene"

    convolutions: int = 2

    def check_scenes(self, scenes: Scenes) -> None:
        if not any(map(len, scenes.truth())) or not any(len(boxes) for boxes in scenes.boxes or ()):
            raise ValueError("scenes must hold at least one box; got none. Label some of them.")

    def graft(self, levels: list[Level], samples: Description) -> None:
        pyramid = Pyramid(levels, width=self.width, coarsest=max(samples.shape[1:]) // 4)
        anchors = AnchorGenerator(
            tuple((stride,) for stride in pyramid.strides), ((1.0,),) * len(pyramid.strides)
        )
        head = Head(self.width, len(samples.classes), convolutions=self.convolutions)
        self.detector_ = FCOS(
            pyramid, len(samples.classes), anchor_generator=anchors, head=head, score_thresh=SURE
        )

    def terms(self, batch: Batch) -> Mapping[str, Callable[[], Tensor]]:
        losses = cache(
            lambda: self._losses(batch)
        )  # by the first, in the forward pass that processes wait for
        return {name: partial(lambda name: losses()[name], name) for name in TERMS}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        seen, frames = self.seen(batch)
        device, targets = batch.labels.device, []
        for place, i in enumerate(batch.index.tolist()):
            boxes, labels = (
                torch.from_numpy(of[i]).to(device)
                for of in (self._lessons.boxes or [], self._lessons.box_labels)
            )
            boxes, labels = frames.boxes(place, boxes, labels, self.samples_.shape[1:])  # type: ignore[arg-type]
            targets.append({"boxes": boxes, "labels": labels})
        outputs, anchors, numbers = self._read(seen)
        found: dict[str, Tensor] = self.detector_.compute_loss(targets, outputs, anchors, numbers)
        return found

    def _read(self, batch: Batch) -> tuple[dict[str, Tensor], list[Tensor], list[int]]:
        """What the head says at each place, the places, and how many there are of each map."""
        maps = self.detector_.backbone(maps_of(self.encoder_, batch))
        outputs = {name: said.float() for name, said in self.detector_.head(maps).items()}
        size = tuple(self.samples_.shape[1:])
        blank = torch.empty(len(batch), 1, *size, device=batch.labels.device)
        anchors = self.detector_.anchor_generator(ImageList(blank, [size] * len(batch)), maps)  # type: ignore[list-item]
        return outputs, anchors, [x.shape[2] * x.shape[3] for x in maps]

    def predict(self, X: Any) -> list[Found]:
        """Of each scene `boxes` `(k, 4)` (left, top, right, bottom in pixels), `labels` and `scores` `(k,)`.

        The surest come first; `labels` are positions in `classes_`.

        Raises:
            ValueError: samples are not like those of `fit`.
        """
        return [found for part in self.told(self._boxes, X) for found in part]

    def _boxes(self, batch: Batch) -> list[Found]:
        outputs, anchors, numbers = self._read(batch)
        by_level = {name: list(torch.split(said, numbers, dim=1)) for name, said in outputs.items()}
        size = tuple(self.samples_.shape[1:])
        found = self.detector_.postprocess_detections(
            by_level,
            [list(torch.split(of, numbers)) for of in anchors],
            [size] * len(batch),  # type: ignore[list-item]
        )
        return [{name: value.cpu().numpy() for name, value in of.items()} for of in found]

    def usual(self, learned: Scenes, number: int) -> list[Found]:
        """The mean box of each class, the surer the more boxes it has."""
        every, of = (
            np.concatenate(learned.boxes or [np.empty((0, 4), np.float32)]),
            np.concatenate(learned.box_labels),
        )
        labels, counts = np.unique(of, return_counts=True)
        boxes = np.stack([every[of == label].mean(0) for label in labels])
        return [{"boxes": boxes, "labels": labels, "scores": counts / counts.sum()}] * number

    def judged(self, found: Any, scenes: Scenes) -> Callable[[Int[np.ndarray, " n"]], dict[str, float]]:
        return detection_by_index(found, scenes.truth())


class Head(FCOSHead):  # type: ignore[misc]
    """FCOS's two towers, with group normalisation.

    Its losses are means over the places within boxes of all processes' scenes.
    """

    def __init__(self, width: int, classes: int, *, convolutions: int) -> None:
        super().__init__(
            width, 1, classes, 0
        )  # of which the towers are made anew, for it knows no other norm
        self.classification_head = FCOSClassificationHead(
            width, 1, classes, convolutions, norm_layer=group_norm
        )
        self.regression_head = FCOSRegressionHead(width, 1, convolutions, norm_layer=group_norm)

    def compute_loss(
        self,
        targets: list[dict[str, Tensor]],
        head_outputs: dict[str, Tensor],
        anchors: list[Tensor],
        matched_idxs: list[Tensor],
    ) -> dict[str, Tensor]:
        losses = super().compute_loss(targets, head_outputs, anchors, matched_idxs)
        own = torch.stack([(of >= 0).sum() for of in matched_idxs]).sum()
        whole = collect(own[None]).sum()
        share = own.clamp(min=1) * processes() / whole.clamp(min=1)
        return {name: loss * share for name, loss in losses.items()}
