"""The section `train`: what all models share, and what each has of its own."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from unpaired.params.values import Count, Momentum, Positive, Section, Share, Text, Weight, Whole


class Training(Section):
    seed: Whole
    epochs: Count
    decay: Share
    batch_size: Count
    learning_rate: Positive
    beta1: Momentum
    beta2: Momentum
    keep: Literal["last", "ema", "best_kid"]
    ema: Momentum
    load_scale: Annotated[float, Field(ge=1, le=2)]
    flip: bool
    precision: Literal["auto", "fp32", "bf16"]
    device: Literal["auto", "cpu", "cuda"]
    threads: Literal["auto"] | Count
    log_every: Count
    sample_every: Count
    checkpoint_every: Count

    @model_validator(mode="after")
    def _a_running_mean_is_there_where_it_is_kept(self) -> "Training":
        if self.keep == "ema" and not self.ema:
            raise ValueError("train.keep ema needs train.ema, the mean's decay, above 0")
        if self.keep == "last" and self.ema:
            raise ValueError("train.keep last keeps no running mean: set train.ema to 0")
        return self


class CycleGAN(Training):
    model: Literal["cyclegan"]
    gan_loss: Literal["lsgan", "log", "log_saturating"]
    init_gain: Positive
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
    keep: Literal["last", "ema"]
    gan_loss: Literal["log", "log_saturating"]
    init_gain: Positive
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
    keep: Literal["last", "ema"]
    labels: list[Text]
    gan_loss: Literal["wgan", "log", "log_saturating"]
    n_critic: Count
    lambda_cls: Weight
    lambda_rec: Weight
    lambda_gp: Weight
    ngf: Count
    blocks: Literal[6, 9]
    ndf: Count

    @field_validator("labels")
    @classmethod
    def _one_kind_of_class(cls, labels: list[str]) -> list[str]:
        columns = [label.rpartition("=")[0] for label in labels]
        if len(set(labels)) < len(labels):
            raise ValueError("a class is named twice")
        if len(set(columns)) > 1:
            raise ValueError("values of one column (colour=red, colour=blue), or attributes (Male)")
        if columns and columns[0] and len(labels) < 2:
            raise ValueError("two classes at least")
        return labels


MODELS = ("cyclegan", "dcgan", "stargan")
Train = Annotated[CycleGAN | DCGAN | StarGAN, Field(discriminator="model")]
