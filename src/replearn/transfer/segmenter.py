"""`Segmenter`: of which class each pixel of a scene is: torchvision's FCN or DeepLab head on an encoder of ours.

    scene --encoder--> maps --pyramid, all enlarged and added--> one map --head--> logits --enlarged--> logits of pixels
                                                     --cross-entropy, the ground counting less--> loss

References: Kirillov et al., "Panoptic feature pyramid networks", CVPR 2019 (the sum). https://arxiv.org/abs/1901.02446
    Long, Shelhamer & Darrell, CVPR 2015. https://arxiv.org/abs/1411.4038
    Chen et al., 2017 (DeepLab v3, section 3.3). https://arxiv.org/abs/1706.05587
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torchvision.models.segmentation.deeplabv3 import DeepLabHead
from torchvision.models.segmentation.fcn import FCNHead

from replearn.data import Batch, Description
from replearn.data.processes import collect, processes
from replearn.data.scene_samples import VOID, Scenes
from replearn.encoders.dropout import rows_of, with_row_dropout
from replearn.evaluate.segmentation import segmentation_by_index
from replearn.transfer.scene_model import SceneModel
from replearn.transfer.surgery import Level, Pyramid, maps_of, with_group_norms

RATES = (1, 2, 4)  # by which DeepLab's head looks around, in places of its map; of photographs 12, 24, 36
HEADS = ("fcn", "deeplab")


@dataclass(kw_only=True, eq=False, repr=False)
class Segmenter(SceneModel):
    """Masks, by a fully convolutional head.

    Attributes:
        head: `fcn`, two convolutions, or `deeplab`, which looks around at several distances.
        ground: weight of the ground in the loss, in (0, 1]: most pixels are ground.

    >>> from replearn.data import make_scenes
    >>> model = Segmenter(encoder="cnn", epochs=1, width=16, device="cpu").fit(make_scenes(8))
    >>> model.predict(make_scenes(2)).shape
    (2, 64, 64)
    """

    year: ClassVar[int] = 2015
    paper: ClassVar[str] = "https://arxiv.org/abs/1411.4038"
    main: ClassVar[str] = "miou"
    reads_masks: ClassVar[bool] = True
    usual_told: ClassVar[str] = "the class that most pixels are of, everywhere"

    head: Literal["fcn", "deeplab"] = "fcn"
    ground: float = 0.3
    stride: int = 2

    def check_scenes(self, scenes: Scenes) -> None:
        if scenes.masks is None:
            raise ValueError("scenes must have masks; these have boxes alone. Use Detector, or give masks.")
        if not (scenes.masks != VOID).any():
            raise ValueError("masks must hold at least one known pixel; got none. Label some scenes.")
        if self.head not in HEADS:
            raise ValueError(f"head must be one of {', '.join(HEADS)}; got {self.head!r}.")
        if not 0 < self.ground <= 1:
            raise ValueError(f"ground must lie in (0, 1]; got {self.ground}. Leave it out for 0.3.")

    def graft(self, levels: list[Level], samples: Description) -> None:
        self.pyramid_ = Pyramid(levels, width=self.width)
        number = 1 + len(samples.classes)
        head = (
            DeepLabHead(self.width, number, RATES) if self.head == "deeplab" else FCNHead(self.width, number)
        )
        self.head_: nn.Module = with_row_dropout(with_group_norms(head))

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        seen, frames = self.seen(batch)
        assert self._lessons.masks is not None
        masks = torch.from_numpy(self._lessons.masks[batch.index.cpu().numpy()]).to(batch.labels.device)
        goals = frames.masks(masks).long()  # (n, h, w)
        logits = self._logits(seen)  # (n, 1 + c, h, w)
        weights = torch.ones(logits.shape[1], device=logits.device)
        weights[0] = self.ground
        total = F.cross_entropy(logits, goals, weight=weights, ignore_index=VOID, reduction="sum")
        own = torch.where(goals == VOID, 0.0, weights[goals.clamp(max=len(weights) - 1)]).sum()
        return total * processes() / collect(own[None]).sum().clamp(min=1)

    def _logits(self, batch: Batch) -> Float[Tensor, "n c h w"]:
        maps = self.pyramid_(maps_of(self.encoder_, batch))
        size, finest = list(self.samples_.shape[1:]), list(maps[0].shape[2:])
        enlarged = [F.interpolate(x, finest, mode="bilinear", align_corners=False) for x in maps[1:]]
        with rows_of(batch):
            said = self.head_(sum(enlarged, maps[0])).float()
        return F.interpolate(said, size, mode="bilinear", align_corners=False)

    def predict(self, X: object) -> UInt8[np.ndarray, "n h w"]:
        """Of each pixel 0, the ground, or 1 + the position of its class in `classes_`.

        Raises:
            ValueError: samples are not like those of `fit`.
        """
        said = self.told(lambda batch: self._logits(batch).argmax(1).to(torch.uint8).cpu().numpy(), X)
        return np.concatenate(list(said))

    def usual(self, learned: Scenes, number: int) -> UInt8[np.ndarray, "n h w"]:
        """The class that most pixels are of, the ground as a rule, everywhere."""
        assert learned.masks is not None
        known = learned.masks[learned.masks != VOID]
        return np.full((number, *learned.masks.shape[1:]), np.bincount(known).argmax(), np.uint8)

    def judged(
        self, found: UInt8[np.ndarray, "n h w"], scenes: Scenes
    ) -> Callable[[Int[np.ndarray, " k"]], dict[str, float]]:
        assert scenes.masks is not None
        return segmentation_by_index(found, scenes.masks, number=1 + len(self.classes_))
