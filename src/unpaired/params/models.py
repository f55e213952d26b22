"""The section `train`: what all models share, and what each has of its own."""

from typing import Annotated, Literal

from pydantic import Field

from unpaired.params.values import Count, Momentum, Positive, Section, Share, Weight, Whole


class Training(Section):
    seed: Whole
    epochs: Count
    decay: Share
    batch_size: Count
    learning_rate: Positive
    beta1: Momentum
    beta2: Momentum
    init_gain: Positive
    ema: Momentum
    load_scale: Annotated[float, Field(ge=1, le=2)]
    flip: bool
    precision: Literal["auto", "fp32", "bf16"]
    device: Literal["auto", "cpu", "cuda"]
    threads: Literal["auto"] | Count
    log_every: Count
    sample_every: Count
    checkpoint_every: Count


class CycleGAN(Training):
    model: Literal["cyclegan"]
    gan_loss: Literal["lsgan", "log", "log_saturating"]
    lambda_cycle: Weight
    lambda_identity: Weight
    r1_gamma: Weight
    ngf: Count
    blocks: Literal[6, 9]
    upsample: Literal["resize", "transpose"]
    ndf: Count
    pool_size: Whole


class DCGAN(Training):
    model: Literal["dcgan"]
    gan_loss: Literal["log", "log_saturating"]
    z_size: Count
    z_distribution: Literal["normal", "uniform"]
    ngf: Count
    slope: Share
    ndf: Count
    label_real: Annotated[float, Field(gt=0.5, le=1)]
    noise: Weight
    noise_steps: Count


class StarGAN(Training):
    model: Literal["stargan"]


MODELS = ("cyclegan", "dcgan", "stargan")
Train = Annotated[CycleGAN | DCGAN | StarGAN, Field(discriminator="model")]
