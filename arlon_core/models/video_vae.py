"""The causal video autoencoder: diffusers' AutoencoderKLWan, and streaming over its feature cache.

Shapes: frames (B, 3, F, H, W) in [-1, 1], latents (B, C, T, H/8, W/8) with F = 4T - 3. The first latent frame
makes 1 video frame, every later one 4. "Normalised" latents are (z - latents_mean) / latents_std, with the
two lists of the VAE's configuration; everything outside this module uses normalised latents.

The feature-cache calls are private API of diffusers (read in 0.42); they live in `_encode_piece` and
`_decode_piece` only, and tests hold them against the public `encode` and `decode`.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import patchify, unpatchify
from torch import Tensor

# One entry a causal convolution: its last input frames, None before the first frame, or a marker string.
FeatureCache = list[Any]

_PIECE = 16  # video frames (or 4 latent frames) a pass: enough to fill a GPU, little memory


def build_video_vae(
    *, latents_mean: list[float] | None = None, latents_std: list[float] | None = None, **sizes: Any
) -> AutoencoderKLWan:
    """A new AutoencoderKLWan; `sizes` are its constructor arguments and default to the small 8x8x4 model.

    The statistics default to 0 and 1 a channel, since the library's own belong to Wan 2.1; set them with
    `vae.register_to_config(latents_mean=..., latents_std=...)` once the model is trained.
    """
    defaults = {
        "base_dim": 32,
        "z_dim": 16,
        "dim_mult": [1, 2, 4],
        "num_res_blocks": 1,
        "temperal_downsample": [True, True],
        "in_channels": 12,
        "out_channels": 12,
        "patch_size": 2,
        "scale_factor_spatial": 8,
    }
    sizes = {**defaults, **sizes}
    channels = sizes["z_dim"]
    return AutoencoderKLWan(
        latents_mean=latents_mean or [0.0] * channels, latents_std=latents_std or [1.0] * channels, **sizes
    )


def normalise_latents(vae: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """The VAE's own latents (B, C, T, h, w) -> normalised ones."""
    mean, std = _statistics(vae, latents)
    return (latents - mean) / std


def denormalise_latents(vae: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """Normalised latents (B, C, T, h, w) -> the VAE's own."""
    mean, std = _statistics(vae, latents)
    return latents * std + mean


def _statistics(vae: AutoencoderKLWan, latents: Tensor) -> tuple[Tensor, Tensor]:
    lists = (vae.config.latents_mean, vae.config.latents_std)
    mean, std = (torch.tensor(values, device=latents.device, dtype=latents.dtype) for values in lists)
    return mean.view(1, -1, 1, 1, 1), std.view(1, -1, 1, 1, 1)


def encode_moments(vae: AutoencoderKLWan, frames: Tensor, piece: int = _PIECE) -> tuple[Tensor, Tensor]:
    """Frames (B, 3, 4T-3, H, W) -> mean and log variance (B, C, T, H/8, W/8), not normalised.

    Differentiable; equal to `vae.encode`, but in pieces of `piece` frames (a multiple of 4) after the first
    frame, rather than of 4. Raises ValueError for
    sizes that the model would silently cut.
    """
    _check_frames(vae, frames)
    x = patchify(frames, vae.config.patch_size or 1)
    cache: FeatureCache = [None] * vae._cached_conv_counts["encoder"]
    pieces = [x[:, :, :1], *x[:, :, 1:].split(piece, dim=2)] if x.shape[2] > 1 else [x]
    encoded = []
    for part in pieces:
        encoded.append(_encode_piece(vae, part.contiguous(memory_format=torch.channels_last_3d), cache))
        cache = [_two_frames(entry) for entry in cache]
    hidden = torch.cat(encoded, dim=2)
    mean, logvar = vae.quant_conv(hidden).chunk(2, dim=1)
    return mean, logvar


def decode_latents(vae: AutoencoderKLWan, latents: Tensor, piece: int = _PIECE) -> Tensor:
    """Latents (B, C, T, h, w), not normalised -> frames (B, 3, 4T-3, 8h, 8w), not clamped. Differentiable.

    In pieces of `piece` video frames after the first one.
    """
    x = vae.post_quant_conv(latents)
    cache = _new_decoder_cache(vae)
    pieces = [x[:, :, :1], *x[:, :, 1:].split(piece // 4, dim=2)] if x.shape[2] > 1 else [x]
    decoded = [_decode_piece(vae, piece, cache, first=i == 0) for i, piece in enumerate(pieces)]
    return unpatchify(torch.cat(decoded, dim=2), vae.config.patch_size or 1)


@torch.no_grad()
def encode_frames(vae: AutoencoderKLWan, frames: Tensor, batch_size: int = 8) -> Tensor:
    """Frames (B, 3, 4T-3, H, W), uint8 or floats in [-1, 1] -> normalised latents (B, C, T, H/8, W/8), fp32.

    Takes the mean of the posterior, `batch_size` clips at a time, in the dtype of the VAE. Raises ValueError
    for frame counts or sizes that do not fit.
    """
    latents = []
    for clips in frames.split(batch_size):
        clips = clips.to(vae.device, vae.dtype)
        if frames.dtype == torch.uint8:
            clips = clips / 127.5 - 1
        latents.append(normalise_latents(vae, encode_moments(vae, clips)[0].float()))
    return torch.cat(latents)


@torch.no_grad()
def decode_normalised(vae: AutoencoderKLWan, latents: Tensor, batch_size: int = 2) -> Tensor:
    """Normalised latents (B, C, T, h, w) -> frames (B, 3, 4T-3, 8h, 8w) in [-1, 1], fp32, in one go."""
    decoded = [
        decode_latents(vae, denormalise_latents(vae, clip.float().to(vae.device)).to(vae.dtype))
        .float()
        .clamp(-1, 1)
        for clip in latents.split(batch_size)
    ]
    return torch.cat(decoded)


class StreamingDecoder:
    """Decodes a film piece by piece, bit-identical to `vae.decode` of the whole, in constant memory.

    It goes one latent frame at a time, as `vae.decode` does, so that the cut into pieces changes no bit.
    """

    def __init__(self, vae: AutoencoderKLWan) -> None:
        self.vae = vae
        self._cache: FeatureCache = _new_decoder_cache(vae)
        self._started = False

    def reset(self) -> None:
        """Forget what was decoded; the next latent frame is the first one of a film."""
        self._cache = _new_decoder_cache(self.vae)
        self._started = False

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Normalised latents (B, C, n, h, w) -> the next frames (B, 3, 4n, 8h, 8w) in [-1, 1], fp32.

        The first call after `reset` gives 4n - 3 frames.
        """
        vae = self.vae
        latents = denormalise_latents(vae, latents.to(vae.device).float()).to(vae.dtype)
        decoded = []
        for latent in latents.split(1, dim=2):
            x = vae.post_quant_conv(latent)
            decoded.append(_decode_piece(vae, x, self._cache, first=not self._started))
            self._started = True
        frames = unpatchify(torch.cat(decoded, dim=2), vae.config.patch_size or 1)
        return frames.float().clamp(-1, 1)

    def state(self) -> FeatureCache:
        """A copy of the decoder's memory, for `load_state` to go on from; empty before the first frame."""
        return _copied(self._cache) if self._started else []

    def load_state(self, state: FeatureCache) -> None:
        """Go on from where `state` was taken. Raises ValueError for the state of another model."""
        self.reset()
        if not state:
            return
        if len(state) != len(self._cache):
            raise ValueError(f"decoder state has {len(state)} entries, this VAE needs {len(self._cache)}")
        self._cache = _copied(state)
        self._started = True


def warm_up_latents(vae: AutoencoderKLWan) -> int:
    """How many latent frames to decode and drop before frames equal those of an unbroken decode, bit for bit.

    Every 3x3x3 convolution looks back two frames at its own rate, and so does the temporal convolution of an
    upsampler; norms and attention look at one frame. Counted in frames from the first latent frame on which
    this decoder agrees with the unbroken one: the rate doubles at each temporal upsampler. 28 for the shipped
    sizes (20 at latent rate, 5 at twice, 2.5 at four times, rounded up).
    """
    config = vae.config
    upsamples = [*config.temperal_downsample[::-1], False]
    per_block = 2 * 2 * (config.num_res_blocks + 1)
    exact_from = 2 + 2 * 4  # conv_in, and the two residual blocks in the middle
    rate = 1
    for upsample in upsamples:
        exact_from += per_block
        if upsample:
            # An upsampler skips its very first frame and pads the next with zeros: agreement needs three
            # frames of its own at least, which the convolutions before it always take.
            exact_from = (exact_from + 2) * 2
            rate *= 2
    exact_from += 2  # conv_out
    return -(-exact_from // rate)


def _check_frames(vae: AutoencoderKLWan, frames: Tensor) -> None:
    *_, count, height, width = frames.shape
    scale = vae.config.scale_factor_spatial
    if (count - 1) % 4:
        raise ValueError(f"a clip has 4n - 3 frames (1, 5, 9, ...), got {count}")
    if height % scale or width % scale:
        raise ValueError(f"height and width must be multiples of {scale}, got {height}x{width}")


def _new_decoder_cache(vae: AutoencoderKLWan) -> FeatureCache:
    return [None] * vae._cached_conv_counts["decoder"]


def _two_frames(entry: Any) -> Any:
    """A memory of one frame with the zeros before it, so that one compiled shape serves all later pieces."""
    if not isinstance(entry, Tensor) or entry.shape[2] != 1:
        return entry
    both = torch.cat([torch.zeros_like(entry), entry], dim=2)
    return both.contiguous(memory_format=torch.channels_last_3d)


def _copied(cache: FeatureCache) -> FeatureCache:
    return [entry.clone() if isinstance(entry, Tensor) else entry for entry in cache]


def _encode_piece(vae: AutoencoderKLWan, x: Tensor, cache: FeatureCache) -> Tensor:
    """The first frame alone, or the next 4k frames, patchified; `cache` is updated in place."""
    return vae.encoder(x, feat_cache=cache, feat_idx=[0])


def _decode_piece(vae: AutoencoderKLWan, x: Tensor, cache: FeatureCache, *, first: bool) -> Tensor:
    """The first latent frame alone, or any number of later ones; `cache` is updated in place."""
    return vae.decoder(x, feat_cache=cache, feat_idx=[0], first_chunk=first)
