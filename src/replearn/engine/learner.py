"""What the training loop asks of a method; `replearn.methods.Method` has it all."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from replearn.data.samples import Batch, Samples
from replearn.engine.orders import Order

Terms = Sequence[Callable[[], Tensor]] | Mapping[str, Callable[[], Tensor]]


@runtime_checkable
class Learner(Protocol):
    """A method, as the loop sees it."""

    epochs: int
    batch_size: int
    accumulate: int
    slice_size: int | None
    optimizer: str
    learning_rate: float
    weight_decay: float
    beta1: float
    warmup: float
    max_minutes: float | None
    checkpoint_minutes: float
    random_state: int
    device: str
    precision: str
    compile: bool
    fsdp: bool

    @property
    def why_collapse(self) -> str | None: ...
    @property
    def watched_samples(self) -> int: ...
    def modules(self) -> dict[str, nn.Module]: ...
    def order(self, samples: Samples) -> Order: ...
    def terms(self, batch: Batch) -> Terms: ...
    def loss_count(self, batch: Batch) -> float | Mapping[str, float]: ...
    def after_step(self, progress: float) -> None: ...
    def should_stop(self) -> bool: ...
    def represent(self, batch: Batch) -> Tensor: ...
    def embed(self, h: Tensor) -> Tensor | None: ...
    def assign(self, h: Tensor) -> Tensor | None: ...
    def same_views(self, batch: Batch) -> bool: ...
    def measures(self, batch: Batch) -> dict[str, Tensor]: ...
    def rates(self) -> dict[str, float]: ...
    def loss_at_collapse(self) -> float | None: ...
