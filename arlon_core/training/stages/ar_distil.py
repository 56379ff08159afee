"""Stage `ar-distil`: a token transformer that says in one pass what its teacher says with guidance.

With guidance the teacher is asked twice for every token, with the text and without. The student starts as the
teacher and learns the distribution that comes of both, so its films are obedient at half the price (Meng et
al. 2023 fold guidance into a diffusion model's steps; for tokens it is our choice). No token of the data is
asked for, so nothing is learned by heart. Without text the student stays what the teacher is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from arlon_core.errors import ModelError
from arlon_core.models.token_sampling import guided_logits
from arlon_core.models.token_transformer import TokenTransformer
from arlon_core.training.components import load_frozen
from arlon_core.training.config import TrainConfig
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.stage import Setting
from arlon_core.training.stages.ar import ARStage, TokenBatch, layout_logits


class ARDistilStage(ARStage):
    """Trains the student. The config's `guidance_scale` is the teacher's.

    Raises ModelError when the teacher is missing, and when it was itself taught so.
    """

    component = "token_transformer_distilled"

    def __init__(self, config: TrainConfig, setting: Setting, source: EpisodeSource) -> None:
        super().__init__(config, setting, source)
        folder = setting.components / ARStage.component
        self.teacher: TokenTransformer = load_frozen(TokenTransformer, folder, setting.device)
        if self.teacher.config.guidance_distilled:
            raise ModelError(
                f"{folder} says already what guidance says; give ar-distil the transformer that ar wrote."
            )
        self.load_weights(folder)
        self.model.config.guidance_distilled = True
        if config.compile and setting.device.type == "cuda":
            self.teacher.compile()

    # -- training ---------------------------------------------------------------------------------------

    def loss(self, model: nn.Module, batch: TokenBatch) -> dict[str, Tensor]:
        read = self._read(batch)
        apart = _divergence(self._logits(model, batch, read), self._taught(self.teacher, batch, read))
        loss = self._mean(apart, batch)
        return {"loss": loss, "bits": loss / math.log(2)}

    @torch.no_grad()
    def _taught(self, forward: Callable[..., Any], batch: TokenBatch, read: Tensor) -> Tensor:
        """The teacher's logits (B, S, vocabulary) with guidance; forward: the teacher, compiled or not."""
        rows = [
            layout_logits(forward, self.teacher, batch, read, dropped).float()
            for dropped in (batch.dropped, torch.ones_like(batch.dropped))
        ]
        return guided_logits(torch.stack(rows), self.config.guidance_scale)

    # -- evaluation -------------------------------------------------------------------------------------

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Bits a token from the teacher with guidance, of the student and of the teacher without."""
        networks: dict[str, tuple[nn.Module, TokenTransformer]]
        networks = {"student": (model, self.model), "teacher": (self.teacher, self.teacher)}
        apart = dict.fromkeys(networks, 0.0)
        count = 0
        for batch, own in self._held_out_batches(self._tokenise(self.held_out)):
            taught = self._taught(self.teacher.forward, batch, batch.codes)
            for name, (outer, network) in networks.items():
                logits = layout_logits(outer.forward, network, batch, batch.codes, batch.dropped)
                apart[name] += _divergence(logits, taught)[own].sum().item()
            count += int(own.sum())
        return {f"{name}_from_guided_bits": nats / count / math.log(2) for name, nats in apart.items()}


def _divergence(logits: Tensor, taught: Tensor) -> Tensor:
    """Kullback-Leibler divergence (...) of what is said, logits (..., vocabulary), from what is taught."""
    said, wanted = logits.float().log_softmax(-1), taught.log_softmax(-1)
    return F.kl_div(said, wanted, log_target=True, reduction="none").sum(-1)
