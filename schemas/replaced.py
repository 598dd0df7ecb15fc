"""Settings as notebooks call them, and what says the same here; some need no setting at all."""

REPLACED: dict[str, str] = {
    "ATTENTION_POOLING": "head.pooling: attention",
    "BATCH_SIZE": "training.batch_size",
    "CLASS_WEIGHT_MULT": "tasks.LABEL.class_multipliers",
    "EARLY_STOP_PATIENCE": "training.patience, with training.validation_share",
    "EPOCHS": "training.epochs",
    "FOCAL_GAMMA": "loss.focal_gamma, or tasks.LABEL.focal_gamma",
    "GRAD_ACCUM_STEPS": "training.accumulation",
    "GRAD_NORM": "training.max_grad_norm, one norm for the whole network",
    "HEAD_DROPOUT": "head.dropout",
    "HEAD_HIDDEN": "head.hidden_width",
    "HEAD_LAYERS": "head.hidden_layers, which does not count the layer that answers",
    "HEAD_LR_MULT": "training.head_multiplier",
    "JOINT_ALPHA": "sampling.exponent",
    "JOINT_OVERSAMPLING_MAX_MULT": "sampling.most",
    "LABEL_SMOOTH": "loss.label_smoothing, or tasks.LABEL.label_smoothing",
    "LEARNING_RATE": "training.learning_rate",
    "LLRD_DECAY": "training.layer_decay",
    "LR": "training.learning_rate",
    "MAX_CLASS_WEIGHT": "loss.max_class_weight",
    "MAX_GRAD_NORM": "training.max_grad_norm",
    "MAX_LENGTH": "max_tokens",
    "MODEL_NAME": "encoder.model, with encoder.revision",
    "BOOST_MULT": "sampling.boosts.LABEL.CLASS",
    "OBJECTIVE_BOOST": "sampling.boosts.LABEL.CLASS",
    "OUT_DIR": "nothing: each night keeps its model under NIGHTSHIFT_HOME",
    "POS_WEIGHT": "loss.class_weights: 1.0, which for flags is negatives / positives",
    "RDROP_ALPHA": "loss.r_drop",
    "RDROP_WARMUP_EPOCHS": "loss.r_drop_warm_up",
    "REP_POOLING": "head.pooling",
    "SEED": "search.seed",
    "TASK_LOSS_WEIGHTS": "tasks.LABEL.weight",
    "TEMPERATURE": "calibration, of the plan",
    "USE_TASK_SPECIFIC_GRAD_NORM": "nothing: one norm, training.max_grad_norm, for all tasks",
    "USE_THRESHOLD_TUNING": "nothing: thresholds are always fitted, on rows that no fit has seen",
    "WARMUP_RATIO": "training.warm_up",
    "WEIGHT_DECAY": "training.weight_decay",
    "WORD_DROPOUT": "sampling.word_dropout and sampling.word_dropout_rows",
    "POOLER": "cls, with head.hidden_layers: 1 in the place of the encoder's own layer",
    "LAST4_MEAN": "last4-mean",
    "ATTENTION_WEIGHTED": "attention",
}
"""By the name in capitals; LABEL and CLASS stand for those of the plan."""


def replacement(name: str) -> str | None:
    """What to say instead of a name that a notebook uses, whatever label or class it speaks of.

    >>> replacement("EPOCHS"), replacement("focal_gamma_sentiment"), replacement("epochz")
    ('training.epochs', 'loss.focal_gamma, or tasks.LABEL.focal_gamma', None)
    >>> replacement("NEUTRAL_BOOST_MULT")
    'sampling.boosts.LABEL.CLASS'
    """
    asked = name.upper().replace("-", "_")
    if asked in REPLACED:
        return REPLACED[asked]
    parts = asked.split("_")
    for length in range(len(parts) - 1, 1, -1):  # a label or class before or behind it
        for some in (parts[:length], parts[-length:]):
            if "_".join(some) in REPLACED:
                return REPLACED["_".join(some)]
    return None
