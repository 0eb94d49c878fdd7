"""Numbers that methods measure of themselves (`Method.measures`), and what tells trouble in each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Symptom:
    """A number by which trouble is known.

    Attributes:
        kind: of the alarm.
        trouble: what is seen, with a place for the number.
        remedy: the likely cause and what to try.
        below, above: the number tells trouble when it is below or above these.
        after: steps before which it tells nothing.
    """

    kind: str
    trouble: str
    remedy: str
    below: float = float("-inf")
    above: float = float("inf")
    after: int = 50

    def shows(self, step: int, value: float) -> bool:
        """Whether the number tells trouble; one that is not finite does."""
        return step >= self.after and not self.below <= value <= self.above


# By the name of the measure.
SYMPTOMS = {
    "rate": Symptom(
        "posterior collapse",
        "the code tells {:.3f} nats of a sample: the decoder does without it",
        "The KL term has won: lower beta, let it rise slowly, or take a weaker decoder.",
        below=0.1,
    ),
    "dead_units": Symptom(
        "dead units",
        "a share of {:.2f} of the code's units is the same for every sample",
        "The penalty is too strong or the learning rate too large: lower one of them.",
        above=0.9,
    ),
    "log_variance": Symptom(
        "log-variance",
        "the largest log-variance of a code's unit is {:.1f}",
        "The variance explodes or vanishes: try a learning rate ten times smaller, or samples that are standardised.",
        below=-20.0,
        above=12.0,
    ),
    "context_gain": Symptom(
        "unigram plateau",
        "the context tells {:.3f} nats of a token: only how frequent tokens are has been learned",
        "Train for more steps, take a smaller vocabulary, a learning rate of 1e-3 or less; hide more (share=0.4), "
        "if tokens are hidden.",
        below=0.05,
        after=400,
    ),
    "masked_error": Symptom(
        "patch means",
        "hidden patches are predicted {:.3f} times as badly as by means alone: nothing of them has been learned",
        "Train for more steps, try another learning rate (1e-3), smaller patches, or hide fewer (share=0.5).",
        above=0.99,
        after=400,
    ),
    "hole_ratio": Symptom(
        "mean colour",
        "holes are filled {:.3f} times as badly as with the mean colour: nothing of what is in them has been learned",
        "Train for more steps, try another learning rate (1e-3), or hide smaller blocks: Hidden('blocks').",
        above=0.99,
        after=400,
    ),
    "chroma_ratio": Symptom(
        "grey colours",
        "predicted colours are {:.2f} times as far from grey as true ones",
        "Grey is what is likeliest where nothing is known: train longer, weigh rare colours more (uniform nearer to 0) "
        "or lower the temperature.",
        below=0.2,
        after=200,
    ),
    "histogram_gain": Symptom(
        "histogram plateau",
        "pixels are told {:.3f} bits better than by how often each place has each colour",
        "The network knows no more than a histogram of each place: train for more steps, try a learning rate of 1e-3, "
        "or fewer colours.",
        below=0.02,
        after=400,
    ),
    "pretext_gain": Symptom(
        "guessing",
        "answers are {:.3f} of the way from guessing to always right: nothing has been learned of the question",
        "Train for more steps, try another learning rate (1e-3), or ask less (fewer classes or permutations); of what "
        "looks the same either way nothing can be told.",
        below=0.002,
        after=400,
    ),
    "tiles_gain": Symptom(
        "shortcut",
        "tiles are put in their places {:.2f} of the way from guessing to always, more than what they show can tell",
        "Lines, brightness or colours may give their places away: keep gaps and jitter, level tiles "
        "(Tiles(levelled=True)), move or drop channels (ChannelJitter, DropChannels).",
        above=0.97,
        after=200,
    ),
    "target_spread": Symptom(
        "collapsed targets",
        "the teacher's states differ by {:.3f} between samples: they have become one for all",
        "Raise the teacher's momentum (0.996), lower the learning rate, or weaken the predictor (depth=1).",
        below=0.05,
    ),
    "variety": Symptom(
        "mode collapse",
        "generated samples vary {:.3f} times as much as real ones",
        "The generator makes one sample for all codes: try a lower learning rate, or a smaller discriminator.",
        below=0.2,
    ),
    "guessed_classes": Symptom(
        "runaway guesses",
        "guesses are spread over {:.2f} of the classes: what was guessed too often is learned, and guessed more often",
        "Lower weight, let it rise later, or take surer guesses alone (threshold=0.95); label more of the "
        "classes that are missing. Where classes are of very unlike sizes, this may be as it must.",
        below=0.5,
        after=100,
    ),
}
