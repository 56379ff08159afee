"""Rectified flow: timestep tables of the reference code, and the laws of path, sampler and loss."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from arlon_core.models.flow_path import (
    add_noise,
    classifier_free_guidance,
    opensora_latent_frames,
    sample_timesteps,
    transform_timesteps,
    uniform_timesteps,
    velocity_target,
)
from arlon_core.models.rectified_flow import (
    FlowBatch,
    RectifiedFlowScheduler,
    flow_losses,
    guided_velocity,
    noise_condition_frames,
    sample,
    sample_steps,
    training_loss,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "goldens" / "rflow_timesteps.json").read_text())


def steps_for(num_inference_steps: int, *size) -> torch.Tensor:
    scheduler = RectifiedFlowScheduler()
    scheduler.set_timesteps(num_inference_steps, *size)
    return scheduler.timesteps


def constant_velocity(
    latents: torch.Tensor, timestep: torch.Tensor, x_mask: torch.Tensor | None
) -> torch.Tensor:
    return torch.full_like(latents, 3.0)


# --- time ---


def test_raw_timesteps():
    assert uniform_timesteps(GOLDEN["steps"]).tolist() == GOLDEN["raw_no_transform"]


@pytest.mark.parametrize("table", GOLDEN["tables"], ids=lambda table: str(table["num_frames"]))
@pytest.mark.parametrize(("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_timestep_tables(table, name, dtype):
    """The reference's tables where finite; a proper schedule where it counts no latent frames."""
    sizes = (table["height"], table["width"], opensora_latent_frames(table["num_frames"]))
    timesteps = steps_for(GOLDEN["steps"], *(torch.tensor([float(size)]).to(dtype) for size in sizes))
    expected = table[f"timesteps_{name}_kwargs"]
    if None in expected:
        assert timesteps[0] == 1000
        assert (timesteps.diff() < 0).all()
    else:
        torch.testing.assert_close(timesteps, torch.tensor(expected), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("frames", "latents"), [(1, 1), (16, 4), (17, 5), (51, 15), (68, 20), (93, 27), (102, 30)]
)
def test_latent_frames_of_open_sora(frames, latents):
    assert opensora_latent_frames(frames) == latents


def test_plain_numbers_equal_tensors():
    assert torch.equal(
        steps_for(8, 256, 448, 12), steps_for(8, *(torch.tensor(float(n)) for n in (256, 448, 12)))
    )


@pytest.mark.parametrize("ratio", [0.6, 1.0, 4.5])
def test_transform_keeps_ends_and_order(ratio):
    t = torch.linspace(0, 1000, 50)
    bent = transform_timesteps(t, ratio)
    torch.testing.assert_close(bent[[0, -1]], t[[0, -1]])
    assert (bent.diff() > 0).all()
    torch.testing.assert_close(transform_timesteps(bent, 1 / ratio), t, atol=1e-3, rtol=1e-5)


@pytest.mark.parametrize("method", ["uniform", "logit-normal"])
def test_training_timesteps(method):
    generator = torch.Generator().manual_seed(0)
    t = sample_timesteps(20000, method=method, generator=generator)
    assert 0 <= t.min() < t.max() <= 1000
    assert t.mean() == pytest.approx(500, abs=10)
    spread = {"uniform": 1000 / math.sqrt(12), "logit-normal": 208.0}[method]
    assert t.std() == pytest.approx(spread, rel=0.03)
    with pytest.raises(ValueError, match="logit-normal"):
        sample_timesteps(1, method="cosine")


# --- path ---


def test_following_the_target_from_any_time_reaches_the_data():
    torch.manual_seed(0)
    latents, noise, t = (
        torch.randn(3, 2, 4, 5, 6),
        torch.randn(3, 2, 4, 5, 6),
        torch.tensor([0.0, 300.0, 1000.0]),
    )
    x = add_noise(latents, noise, t)
    torch.testing.assert_close(x[2], noise[2])
    assert torch.equal(x[0], latents[0])
    torch.testing.assert_close(
        x + velocity_target(latents, noise) * (t / 1000)[:, None, None, None, None], latents
    )


@pytest.mark.parametrize("num_inference_steps", [1, 3, 10])
def test_a_constant_velocity_is_integrated_exactly(num_inference_steps):
    noise = torch.randn(2, 1, 3, 2, 2)
    timesteps = steps_for(num_inference_steps, 256, 448, 3)
    torch.testing.assert_close(sample(constant_velocity, noise, timesteps), noise + 3)


def test_a_run_ends_where_it_is_told():
    noise, timesteps = torch.randn(2, 1, 3, 2, 2), torch.tensor([[900.0, 800.0], [700.0, 500.0]])
    moved = sample(constant_velocity, noise, timesteps, end=torch.tensor([600.0, 0.0])) - noise
    torch.testing.assert_close(moved[:, 0, 0, 0, 0], 3 * torch.tensor([0.3, 0.8]))


def test_order_two_errs_with_the_square_of_the_step():
    torch.manual_seed(0)
    start = torch.randn(1, 1, 3, 2, 2)

    def end(steps: int, order: int) -> torch.Tensor:
        return sample(lambda z, t, m: torch.sin(3 * z), start, steps_for(steps, 256, 448, 3), order=order)

    exact = end(4000, 1)
    (euler, finer_euler), (second, finer_second) = (
        [float((end(steps, order) - exact).abs().max()) for steps in (20, 40)] for order in (1, 2)
    )
    assert 1.5 < euler / finer_euler < 2.7
    assert second / finer_second > 3
    assert second < euler / 2


def test_a_woken_frame_has_no_step_before():
    """Order two takes the plain velocity in the first step after waking."""
    start, mask = torch.zeros(1, 1, 2, 1, 1), torch.tensor([[1.0, 0.5]])
    timesteps = uniform_timesteps(4)  # 1000, 750, 500, 250: the second frame wakes at 500
    speeds = iter((1.0, 2.0, 3.0, 4.0))
    steps = sample_steps(
        lambda z, t, m: torch.full_like(z, next(speeds)), start, timesteps, mask, lambda i: 0 * start, order=2
    )
    films = [step.latents[0, 0, :, 0, 0].tolist() for step in steps]
    # 1/4 of 1, then of 2 + (2 - 1) / 2 = 2.5, 3.5 and 4.5; the woken one of 3 and 4.5
    assert films == [[0.25, 0], [0.875, 0], [1.75, 0.75], [2.875, 1.875]]


@pytest.mark.parametrize("order", [1, 2])
def test_scheduler_step_equals_the_sampler(order):
    torch.manual_seed(0)
    scheduler, start = RectifiedFlowScheduler(solver_order=order), torch.randn(1, 1, 3, 2, 2)
    scheduler.set_timesteps(5, 256, 448, 3)
    x = start
    for t in scheduler.timesteps:
        x = scheduler.step(torch.sin(x), t, x).prev_sample
    expected = sample(lambda z, t, m: torch.sin(z), start, scheduler.timesteps, order=order)
    torch.testing.assert_close(x, expected)


def test_scheduler_saves_and_loads(tmp_path):
    made = RectifiedFlowScheduler(transform_scale=2.0, init_noise_sigma=0.9, solver_order=2)
    made.save_pretrained(tmp_path)
    loaded = RectifiedFlowScheduler.from_pretrained(tmp_path)
    assert loaded.config.solver_order == 2
    assert loaded.config.transform_scale == 2.0
    assert loaded.init_noise_sigma == 0.9
    assert loaded.ratio(512, 512, 1).item() == 2.0
    with pytest.raises(ValueError, match="at least one step"):
        loaded.set_timesteps(0, 512, 512, 1)
    with pytest.raises(ValueError, match="above 0"):
        RectifiedFlowScheduler(init_noise_sigma=0.0)
    with pytest.raises(ValueError, match="solver_order"):
        RectifiedFlowScheduler(solver_order=3)


# --- sampling with condition frames ---


def test_kept_frames_stay_and_are_marked():
    torch.manual_seed(0)
    start, mask = torch.randn(2, 1, 4, 2, 2), torch.tensor([[0.0, 0, 1, 1], [1, 1, 1, 1]])
    steps = list(sample_steps(constant_velocity, start, steps_for(4, 256, 448, 4), mask))
    assert len(steps) == 4
    for step in steps:
        assert torch.equal(step.x_mask, mask.bool())
        assert torch.equal(step.latents[0, :, :2], start[0, :, :2])
    torch.testing.assert_close(steps[-1].latents[0, :, 2:], start[0, :, 2:] + 3)


def test_edited_frames_wake_with_noise_at_their_level_and_only_once():
    torch.manual_seed(0)
    start, mask = torch.randn(1, 1, 3, 2, 2), torch.tensor([[0.0, 0.5, 1.0]])
    noise = torch.randn(5, 1, 1, 3, 2, 2)
    seen = []

    def velocity(latents, timestep, x_mask):
        seen.append((latents.clone(), x_mask.tolist()[0]))
        return torch.zeros_like(latents)

    timesteps = uniform_timesteps(5)  # 1000, 800, 600, 400, 200
    final = sample(velocity, start, timesteps, mask, draw_noise=lambda i: noise[i])
    assert [active for _, active in seen] == [[False, False, True]] * 3 + [[False, True, True]] * 2
    woken = add_noise(start, noise[3], timesteps[3:4])[:, :, 1]
    for latents, _ in seen[:3]:
        assert torch.equal(latents, start)
    torch.testing.assert_close(seen[3][0][:, :, 1], woken)
    torch.testing.assert_close(seen[4][0][:, :, 1], woken)
    assert torch.equal(final[:, :, [0, 2]], start[:, :, [0, 2]])


def test_edits_without_noise_are_refused():
    with pytest.raises(ValueError, match="draw_noise"):
        sample(constant_velocity, torch.zeros(1, 1, 1, 1, 1), uniform_timesteps(2), torch.tensor([[0.5]]))


def test_guidance():
    c, u = torch.randn(2, 3), torch.randn(2, 3)
    torch.testing.assert_close(classifier_free_guidance(c, u, 1.0), c)
    torch.testing.assert_close(classifier_free_guidance(c, u, 0.0), u)
    torch.testing.assert_close(classifier_free_guidance(c, u, 3.0), u + 3 * (c - u))


def test_guided_velocity_runs_both_halves_in_one_batch_and_drops_variances():
    calls = []

    def model(x, timestep, y, x_mask=None, fps=None):
        calls.append((x.shape[0], timestep.tolist(), x_mask.shape[0], fps))
        return torch.cat([y.reshape(-1, 1, 1, 1, 1).expand_as(x), x], dim=1)

    y, null = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)
    x, t, x_mask = torch.randn(1, 1, 2, 2, 2), torch.tensor([7.0]), torch.ones(1, 2, dtype=torch.bool)
    assert (guided_velocity(model, 5.0, y, null, fps=12.0)(x, t, x_mask) == 5).all()
    assert (guided_velocity(model, 1.0, y, null, fps=12.0)(x, t, x_mask) == 1).all()
    assert calls == [(2, [7.0, 7.0], 2, 12.0), (1, [7.0], 1, 12.0)]


# --- loss ---


def test_loss_counts_unmasked_frames_only_and_shows_condition_frames_clean():
    torch.manual_seed(0)
    latents, noise = torch.randn(2, 3, 4, 2, 2), torch.randn(2, 3, 4, 2, 2)
    mask = torch.tensor([[0, 1, 1, 1], [0, 0, 0, 1]]).bool()
    batch = FlowBatch(latents=latents, noise=noise, timesteps=torch.tensor([900.0, 400.0]), mask=mask)
    spoiled = ~mask[:, None, :, None, None] * 100.0  # errors on condition frames, which must not count

    def model(x, timestep, x_mask):
        assert torch.equal(x_mask, mask)
        assert torch.equal(x[0, :, 0], latents[0, :, 0])
        assert torch.equal(x[1, :, :3], latents[1, :, :3])
        return latents - noise + 2.0 + spoiled

    torch.testing.assert_close(flow_losses(model, batch), torch.full((2,), 4.0))


def test_weights_weight_the_mean():
    latents, noise = torch.randn(1, 3, 2, 1, 1), torch.randn(1, 3, 2, 1, 1)
    weights = torch.tensor([1.0, 3.0]).reshape(1, 1, 2, 1, 1)
    batch = FlowBatch(latents=latents, noise=noise, timesteps=torch.tensor([500.0]), weights=weights)
    error = torch.tensor([2.0, 1.0]).reshape(1, 1, 2, 1, 1)
    loss = flow_losses(lambda x, t, x_mask: latents - noise + error, batch)
    torch.testing.assert_close(loss, torch.tensor([(1 * 4.0 + 3 * 1.0) / 4]))


def test_training_loss_is_zero_for_a_perfect_model_and_trains_a_poor_one():
    torch.manual_seed(0)
    latents, scale = torch.zeros(4, 2, 3, 2, 2), torch.zeros((), requires_grad=True)
    mask = torch.tensor([False, True, True]).expand(4, 3)

    def model(x, timestep, x_mask, gain):
        return gain * x / (timestep / 1000)[:, None, None, None, None]  # of zeros, x_t = u * noise

    sizes = {"height": 256, "width": 448, "x_mask": mask}
    assert training_loss(model, latents, {"gain": -1.0}, **sizes).item() == pytest.approx(0, abs=1e-9)
    loss = training_loss(
        model, latents, {"gain": scale}, overlap_noise=0.05, weights=torch.ones(4, 3, 2, 2), **sizes
    )
    loss.backward()
    assert loss.item() > 0.5
    assert scale.grad < 0 or scale.grad > 0


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_share_of_the_samples_is_pure_noise(share: float):
    torch.manual_seed(0)
    seen = []

    def model(x, timestep, x_mask):
        seen.append(timestep)
        assert (x[timestep == 1000].abs() < 5).all(), "noise alone, nothing of the latents"
        return torch.zeros_like(x)

    latents = torch.full((2000, 1, 1, 1, 1), 1000.0)
    training_loss(model, latents, {}, height=256, width=448, timestep_method="uniform", pure_noise=share)
    assert (seen[0] == 1000).float().mean().item() == pytest.approx(share, abs=0.03)


def test_noise_on_condition_frames_is_small_and_per_sample():
    torch.manual_seed(0)
    latents = torch.zeros(200, 1, 2, 4, 4)
    levels = noise_condition_frames(latents, 0.1).std(dim=(1, 2, 3, 4))
    assert levels.max() < 0.15
    assert levels.min() < 0.02
    assert levels.mean() == pytest.approx(0.05, abs=0.01)
