"""The preview decoder: sizes, causality, its stated look-back."""

from __future__ import annotations

import torch

from arlon_core.models.preview_decoder import PreviewDecoder


def model() -> PreviewDecoder:
    torch.manual_seed(0)
    return PreviewDecoder(latent_channels=4, channels=16).eval()


def test_pictures_are_half_size_and_follow_the_frame_rule():
    decoder = PreviewDecoder().eval()
    assert decoder.num_parameters() <= 400_000
    assert decoder(torch.randn(1, 16, 3, 32, 56)).shape == (1, 3, 9, 128, 224)
    assert decoder(torch.randn(2, 16, 1, 4, 6)).shape == (2, 3, 1, 16, 24)


def test_values_are_clamped_outside_training_only():
    decoder, latents = model(), 50 * torch.randn(1, 4, 2, 4, 4)
    assert decoder(latents).abs().max() <= 1
    assert decoder.train()(latents).abs().max() > 1


def test_it_looks_back_exactly_its_context_and_never_ahead():
    decoder = model()
    latents = torch.randn(1, 4, 6, 4, 4)
    whole = decoder(latents)
    for at in range(6):
        other = latents.clone()
        other[:, :, at] += 1
        changed = (decoder(other) != whole).any(dim=(0, 1, 3, 4)).nonzero().flatten().tolist()
        first, last = max(0, 4 * at - 3), 4 * (at + decoder.context)
        assert changed == [frame for frame in range(first, last + 1) if frame < whole.shape[2]]


def test_a_piece_from_the_middle_equals_the_whole():
    decoder = model()
    latents = torch.randn(1, 4, 6, 4, 4)
    piece = decoder(latents[:, :, 3 - decoder.context :])[:, :, 4 * decoder.context - 3 :]
    torch.testing.assert_close(piece, decoder(latents)[:, :, 4 * 3 - 3 :])


def test_save_and_load(tmp_path):
    decoder, latents = model(), torch.randn(1, 4, 2, 4, 4)
    decoder.save_pretrained(tmp_path)
    assert torch.equal(PreviewDecoder.from_pretrained(tmp_path).eval()(latents), decoder(latents))
