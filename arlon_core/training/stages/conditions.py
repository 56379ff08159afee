"""F for the diffusion stage: coarse latents of whole groups of episodes, of three kinds.

From the coarse VQ-VAE (paper section 3.4: the DiT learns to forgive), from the fine one, whose tokens drive
rendering, and from tokens that the token transformer draws itself.
"""

from __future__ import annotations

import torch
from torch import Tensor

from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.training.components import load_frozen
from arlon_core.training.episodes import EpisodeGroup, Pool
from arlon_core.training.stage import Setting
from arlon_core.training.teacher_forcing import TeacherForcing
from arlon_core.training.texts import FrozenText

KINDS = ("coarse", "fine", "own")


class CoarseConditions:
    """F (B, C, T, h, w) of a group of episodes, each kind made when first asked for.

    Kept while the group is in the pool. Raises ModelError when a VQ-VAE is missing; without a token
    transformer, `has_own` is False.
    """

    def __init__(self, setting: Setting, pool: Pool, text: FrozenText) -> None:
        self.coarse = self._vqvae(setting, "latent_vqvae_coarse")
        self.fine = self._vqvae(setting, "latent_vqvae")
        self.teacher_forcing = TeacherForcing.load(setting.components, self.fine, text, setting.device)
        self._pool = pool
        self._kept: dict[str, dict[int, Tensor]] = {kind: {} for kind in KINDS}

    @staticmethod
    def _vqvae(setting: Setting, name: str) -> LatentVQVAE:
        return load_frozen(LatentVQVAE, setting.components / name, setting.device)

    @property
    def has_own(self) -> bool:
        """Whether there is a token transformer to draw tokens."""
        return self.teacher_forcing is not None

    def of_group(self, index: int, kind: str) -> Tensor:
        """F of group `index` of the source. kind: "coarse", "fine" or "own"."""
        return self._pool.cached(self._kept[kind], index, lambda group: self._make(group, kind))

    def _make(self, group: EpisodeGroup, kind: str) -> Tensor:
        if kind != "own":
            return self.reconstruct(group.latents.float(), kind).to(group.latents.dtype)
        assert self.teacher_forcing is not None, "its share is 0"
        return self.teacher_forcing.coarse_latents(group).to(group.latents.dtype)

    @torch.no_grad()
    def reconstruct(self, latents: Tensor, kind: str) -> Tensor:
        """Latents (B, C, T, h, w) through the VQ-VAE of a kind, "coarse" or "fine"."""
        vqvae = self.coarse if kind == "coarse" else self.fine
        return vqvae.decode(vqvae.encode(latents))
