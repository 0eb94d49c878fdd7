"""What torch 2.8, the lowest release that is declared, and processors without bfloat16 cannot do in tests."""

import pytest
import torch

OLDER = tuple(map(int, torch.__version__.split(".")[:2])) < (2, 9)
RECURRENT = ("lstmlanguagemodel", "textvae")

traces_checks = pytest.mark.skipif(
    OLDER, reason="torch 2.8 can't trace the tests' checks of shapes into a graph"
)


def skip_without_short_lstm(name: str) -> None:
    """Skip the test of a method that has an LSTM, where that has no 16 bits."""
    short = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    if name.lower() in RECURRENT and not short:
        pytest.skip("torch has an LSTM of 16 bits for processors with bfloat16 alone")
