"""The preview decoder: sizes, causality, its stated look-back, and that it listens to the text."""

from __future__ import annotations

import torch
from torch import Tensor

from arlon_core.models.preview_decoder import PreviewDecoder


def model() -> PreviewDecoder:
    """With noise on the weights that begin at zero, so that every path is open."""
    torch.manual_seed(0)
    decoder = PreviewDecoder(latent_channels=4, text_dim=8, channels=16, deep_channels=24).eval()
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return decoder


def text(batch: int = 1, width: int = 8) -> tuple[Tensor, Tensor]:
    states = torch.randn(batch, 5, width, generator=torch.Generator().manual_seed(1))
    return states, torch.tensor([[1, 1, 1, 0, 0]]).expand(batch, -1)


def test_pictures_are_half_size_and_follow_the_frame_rule():
    decoder = PreviewDecoder().eval()
    assert decoder.num_parameters() <= 2_000_000
    assert decoder(torch.randn(1, 16, 3, 32, 56), *text(1, 256)).shape == (1, 3, 9, 128, 224)
    assert decoder(torch.randn(2, 16, 1, 4, 6), *text(2, 256)).shape == (2, 3, 1, 16, 24)


def test_values_are_clamped_outside_training_only():
    decoder, latents = model(), 50 * torch.randn(1, 4, 2, 4, 4)
    assert decoder(latents, *text()).abs().max() <= 1
    assert decoder.train()(latents, *text()).abs().max() > 1


def test_it_looks_back_exactly_its_context_and_never_ahead():
    decoder = model()
    latents = torch.randn(1, 4, 6, 4, 4)
    whole = decoder(latents, *text())
    for at in range(6):
        other = latents.clone()
        other[:, :, at] += 1
        changed = (decoder(other, *text()) != whole).any(dim=(0, 1, 3, 4)).nonzero().flatten().tolist()
        first, last = max(0, 4 * at - 3), 4 * (at + decoder.context)
        assert changed == [frame for frame in range(first, last + 1) if frame < whole.shape[2]]


def test_a_piece_from_the_middle_equals_the_whole():
    decoder = model()
    latents = torch.randn(1, 4, 6, 4, 4)
    piece = decoder(latents[:, :, 3 - decoder.context :], *text())[:, :, 4 * decoder.context - 3 :]
    torch.testing.assert_close(piece, decoder(latents, *text())[:, :, 4 * 3 - 3 :])


def test_it_listens_to_its_own_text_and_not_to_padding():
    decoder, latents = model(), torch.randn(1, 4, 2, 4, 4).expand(2, -1, -1, -1, -1)
    states, mask = text(2)
    other = states.clone()
    other[1, 0] += 1
    first, second = decoder(latents, states, mask), decoder(latents, other, mask)
    torch.testing.assert_close(first[0], second[0])
    assert (first[1] - second[1]).abs().max() > 1e-3
    other = states.clone()
    other[:, 3:] += 1
    assert torch.equal(decoder(latents, other, mask), first)


def test_at_initialisation_no_text_changes_a_bit():
    decoder = PreviewDecoder(latent_channels=4, text_dim=8, channels=16, deep_channels=24).eval()
    states, mask = text()
    latents = torch.randn(1, 4, 2, 4, 4)
    assert torch.equal(decoder(latents, states, mask), decoder(latents, states + 1, mask))


def test_save_and_load(tmp_path):
    decoder, latents = model(), torch.randn(1, 4, 2, 4, 4)
    decoder.save_pretrained(tmp_path)
    loaded = PreviewDecoder.from_pretrained(tmp_path).eval()
    # Not bit for bit: the weights of a mapped file are aligned otherwise, which a pipeline mends.
    torch.testing.assert_close(loaded(latents, *text()), decoder(latents, *text()))
