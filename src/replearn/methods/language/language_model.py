"""`LanguageModel`: what methods share that learn from windows of a long row of tokens."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from replearn.data import Batch, Description, Samples, TextSamples, TokenWindows, token_stream
from replearn.methods.language.text_method import TextMethod


@dataclass(kw_only=True, eq=False, repr=False)
class LanguageModel(TextMethod):
    """A method that learns from texts, joined and cut into windows of equal length: no token is for filling up.

    Attributes:
        window: tokens that are seen at once.
        batch_size: windows per step, over all processes.
    """

    why_collapse: ClassVar[str | None] = None  # pooled states lie close together as long as little is learned
    watched_samples: ClassVar[int] = 32

    window: int = 128
    epochs: int = 10
    batch_size: int = 32
    weight_decay: float = 0.01

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """What the context tells of a token, in nats: 0 as long as only the tokens' frequencies are known."""
        return {"context_gain": self._frequencies - self.loss(batch)}

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        super().check(samples)
        if self.window < 2:
            raise ValueError(
                f"window must be at least 2 tokens; got {self.window}. Leave it out for the default."
            )

    def check_enough(self, samples: Samples) -> None:
        """Nothing is checked here: a batch has windows, not texts."""

    def build(self, samples: Description) -> None:
        super().build(samples)
        if self.window > self.encoder_.length:
            raise ValueError(
                f"window must be at most {self.encoder_.length} tokens, which {self.encoder} reads; got {self.window}. "
                "The rest would not be learned from."
            )

    def training_samples(self, samples: Samples) -> TokenWindows:
        """The texts as windows.

        Raises:
            ValueError: they fill none.
        """
        assert isinstance(samples, TextSamples)
        windows = TokenWindows(token_stream(samples, samples.tokenizer), self.window)
        if not len(windows):
            raise ValueError(
                f"the texts must fill a window of {self.window} tokens; they don't. Lower window, or give more text."
            )
        self._frequencies = windows.stream.entropy()
        return windows
