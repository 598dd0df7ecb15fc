"""The network: one encoder, one pooling a target, one head a target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from schemas.knobs import value
from schemas.label import Target
from schemas.transformers import Head

Pooling: TypeAlias = Literal["cls", "mean", "last4-mean", "attention"]


@dataclass(frozen=True)
class HeadShape:
    """What a settled head looks like; `widths` are of its hidden layers, first to last."""

    pooling: Pooling
    widths: tuple[int, ...]
    dropout: float
    layer_norm: bool
    initialisation: Literal["encoder", "xavier"]


def head_shape(head: Head) -> HeadShape:
    """Of a settled head.

    >>> head_shape(Head(hidden_layers=2, hidden_width=384, halving=True)).widths
    (384, 192)
    """
    first, halving = value(head.hidden_width), value(head.halving)
    return HeadShape(
        pooling=value(head.pooling),
        widths=tuple(
            first // 2**place if halving else first for place in range(value(head.hidden_layers))
        ),
        dropout=value(head.dropout),
        layer_norm=value(head.layer_norm),
        initialisation=head.initialisation,
    )


def units(target: Target) -> int:
    """How many logits answer for a target: of a flag one."""
    return 1 if target.is_flag else target.classes


def unit_slices(targets: Sequence[Target]) -> tuple[slice, ...]:
    """Where each target's logits stand among all of them, side by side."""
    slices, start = [], 0
    for target in targets:
        slices.append(slice(start, start + units(target)))
        start += units(target)
    return tuple(slices)


class Network(nn.Module):
    """Tokens in, the logits of all targets out, side by side."""

    # The Trainer then counts the rows of a whole step, and leaves dividing by them to the loss.
    accepts_loss_kwargs = True

    def __init__(
        self, encoder: PreTrainedModel, shape: HeadShape, targets: Sequence[Target]
    ) -> None:
        super().__init__()
        width, spread = _settings(encoder)
        self.encoder = encoder
        self.shape = shape
        self.pooling = AttentionPooling(width) if shape.pooling == "attention" else None
        self.heads = nn.ModuleList(_head(width, shape, units(target)) for target in targets)
        for added in (self.pooling, self.heads):
            for module in added.modules() if added is not None else ():
                _initialise(module, shape.initialisation, spread)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> dict[str, Tensor]:
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        layers = self.shape.pooling == "last4-mean"
        told = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=layers, **types
        )
        hidden = last_four(told.hidden_states) if layers else told.last_hidden_state
        pooled = self._pooled(hidden, attention_mask)
        return {"logits": torch.cat([head(pooled) for head in self.heads], dim=1)}

    def _pooled(self, hidden: Tensor, mask: Tensor) -> Tensor:
        if self.pooling is not None:
            attended: Tensor = self.pooling(hidden, mask)
            return attended
        return hidden[:, 0] if self.shape.pooling == "cls" else masked_mean(hidden, mask)


class AttentionPooling(nn.Module):
    """The mean of the tokens, each weighed by how much a learned direction likes it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scorer = nn.Linear(width, 1)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        scores = self.scorer(hidden).squeeze(-1).float()
        shares = torch.softmax(scores.masked_fill(mask == 0, -torch.inf), dim=1)
        return torch.einsum("rt,rtw->rw", shares.to(hidden.dtype), hidden)


def masked_mean(
    hidden: Tensor,  # (rows, tokens, width)
    mask: Tensor,  # (rows, tokens) 0 where a row is over
) -> Tensor:
    """(rows, width) the mean of each row's own tokens."""
    counted = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * counted).sum(1) / counted.sum(1)


def last_four(states: Sequence[Tensor]) -> Tensor:
    """The mean of the last four layers, or of all where there are fewer; words alone are none."""
    return torch.stack(list(states[1:][-4:])).mean(0)


def _head(width: int, shape: HeadShape, answers: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Dropout(shape.dropout)]
    for hidden in shape.widths:
        layers.append(nn.Linear(width, hidden))
        if shape.layer_norm:
            layers.append(nn.LayerNorm(hidden))
        layers += [nn.GELU(), nn.Dropout(shape.dropout)]
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, answers))


def _initialise(module: nn.Module, how: Literal["encoder", "xavier"], spread: float) -> None:
    if not isinstance(module, nn.Linear):
        return
    if how == "xavier":
        nn.init.xavier_uniform_(module.weight)
    else:
        nn.init.normal_(module.weight, std=spread)
    nn.init.zeros_(module.bias)


def _settings(encoder: PreTrainedModel) -> tuple[int, float]:
    """How wide its layers are, and the spread that they were drawn with."""
    config = encoder.config
    spread: float = getattr(config, "initializer_range", 0.02)
    width: int = config.hidden_size
    return width, spread
