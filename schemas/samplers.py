"""What a plan may do about rare classes: one model a method, told apart by `kind`.

Class weights stand beside the samplers because they answer the same question, and the screening
compares all of them on equal folds. `learning/imbalance/samplers.py` builds what is described here.

The base of a method says what it does to classes, and with it how many rows each is to have. Of
every method, `ratio` is how large the rare classes are to be, as a share of the largest. What a
fold is too small for is eased, never refused: fewer neighbours, plain SMOTE where a method finds no
hard rows, copies where a class has one row.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.knobs import Knob
from schemas.strict import Strict

Share = Annotated[float, Field(gt=0, le=1)]
Exponent = Annotated[float, Field(ge=0, le=1)]
Neighbours = Annotated[int, Field(ge=1)]
Members = Annotated[int, Field(ge=1, le=100)]


class Method(Strict):
    """What all methods share. `compares`: rows of one class are looked up among those of all, so of
    many rows it is by far the slowest.
    """

    compares: ClassVar[bool] = False


class Dropping(Method):
    """What all methods share that drop rows of larger classes, and do nothing else."""

    ratio: Knob[Share] = 1.0


class Growing(Method):
    """What all methods share that give smaller classes more rows."""

    ratio: Knob[Share] = 1.0


class Synthesising(Growing):
    """Those whose new rows are none that were given: they blend rows that are near."""

    k_neighbors: Knob[Neighbours] = 5


class Cleaning(Synthesising):
    """Those that then drop rows near the border of two classes. A class never goes whole.

    All rows are compared with all: a minute or two for 20,000 texts.
    """

    compares: ClassVar[bool] = True


class NoResampling(Method):
    """Train on the rows as they are; the decision offsets alone answer the imbalance."""

    kind: Literal["none"] = "none"


class ClassWeights(Method):
    """Weigh each row by `n_class ** -exponent`: 0 changes nothing, 1 balances the classes."""

    kind: Literal["class-weights"] = "class-weights"
    exponent: Knob[Exponent] = 1.0


class RandomUndersampling(Dropping):
    """Drop rows of larger classes until the smallest is at least `ratio` of each."""

    kind: Literal["random-undersampling"] = "random-undersampling"


class RandomOversampling(Growing):
    """Repeat rows of smaller classes, drawn at random, up to `ratio` of the largest.

    Batista, Prati & Monard 2004 found it hard to beat.
    """

    kind: Literal["random-oversampling"] = "random-oversampling"


class Smote(Synthesising):
    """Synthesise rows of smaller classes up to `ratio` of the largest (Chawla et al. 2002).

    A synthetic row lies between a row and one of its `k_neighbors` nearest of the same class.
    """

    kind: Literal["smote"] = "smote"


class SmoteNC(Synthesising):
    """SMOTE for mixed columns (Chawla et al. 2002, section 6.1): numbers and words are blended,
    each category, boolean and mark of a missing cell takes what most neighbours have.

    SMOTE itself where the data set has none of these.
    """

    kind: Literal["smote-nc"] = "smote-nc"


class BorderlineSmote(Synthesising):
    """SMOTE from the rows in danger only (Han, Wang & Mao 2005): those with at least half, not
    all, of their `m_neighbors` in other classes.

    `variant` 1 blends with the same class; 2 with any neighbour, at most
    half the way towards other classes.
    """

    compares: ClassVar[bool] = True
    kind: Literal["borderline-smote"] = "borderline-smote"
    m_neighbors: Knob[Neighbours] = 10
    variant: Knob[Literal[1, 2]] = 1


class Adasyn(Synthesising):
    """SMOTE that synthesises more where more neighbours are of other classes (He et al. 2008).

    Each row's number is rounded, so the classes reach `ratio` only about.
    """

    compares: ClassVar[bool] = True
    kind: Literal["adasyn"] = "adasyn"


class SmoteEnn(Cleaning):
    """SMOTE, then edited nearest neighbours (Wilson 1972; Batista, Prati & Monard 2004): rows of
    any class that their `enn_neighbors` nearest outvote go.
    """

    kind: Literal["smote-enn"] = "smote-enn"
    enn_neighbors: Knob[Neighbours] = 3


class SmoteTomek(Cleaning):
    """SMOTE, then no Tomek links (Tomek 1976; Batista, Bazzan & Monard 2003): of two rows of
    different classes that are each other's nearest, both go.
    """

    kind: Literal["smote-tomek"] = "smote-tomek"


class BalancedEnsemble(Dropping):
    """`members` classifiers, each on its own random undersample, whose probabilities are averaged.

    EasyEnsemble (Liu, Wu & Zhou 2009) of any classifier: unlike one undersample, it throws hardly
    a row away.
    """

    kind: Literal["balanced-ensemble"] = "balanced-ensemble"
    members: Knob[Members] = 10


Imbalance = Annotated[
    NoResampling
    | ClassWeights
    | RandomUndersampling
    | RandomOversampling
    | Smote
    | SmoteNC
    | BorderlineSmote
    | Adasyn
    | SmoteEnn
    | SmoteTomek
    | BalancedEnsemble,
    Field(discriminator="kind"),
]
