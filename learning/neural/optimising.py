"""Which weight moves how fast: lower layers slower, heads faster, no decay on biases and norms."""

from collections.abc import Sequence
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from learning.neural.modules import Network
from schemas.knobs import value
from schemas.label import Target
from schemas.transformers import TaskLoss, Transformer


def parameter_groups(
    network: Network,
    spec: Transformer,  # settled
    targets: Sequence[Target],
) -> list[dict[str, Any]]:
    """AdamW's groups: every weight that learns in exactly one; the first has the plan's own rate,
    which is the one that a history shows.
    """
    rates = {name: _rate(name, network, spec, targets) for name, _ in network.named_parameters()}
    base, decay = value(spec.training.learning_rate), value(spec.training.weight_decay)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in network.named_parameters():
        if weight.requires_grad:
            # Biases and the gains of norms are the vectors among the weights.
            key = (rates[name], decay if weight.ndim > 1 else 0.0)
            groups.setdefault(key, []).append(weight)
    order = sorted(groups, key=lambda key: (abs(key[0] - base), -key[1]))
    return [{"params": groups[key], "lr": key[0], "weight_decay": key[1]} for key in order]


def _rate(name: str, network: Network, spec: Transformer, targets: Sequence[Target]) -> float:
    training = spec.training
    base = value(training.learning_rate)
    room, _, rest = name.partition(".")
    if room == "encoder":
        depth = _steps_down(rest, network.encoder)
        return float(base * value(training.layer_decay) ** depth)
    multiplier: float | None = None
    if room == "heads":
        target = targets[int(rest.partition(".")[0])]
        multiplier = spec.tasks.get(target.name, TaskLoss()).head_multiplier
    return float(base * (value(training.head_multiplier) if multiplier is None else multiplier))


def _steps_down(name: str, encoder: PreTrainedModel) -> int:
    """How far below its top layer a weight of the encoder is: the words' own are below all layers.

    Encoders that share one layer, as ALBERT, have no steps.
    """
    prefix, layers = _layers(encoder)
    if layers and name.startswith(f"{prefix}."):
        layer = int(name[len(prefix) + 1 :].partition(".")[0])
        return layers - 1 - layer
    return layers if "embed" in name else 0


def _layers(encoder: PreTrainedModel) -> tuple[str, int]:
    """Where the encoder's stack of layers is, and how many it has."""
    wanted = getattr(encoder.config, "num_hidden_layers", 0)
    for name, module in encoder.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == wanted:
            return name, len(module)
    return "", 0
