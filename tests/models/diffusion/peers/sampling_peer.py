"""Schedules and trajectories of diffusers' schedulers, with a fixed small function in place of the network."""
import sys

import numpy as np
import scipy.stats
import torch

import diffusers.schedulers
from diffusers import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_dpmsolver_sde import BrownianTreeNoiseSampler, DPMSolverSDEScheduler
from peer import write

STEPS = 20
STRENGTHS = ("0.2", "0.35", "0.5", "0.75")
TABLE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
OFFSET = {"steps_offset": 1}
MULTISTEP = "DPMSolverMultistepScheduler"
SDE = {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True}
UNIPC = "UniPCMultistepScheduler"



class ThirdOrder(DPMSolverMultistepScheduler):
    """With the second difference in the stochastic update of order 3 weighted as k-diffusion does, and as their own
    update without noise: + 0.5 where theirs has - 0.5, which does not vanish with the step."""

    def multistep_dpm_solver_third_order_update(self, model_outputs, *_, sample, noise):
        x = super().multistep_dpm_solver_third_order_update(model_outputs, sample=sample, noise=noise)
        levels = self.sigmas[self.step_index - 2 : self.step_index + 2]
        before, recent, now = -levels.log().diff()
        newest, middle, oldest = model_outputs[-1], model_outputs[-2], model_outputs[-3]
        bend = (newest - middle) / (recent / now) - (middle - oldest) / (before / now)
        return x + bend / ((recent + before) / now) / (levels[-1] ** 2 + 1) ** 0.5


# sampler/scheduler, as upbench names them: class and settings.
CASES = {
    "euler/uniform": ("EulerDiscreteScheduler", {}),
    "euler/karras": ("EulerDiscreteScheduler", {"use_karras_sigmas": True}),
    "euler/exponential": ("EulerDiscreteScheduler", {"use_exponential_sigmas": True}),
    "euler/beta-sigma": ("EulerDiscreteScheduler", {"use_beta_sigmas": True}),
    "euler/ddim-uniform": ("EulerDiscreteScheduler", {"timestep_spacing": "leading", **OFFSET}),
    "euler/turbo": ("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}),
    "euler-a/uniform": ("EulerAncestralDiscreteScheduler", {}),
    "heun/uniform": ("HeunDiscreteScheduler", {}),
    "heun/karras": ("HeunDiscreteScheduler", {"use_karras_sigmas": True}),
    "dpm2/uniform": ("KDPM2DiscreteScheduler", {}),
    "dpm2/karras": ("KDPM2DiscreteScheduler", {"use_karras_sigmas": True}),
    "dpm2-a/uniform": ("KDPM2AncestralDiscreteScheduler", {}),
    "dpm2-a/karras": ("KDPM2AncestralDiscreteScheduler", {"use_karras_sigmas": True}),
    "lms/uniform": ("LMSDiscreteScheduler", {}),
    "lms/karras": ("LMSDiscreteScheduler", {"use_karras_sigmas": True}),
    "dpmpp-2s-a/exponential": ("DPMSolverSinglestepScheduler", {"use_exponential_sigmas": True, "lower_order_final": True}),
    "dpmpp-2m/uniform": (MULTISTEP, {}),
    "dpmpp-2m/karras": (MULTISTEP, {"use_karras_sigmas": True}),
    "dpmpp-2m/exponential": (MULTISTEP, {"use_exponential_sigmas": True}),
    "dpmpp-2m/beta-sigma": (MULTISTEP, {"use_beta_sigmas": True}),
    "dpmpp-2m/ddim-uniform": (MULTISTEP, {"timestep_spacing": "leading", **OFFSET}),
    "dpmpp-2m/turbo": (MULTISTEP, {"timestep_spacing": "trailing"}),
    "dpmpp-sde/karras": (DPMSolverSDEScheduler, {"use_karras_sigmas": True}),
    "dpmpp-2m-sde/karras": (MULTISTEP, SDE),
    "dpmpp-3m-sde/karras": (ThirdOrder, {"solver_order": 3, "solver_type": "heun", **SDE}),
    "dpmpp-3m-sde/exponential": (MULTISTEP, {"solver_order": 3, "solver_type": "heun", "use_exponential_sigmas": True}),
    "ddim/ddim-uniform": ("DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False, **OFFSET}),
    "unipc/uniform": (UNIPC, {}),
    "unipc/karras": (UNIPC, {"use_karras_sigmas": True}),
    "unipc-bh1/karras": (UNIPC, {"use_karras_sigmas": True, "solver_type": "bh1", "solver_order": 3}),
    "lcm/lcm": ("LCMScheduler", {}),
}
# Their `step` counts the steps of the whole schedule, so that one which begins in the middle uses the wrong
# order: LMS the coefficients of order 4 with fewer slopes than these are for, the single step solver pairs
# that begin anywhere. Both are given the tail as a schedule of its own.
TAIL_ALONE = ("lms", "dpmpp-2s-a")

generator = torch.Generator().manual_seed(5)
init = torch.randn(1, 4, 6, 5, generator=generator) * 0.8
noise = torch.randn(1, 4, 6, 5, generator=generator)
step_noise = torch.randn(2 * STEPS, 1, 4, 6, 5, generator=generator)
mix = torch.randn(4, 4, generator=generator) / 2
shift = torch.randn(4, 1, 1, generator=generator)
tensors = {"init": init, "noise": noise, "step_noise": step_noise, "mix": mix, "shift": shift}


def network(x, timestep):
    """A guess of the noise: more of x the more noise there is, and something bent by all channels and time."""
    share = float(timestep) / 1000
    mixed = torch.einsum("oc,nchw->nohw", mix, x)
    return x * np.sin(np.pi / 2 * share) + 0.3 * torch.tanh(mixed + shift * np.cos(9 * share))


class Draws:
    """The given noises in turn, for every way in which schedulers ask."""

    def __init__(self):
        self.count = 0

    def __call__(self, *_, **__):
        self.count += 1
        return step_noise[self.count - 1]


class Tree:
    """Their Brownian tree (torchsde's), each step of which asks for its first half, then for all of it. Kept: what the
    halves are made of, as independent draws of unit variance."""

    def __init__(self, scheduler):
        levels = scheduler.sigmas
        self.tree = BrownianTreeNoiseSampler(init, levels[levels > 0].min().item(), levels.max().item(), seed=11)
        self.half, self.draws = None, []

    def __call__(self, start, end):
        asked = self.tree(start, end)
        if self.half is None:
            self.half = (start, end, asked)
            self.draws.append(asked)
            return asked
        _, middle, early = self.half
        self.half = None
        late = asked * (start - end) ** 0.5 - early * (start - middle) ** 0.5
        self.draws.append(late / (middle - end) ** 0.5)
        return asked


def trajectory(name, kind, settings, strength):
    draws = Draws()
    cls = getattr(diffusers.schedulers, kind) if isinstance(kind, str) else kind
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("diffusers.schedulers") and hasattr(module, "randn_tensor"):
            module.randn_tensor = draws
    scheduler = cls(**TABLE, **settings)
    scheduler.set_timesteps(STEPS)
    if hasattr(scheduler, "noise_sampler"):
        scheduler.noise_sampler = Tree(scheduler)
    # StableDiffusionImg2ImgPipeline.get_timesteps
    first = max(STEPS - min(int(STEPS * float(strength)), STEPS), 0) * scheduler.order
    timesteps = scheduler.timesteps[first:]
    if hasattr(scheduler, "sigmas"):
        levels = scheduler.sigmas[first :: scheduler.order][: len(timesteps[:: scheduler.order])]
        levels = torch.cat([levels, scheduler.sigmas[-1:]])
    else:
        abar = scheduler.alphas_cumprod[timesteps]
        levels = ((1 - abar) / abar) ** 0.5
        last = scheduler.alphas_cumprod[0] if kind == "DDIMScheduler" else torch.tensor(1.0)
        levels = torch.cat([levels, ((1 - last) / last)[None] ** 0.5])
    if name.split("/")[0] in TAIL_ALONE:
        scheduler.sigmas, scheduler.timesteps, first = scheduler.sigmas[first:], timesteps, 0
        scheduler.num_inference_steps = len(timesteps)
        if hasattr(scheduler, "order_list"):
            scheduler.order_list = scheduler.get_order_list(len(timesteps))
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(first)
    x = scheduler.add_noise(init, noise, timesteps[:1])
    latents = [x]
    for i, timestep in enumerate(timesteps):
        x = scheduler.step(network(scheduler.scale_model_input(x, timestep), timestep), timestep, x).prev_sample
        if i % scheduler.order == scheduler.order - 1 or i + 1 == len(timesteps):
            latents.append(x)
    key = f"{name}/{strength}/"
    tensors[key + "latents"] = torch.cat(latents)
    if hasattr(scheduler, "noise_sampler"):
        tensors[key + "step_noise"] = torch.stack(scheduler.noise_sampler.draws)
    tensors[key + "sigmas"] = levels.double()
    tensors[key + "timesteps"] = timesteps[:: scheduler.order].double()


for name, (kind, settings) in CASES.items():
    for strength in STRENGTHS:
        trajectory(name, kind, settings, strength)

probabilities = np.concatenate([np.geomspace(1e-9, 0.1, 50), np.linspace(0, 1, 101), 1 - np.geomspace(1e-9, 0.1, 50)])
tensors["beta/probabilities"] = torch.from_numpy(probabilities)
tensors["beta/0.6"] = torch.from_numpy(scipy.stats.beta.ppf(probabilities, 0.6, 0.6))
tensors["beta/0.5,0.7"] = torch.from_numpy(scipy.stats.beta.ppf(probabilities, 0.5, 0.7))
write(tensors, "diffusers", "scipy", "torchsde")
