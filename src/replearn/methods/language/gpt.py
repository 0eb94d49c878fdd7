"""GPT: a transformer that tells each token from all before it.

    texts --tokenizer--> x_1 ... x_t --transformer of the past--> s_1 ... s_t --word vectors--> x_2 ... x_{t+1}

The representation of a text is the mean of its last states. `generate` writes on, and `log_likelihoods`,
`bits_per_character` and `perplexity` tell how well it knows texts.

References: Radford et al., 2018, section 3.1, equation 1.
    https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf
Version 2 (the architecture here): Radford et al., 2019, section 2.
    https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch
from replearn.methods.language.causal import CausalLanguageModel
from replearn.objectives import cross_entropy


@dataclass(kw_only=True, eq=False, repr=False)
class GPT(CausalLanguageModel):
    """Generative pre-training.

    Attributes:
        encoder: `gpt_tiny`, `gpt_mini`, `gpt_small`, `gpt_medium`, `gpt_base`, `gpt_large`; or a causal model
            in a local folder, `hf:FOLDER`.
    """

    year: ClassVar[int] = 2018
    paper: ClassVar[str] = (
        "https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf"
    )

    encoder: str | nn.Module = "gpt_mini"
    batch_size: int = 8
    epochs: int = 20
    learning_rate: float = 1.5e-3

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """-ln p(x_{i+1} | x_1 ... x_i): nats per token, of all but each window's first."""
        seen, next_ = self.shifted(batch)
        logits = self.logits(seen, start=batch.start)  # (n, t, v)
        return cross_entropy(logits.flatten(0, 1), next_.flatten())
