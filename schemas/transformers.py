"""The transformer family: an encoder that is fine-tuned, with a head for each target of the plan.

It reads a row's text columns itself, answers all targets at once, and deals with rare classes by
its own `loss` and `sampling`. `learning/neural/` builds what is described here.
"""

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, model_validator

from schemas.knobs import Knob, Range
from schemas.learner import Learner, Points
from schemas.strict import Strict

Exponent = Annotated[float, Field(ge=0, le=1)]
Part = Annotated[float, Field(ge=0, lt=1)]
Gamma = Annotated[float, Field(ge=0, le=10)]
Tau = Annotated[float, Field(ge=0, le=2)]
Count = Annotated[int, Field(ge=1)]
Cap = Annotated[float, Field(ge=1)]
Tokens = Annotated[int, Field(ge=4, le=8192)]
Layers = Annotated[int, Field(ge=0, le=4)]
Width = Annotated[int, Field(ge=4)]
Epochs = Annotated[int, Field(ge=1, le=100)]
Members = Annotated[int, Field(ge=1, le=10)]

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_REVISION = re.compile(r"[0-9a-f]{40}")
_FOLDER = ("/", "./", "../", "~")


class Encoder(Strict):
    """Where the pretrained weights are: a name on the hub with its commit, or a folder.

    A folder begins with `/`, `./`, `../` or `~`. A hub's name may be moved to other weights any
    day, so it needs the commit that is meant.
    """

    model: str
    revision: str | None = None

    @property
    def is_folder(self) -> bool:
        return self.model.startswith(_FOLDER)

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.is_folder:
            if self.revision is not None:
                raise ValueError(
                    f"a folder has no revision, got {self.revision!r} for {self.model}; remove it"
                )
            return self
        if not _HUB_NAME.fullmatch(self.model):
            raise ValueError(
                f"expected a model's name (owner/name) or a folder (./..., /...), "
                f"got {self.model!r}"
            )
        if self.revision is None or not _REVISION.fullmatch(self.revision):
            raise ValueError(
                f"{self.model} needs `revision`: expected the 40 hexadecimal digits of a commit, "
                f"got {self.revision!r}; its page on the hub lists them"
            )
        return self


class Head(Strict):
    """What stands between the encoder's last layer and a target's answers.

    `last4-mean` averages the last four layers before the words. 768 -> 384 -> 192 -> classes is
    `hidden_layers: 2`, `hidden_width: 384`, `halving: true`. `initialisation: encoder` draws as
    the encoder's own layers were drawn.
    """

    pooling: Knob[Literal["cls", "mean", "last4-mean", "attention"]] = "mean"
    hidden_layers: Knob[Layers] = 0
    hidden_width: Knob[Width] = 768
    halving: Knob[bool] = False
    dropout: Knob[Part] = 0.1
    layer_norm: Knob[bool] = False
    initialisation: Literal["encoder", "xavier"] = "encoder"

    @model_validator(mode="after")
    def _wide_enough(self) -> Self:
        layers, width, halving = self.hidden_layers, self.hidden_width, self.halving
        if isinstance(layers, int) and isinstance(width, int) and halving is True and layers:
            least = 2 ** (layers + 1)
            if width < least:
                raise ValueError(
                    f"expected hidden_width of at least {least} to be halved {layers - 1} times, "
                    f"got {width}"
                )
        return self


class Loss(Strict):
    """What a wrong answer costs, the same for every task that `tasks` says nothing else of.

    `class_weights` is an exponent: a class of n rows weighs (rows / (classes * n)) to it, a flag's
    class 1 (rows without / rows with) to it, never above `max_class_weight`. `deferred` is the
    share of the epochs that goes by before these weights count (Cao et al. 2019).
    `logit_adjustment` is tau of Menon et al. 2021; 1 is balanced softmax. `r_drop` is alpha of
    Liang et al. 2021, reached in even steps over `r_drop_warm_up` epochs; it doubles the work.
    """

    focal_gamma: Knob[Gamma] = 0.0
    label_smoothing: Knob[Part] = 0.0
    class_weights: Knob[Exponent] = 0.0
    max_class_weight: Cap = 10.0
    logit_adjustment: Knob[Tau] = 0.0
    deferred: Knob[Part] = 0.0
    r_drop: Knob[NonNegativeFloat] = 0.0
    r_drop_warm_up: NonNegativeInt = 0


class TaskLoss(Strict):
    """What differs for one task; None leaves it as `loss` and `training` have it.

    `class_multipliers` multiply the class weights, before their cap.
    """

    weight: PositiveFloat = 1.0
    focal_gamma: Gamma | None = None
    label_smoothing: Part | None = None
    class_multipliers: dict[str, PositiveFloat] = {}
    head_multiplier: PositiveFloat | None = None


class Sampling(Strict):
    """Which training rows an epoch draws, and what is done to their words.

    Rows of one combination of all labels are drawn (rows of the commonest / rows of it) to
    `exponent` times as often, times the `boosts` of their classes, at most `most` times as often as
    the least drawn. 0 without boosts: every row once an epoch. Word dropout takes `word_dropout` of
    the words away in `word_dropout_rows` of the rows, other ones each epoch.
    """

    exponent: Knob[Exponent] = 0.0
    boosts: dict[str, dict[str, PositiveFloat]] = {}
    most: Cap = 8.0
    word_dropout: Knob[Part] = 0.0
    word_dropout_rows: Knob[Annotated[float, Field(ge=0, le=1)]] = 0.3


class Training(Strict):
    """How the weights move.

    One step sees `batch_size` times `accumulation` rows. `layer_decay` multiplies the rate once
    a layer on the way down, `head_multiplier` that of the heads. `warm_up` is a share of all
    steps. `precision: auto` is bf16 where the GPU or processor multiplies it, fp16 on other
    GPUs, else fp32. `validation_share` of the groups of training rows is held back to score
    each epoch: the best one's weights are kept, and `patience` epochs without a better one end
    the fit. `seeds` members are fitted and averaged.
    """

    learning_rate: Knob[PositiveFloat] = Range(low=1e-5, high=5e-5, log=True)
    epochs: Knob[Epochs] = (3, 2, 4)
    batch_size: Knob[Count] = 16
    accumulation: Count = 1
    weight_decay: Knob[NonNegativeFloat] = 0.01
    layer_decay: Knob[Annotated[float, Field(gt=0, le=1)]] = 1.0
    head_multiplier: Knob[PositiveFloat] = 1.0
    warm_up: Knob[Part] = 0.1
    schedule: Knob[Literal["linear", "cosine"]] = "linear"
    max_grad_norm: PositiveFloat = 1.0
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    gradient_checkpointing: bool = False
    patience: Count | None = None
    validation_share: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    seeds: Members = 1

    @model_validator(mode="after")
    def _rows_to_be_patient_on(self) -> Self:
        if self.patience is not None and not self.validation_share:
            raise ValueError(
                f"patience: {self.patience} needs rows to score the epochs on; "
                "expected validation_share above 0 (0.1, say), got 0"
            )
        return self


class Transformer(Learner):
    """A pretrained encoder, fine-tuned on the plan's text columns.

    Several text columns are read one after the other, with the encoder's separator between them.
    """

    title: ClassVar[str] = "Transformer"
    reads_text: ClassVar[bool] = True
    kind: Literal["transformer"] = "transformer"
    encoder: Encoder
    max_tokens: Knob[Tokens] = 128
    head: Head = Head()
    loss: Loss = Loss()
    tasks: dict[str, TaskLoss] = {}
    sampling: Sampling = Sampling()
    training: Training = Training()
    first: Points = (
        {"training.learning_rate": 3e-5, "training.epochs": 3},
        {"training.learning_rate": 5e-5, "training.epochs": 4},
    )
