"""Loading a judge of either architecture from its folder."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from arlon_core.errors import ModelError
from arlon_core.models.judge import Judge
from arlon_core.models.judge_conv import ConvJudge
from arlon_core.models.judge_transformer import TransformerJudge

JUDGES: dict[str, type[Judge]] = {cls.__name__: cls for cls in (ConvJudge, TransformerJudge)}


def load_judge(folder: Path, device: torch.device | str = "cpu") -> Judge:
    """The judge of a folder, in fp32 and evaluation mode. Raises ModelError naming the mend."""
    stage = "judge-report" if folder.name == "judge_report" else "judge"
    mend = f"train it: python -m arlon_core train {stage}"
    try:
        name = json.loads((folder / "config.json").read_text())["_class_name"]
    except (OSError, ValueError, KeyError):
        raise ModelError(f"{folder} holds no judge; {mend}.") from None
    if name not in JUDGES:
        raise ModelError(f"{folder} holds a {name}, which is no judge; {mend}.")
    try:
        judge = JUDGES[name].from_pretrained(folder, dtype=torch.float32)
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{folder} cannot be loaded as a judge ({reason}); {mend}.") from error
    return judge.to(device).eval().requires_grad_(False)
