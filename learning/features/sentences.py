"""Text columns as vectors of a frozen encoder: nothing is learned, and nothing read twice."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer

from learning.features.encoders import Precision
from learning.features.vector_cache import VectorCache, text_key
from learning.features.words import as_texts
from learning.neural.folders import digest_of, digest_of_folder, files_of, located
from schemas.transformers import Encoder

if TYPE_CHECKING:  # torch takes seconds, and most plans need none
    from learning.neural.sentences import SentenceEncoder

_AT_ONCE = 2_048
"""Texts that are read, and then kept, together: what a killed worker loses at most."""


class SentenceVectors(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """One text column as the dense block that an encoder makes of it; a missing text is empty.

    What was fitted answers with the same encoder, byte for byte, or not at all. `cache` is a folder
    that keeps the vectors; a model that is stored takes the encoder along and needs none.
    """

    def __init__(
        self,
        encoder: str,
        revision: str | None,
        dimension: int,
        max_tokens: int,
        batch_size: int,
        precision: Precision = "double",
        cache: str | None = None,
    ) -> None:
        self.encoder = encoder
        self.revision = revision
        self.dimension = dimension
        self.max_tokens = max_tokens
        self.batch_size = batch_size
        self.precision = precision
        self.cache = cache

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn nothing but which encoder it is: the sha256 of its files."""
        self.digest_ = digest_of_folder(self._folder())
        self.n_features_in_ = 1
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float32] | NDArray[np.float64]:
        """(rows, dimension)."""
        keys: dict[bytes, int] = {}
        texts: list[str] = []
        rows = []
        for text in as_texts(X.iloc[:, 0]):
            key = text_key(text)
            if key not in keys:
                keys[key] = len(texts)
                texts.append(text)
            rows.append(keys[key])
        found = self._vectors(keys, texts)[rows]
        return found if self.precision == "single" else found.astype(np.float64)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """`column, sense place`."""
        name = "text" if input_features is None else str(input_features[0])
        return np.array([f"{name}, sense {place}" for place in range(self.dimension)], dtype=object)

    def own_files(self) -> dict[str, bytes]:
        """The encoder that it was fitted with; ValueError where another stands in its place."""
        files = self.files_ if hasattr(self, "files_") else files_of(self._folder())
        self._refuse_another(digest_of(files))
        return files

    def take(self, encoder: "SentenceEncoder", files: dict[str, bytes]) -> None:
        """Answer by this encoder, read of these files; ValueError unless it is its own."""
        self._refuse_another(encoder.digest)
        self.restored_, self.files_ = encoder, files

    def __getstate__(self) -> dict[str, Any]:
        """Without what only this machine has, and the encoder, whose files are kept as they are."""
        state: dict[str, Any] = dict(super().__getstate__())
        return {name: each for name, each in state.items() if name not in _NOT_KEPT} | {
            "cache": None
        }

    def _vectors(self, keys: Mapping[bytes, int], texts: Sequence[str]) -> NDArray[np.float32]:
        found = np.zeros((len(texts), self.dimension), dtype=np.float32)
        cache, seen = None, set[bytes]()
        if self.cache is not None:
            place = Path(self.cache) / f"{self.digest_[:32]}-{self.max_tokens}"
            cache = VectorCache(place, self.dimension)
            seen = cache.found(keys, found)
        missing = [(key, row) for key, row in keys.items() if key not in seen]
        for start in range(0, len(missing), _AT_ONCE):
            part = missing[start : start + _AT_ONCE]
            rows = [row for _, row in part]
            found[rows] = self._read([texts[row] for row in rows])
            if cache is not None:
                cache.keep([key for key, _ in part], found[rows])
        return found

    def _read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        encoder = self._encoder()
        if encoder.width != self.dimension:
            raise ValueError(
                f"features.text.embedding.dimension: expected {encoder.width}, as wide as the "
                f"encoder is, got {self.dimension}"
            )
        return encoder.vectors(texts, self.max_tokens, self.batch_size)

    def _encoder(self) -> "SentenceEncoder":
        if hasattr(self, "restored_"):
            given: SentenceEncoder = self.restored_
            return given
        folder = self._folder()
        self._refuse_another(digest_of_folder(folder))
        return _loaded(self.encoder, self.revision, str(folder), self.digest_)

    def _folder(self) -> Path:
        return located(Encoder(model=self.encoder, revision=self.revision))

    def _refuse_another(self, digest: str) -> None:
        if digest != self.digest_:
            raise ValueError(
                f"expected the encoder with the sha256 {self.digest_}, got {digest}: its files "
                "are not those of the fit"
            )


_NOT_KEPT = ("files_", "restored_")


def sentence_steps(fitted: ColumnTransformer) -> Iterator[SentenceVectors]:
    """Those of a fitted matrix of features."""
    for step in fitted.named_transformers_.values():
        made = getattr(step, "named_steps", {}).get("make")
        if isinstance(made, SentenceVectors):
            yield made


@lru_cache(maxsize=1)
def _loaded(model: str, revision: str | None, folder: str, digest: str) -> "SentenceEncoder":
    from learning.neural.sentences import SentenceEncoder

    return SentenceEncoder(Encoder(model=model, revision=revision), Path(folder), digest)
