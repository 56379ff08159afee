"""The video VAE: causality, streaming, exact warm-up, on the real class at toy size."""

from __future__ import annotations

import pytest
import torch
from diffusers import AutoencoderKLWan

from arlon_core.models.video_vae import (
    StreamingDecoder,
    build_video_vae,
    decode_latents,
    decode_normalised,
    denormalise_latents,
    encode_frames,
    encode_moments,
    normalise_latents,
    warm_up_latents,
)


@pytest.fixture(scope="module")
def vae() -> AutoencoderKLWan:
    torch.manual_seed(0)
    mean, std = [0.1, -0.2, 0.3, 0.0] * 4, [1.5, 0.5, 1.0, 2.0] * 4
    return build_video_vae(base_dim=8, dim_mult=[1, 1, 1], latents_mean=mean, latents_std=std).eval()


def test_one_latent_frame_is_one_video_frame_and_every_later_one_four(vae):
    latents = encode_frames(vae, torch.zeros(1, 3, 13, 16, 32))
    assert latents.shape == (1, 16, 4, 2, 4)
    assert decode_normalised(vae, latents).shape == (1, 3, 13, 16, 32)


def test_encoding_in_pieces_equals_the_librarys(vae):
    frames = torch.rand(2, 3, 25, 16, 16) * 2 - 1
    with torch.no_grad():
        expected = vae.encode(frames).latent_dist
        mean, logvar = encode_moments(vae, frames)
    torch.testing.assert_close(mean, expected.mean, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(logvar.clamp(-30, 20), expected.logvar, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(encode_frames(vae, frames, batch_size=1), normalise_latents(vae, mean))


def test_decoding_in_pieces_equals_the_librarys(vae):
    latents = torch.randn(1, 16, 9, 2, 2)
    with torch.no_grad():
        expected = vae.decode(denormalise_latents(vae, latents)).sample
        raw = decode_latents(vae, denormalise_latents(vae, latents))
    torch.testing.assert_close(raw.clamp(-1, 1), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(decode_normalised(vae, latents), expected, atol=1e-5, rtol=1e-5)


def test_bytes_and_floats_encode_alike(vae):
    pixels = torch.randint(0, 256, (1, 3, 5, 16, 16), dtype=torch.uint8)
    torch.testing.assert_close(encode_frames(vae, pixels), encode_frames(vae, pixels.float() / 127.5 - 1))


@pytest.mark.parametrize("known", [1, 2, 4])
def test_the_first_latents_depend_only_on_the_frames_they_cover(vae, known):
    frames = torch.rand(1, 3, 17, 16, 16) * 2 - 1
    other = frames.clone()
    other[:, :, 4 * known - 3 :] = -other[:, :, 4 * known - 3 :]
    before, after = encode_frames(vae, frames), encode_frames(vae, other)
    assert torch.equal(before[:, :, :known], after[:, :, :known])
    assert not torch.equal(before[:, :, known], after[:, :, known])


def test_streamed_decoding_is_bit_identical_to_one_shot_however_it_is_cut(vae):
    # On grids that do not fill a SIMD block the library's 1x1 convolution of all frames at once rounds
    # otherwise.
    latents = torch.randn(1, 16, 9, 4, 4)
    with torch.no_grad():
        whole = vae.decode(denormalise_latents(vae, latents)).sample
    decoder = StreamingDecoder(vae)
    for cut in ([9], [1] * 9, [3, 1, 5]):
        decoder.reset()
        pieces = [decoder.decode(piece) for piece in latents.split(cut, dim=2)]
        assert [piece.shape[2] for piece in pieces] == [4 * n - 3 * (i == 0) for i, n in enumerate(cut)]
        assert torch.equal(torch.cat(pieces, dim=2), whole)


def test_the_first_piece_is_told_apart():
    """Wan 2.2's residual variant, whose shortcuts treat the first latent frame otherwise."""
    torch.manual_seed(0)
    residual = build_video_vae(base_dim=8, dim_mult=[1, 1, 1], is_residual=True).eval()
    latents = torch.randn(1, 16, 4, 4, 4)
    with torch.no_grad():
        expected = residual.decode(latents).sample
    assert torch.equal(StreamingDecoder(residual).decode(latents), expected)
    torch.testing.assert_close(decode_normalised(residual, latents), expected, atol=1e-5, rtol=1e-5)


def test_a_stored_state_goes_on_exactly(vae):
    latents = torch.randn(1, 16, 6, 2, 2)
    decoder = StreamingDecoder(vae)
    decoder.decode(latents[:, :, :3])
    state = decoder.state()
    expected = decoder.decode(latents[:, :, 3:])
    vae.decode(latents)  # the library clears its own cache here; ours must not care
    fresh = StreamingDecoder(vae)
    fresh.load_state(state)
    assert torch.equal(fresh.decode(latents[:, :, 3:]), expected)


def test_the_state_of_another_model_is_refused(vae):
    with pytest.raises(ValueError, match="entries"):
        StreamingDecoder(vae).load_state([None])


def test_warm_up_is_exact_and_not_one_frame_too_long(vae):
    """From a start in the middle, frames agree bit for bit after the warm-up, and not before."""
    warm_up = warm_up_latents(vae)
    assert warm_up == 28
    latents = torch.randn(1, 16, warm_up + 4, 2, 2)
    whole = StreamingDecoder(vae).decode(latents)
    start = 2
    late = StreamingDecoder(vae).decode(latents[:, :, start:])
    first = 4 * (start + warm_up) - 3  # of the frames that must agree
    kept = late[:, :, 4 * warm_up - 3 :]
    assert torch.equal(kept, whole[:, :, first:])
    last_of_warm_up = late[:, :, 4 * warm_up - 7 : 4 * warm_up - 3]
    assert not torch.equal(last_of_warm_up, whole[:, :, first - 4 : first])


@pytest.mark.parametrize(
    ("shape", "named"), [((1, 3, 6, 16, 16), "4n - 3"), ((1, 3, 5, 20, 16), "multiples")]
)
def test_sizes_that_would_be_cut_silently_are_refused(vae, shape, named):
    with pytest.raises(ValueError, match=named):
        encode_frames(vae, torch.zeros(shape))
