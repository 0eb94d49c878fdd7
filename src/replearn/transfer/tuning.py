"""`Tuning`: what is asked of a fine-tuning, in fields."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from replearn.methods import Method, Model
from replearn.transfer.features import Pooling
from replearn.views import Split


@dataclass(kw_only=True, eq=False, repr=False)
class Tuning(Method):
    """A method that puts an encoder to a task.

    Attributes:
        encoder: a run folder, a fitted method, a name (`bert_mini`, `hf:FOLDER`, ...) or a module; it is copied.
        task: `classify` (X: anything that `as_samples` takes; y: names or whole numbers, -1 or None where unknown),
            `regress` (y: numbers), `pair` (X: pairs of texts; y: classes, or numbers if they are floats), `tag` (X:
            lists of words; y: lists of tags) or `span` (X: texts; y: lists of `(start, end, label)`, characters).
        trained: what learns of the encoder: `full`, `frozen`, or a number: its last layers.
        fresh_layers: so many of its last layers begin with new random weights.
        encoder_rate: the learning rate of the encoder's last layer as a multiple of the head's; None: 0.05 of what
            reads texts and of networks of the Hugging Face libraries, 1 of others.
        layer_decay: the learning rate of a layer as a multiple of that of the layer above it.
        pooling: of a text's states: their `mean`, the `first` or `last` one, a learned `mixture` of all layers'; `auto`
            leaves it to the encoder. Of other samples `mixture` is of layers as wide as the representation.
        pairs: pairs of texts are read `joined`, in one row between the tokenizer's marks, or `apart`; `auto`: joined
            where the encoder tells the second text from the first by token types, as BERT does.
        length: tokens read of a text at most, or None for what the encoder can read.
        views: how samples are seen while layers learn: the name of a preset, `auto` for the one that fits, or a split,
            of which the first view is taken; None: as they are.
        momentum: of the average of weights that answers: how much of it stays at each step; 0: the last weights answer.
        least_steps: of a training whose `epochs` are not given.
        validation: share of the labelled samples that are held out to choose the best epoch; 0 takes the last one.
        patience: epochs without a better score after which training ends.
        epochs: passes over the samples; None: 10, or as many more as make `least_steps`.
        learning_rate: of the head, its peak.

    References: Howard & Ruder, ACL 2018 (rates per layer). https://arxiv.org/abs/1801.06146
        Zhang et al., ICLR 2021 (fresh layers, more steps for few labels). https://arxiv.org/abs/2006.05987
        Tarvainen & Valpola, NeurIPS 2017, equation 2 (averaged weights). https://arxiv.org/abs/1703.01780
    """

    split: ClassVar[str] = "single"
    views_optional: ClassVar[bool] = True

    encoder: str | nn.Module | Model = "auto"  # type: ignore[assignment]
    task: str = "classify"
    pooling: Pooling = "auto"
    trained: Literal["full", "frozen"] | int = "full"
    fresh_layers: int = 0
    encoder_rate: float | None = None
    layer_decay: float = 1.0
    pairs: Literal["auto", "joined", "apart"] = "auto"
    length: int | None = None
    views: Split | str | None = None
    momentum: float = 0.0
    least_steps: int = 500
    validation: float = 0.0
    patience: int = 3
    epochs: int | None = None  # type: ignore[assignment]
    batch_size: int = 16
    weight_decay: float = 0.01
