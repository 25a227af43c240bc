"""What is said of methods: that it is true of those that come along, and what becomes of it for one's own."""

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.attribution import METHODS, Problem
from lucid_ext.attribution.methods import run
from lucid_ext.attribution.registry import COSTS, KINDS_OF_ATOMS
from tests.attribution.test_linear import close

BUILT_IN = ("gradient", "path", "smooth_maxpool", "ablation", "shapley", "random")


class Counting(Problem):
    """A problem that counts the rows of activations it is asked about, forward and backward."""

    rows = 0

    def scores(self, points):
        self.rows += len(points)
        return super().scores(points)

    def linear(self, points=None, *others, **options):
        self.rows += 1 if points is None else len(points)
        return super().linear(points, *others, **options)


def rows_of(method, chain, picture, **options):
    problem = Counting(chain, picture, "second", 2)
    run(method, problem, **options)
    return problem.rows, problem.atoms.count


def test_the_methods_that_come_along():
    assert tuple(METHODS) == BUILT_IN
    assert [METHODS[name].kind for name in BUILT_IN] == [
        *["estimate"] * 3,
        "measurement",
        "estimate",
        "control",
    ]
    for kind in KINDS_OF_ATOMS:
        assert METHODS.for_atoms(kind) == list(BUILT_IN)
        assert METHODS.measuring(kind) == "ablation"


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_cost_is_as_it_is_said(chain, picture, name):
    method = METHODS[name]
    rows, atoms = rows_of(name, chain, picture, **method.quick)
    least, most = {"fast": (0, 2), "moderate": (3, atoms + 3), "slow": (4 * atoms, np.inf)}[method.cost]
    assert least <= rows <= most
    assert method.cost in COSTS
    if method.quick:
        assert rows < rows_of(name, chain, picture)[0] * 0.6


def test_quick_options_give_nearly_the_same(chain, picture):
    for name in ("path", "shapley"):
        ask = chain, picture, "second", 2, name
        full, quick = (lx.attribute(*ask, **options).values.ravel() for options in ({}, METHODS[name].quick))
        assert np.corrcoef(full, quick)[0, 1] > 0.9


@pytest.mark.parametrize("name", BUILT_IN)
def test_values_of_channels_are_sums_over_neurons_where_it_is_said(chain, picture, name):
    if name == "shapley":
        assert not METHODS[name].additive  # a permutation of thousands of neurons is another one
        return
    whole, parts = (
        lx.attribute(chain, picture, "first_relu", 2, name, atoms).values for atoms in ("channels", "neurons")
    )
    if METHODS[name].additive:
        close(parts.sum((0, 1)), whole)
    else:
        assert np.abs(parts.sum((0, 1)) - whole).max() > 0.01 * np.abs(whole).max()


def test_a_method_without_facts_answers_for_everything(methods, chain, picture):
    @lx.attribution.method("mine")
    def mine(problem):
        return problem.linear()

    made = methods["mine"]
    assert (made.atoms, made.cost, made.quick, made.kind, made.additive) == (
        *(KINDS_OF_ATOMS, "moderate", {}, "estimate", False),
    )
    for atoms in ("cells", "channels", "neurons", "layer"):
        one, other = (
            lx.attribute(chain, picture, "second", 2, m, atoms).values for m in ("mine", "gradient")
        )
        assert np.array_equal(one, other)
    assert mine(Problem(chain, picture, "second", 2)).shape == (12, 12)  # it is a function still


@pytest.fixture
def edges(methods):
    """A method that removes a cell with its neighbours; of anything but cells it can say nothing."""

    @lx.attribution.method("edges", atoms="cells", kind="measurement")
    def edges(problem, reach=1):
        rows, cols = problem.atoms.shape
        keep = np.ones((rows, cols, rows, cols))
        for y, x in np.ndindex(rows, cols):
            keep[y, x, max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] = 0
        lost = problem.score - problem.measure(keep.reshape(-1, rows, cols))
        return lost.reshape(*problem.atoms.shape, *problem.targets.shape)

    return "edges"


def test_atoms_a_method_cannot_answer_for_are_refused(chain, picture, edges):
    alone = lx.attribute(chain, picture, "second", 2, edges, reach=0)
    close(alone.values, lx.attribute(chain, picture, "second", 2, "ablation").values)
    said = r"^method 'edges' answers for cells, not for channels: use one of gradient, path, smooth_maxpool, "
    with pytest.raises(ValueError, match=said + r"ablation, shapley, random\.$"):
        lx.attribute(chain, picture, "second", 2, edges, "channels")
    groups = lx.factorize(chain.activations(picture, "second", uncapped=True), 3)
    with pytest.raises(ValueError, match="answers for cells, not for groups"):
        lx.attribute(chain, picture, "second", 2, edges, groups)


def test_all_methods_are_all_that_answer_for_the_atoms(chain, picture, edges):
    cells, channels = (
        lx.attribution.compare(chain, picture, "second", 2, atoms=atoms) for atoms in ("cells", "channels")
    )
    assert list(cells) == [*BUILT_IN, edges]
    assert list(channels) == list(BUILT_IN)
    for found, expected in ((cells, {*BUILT_IN, edges}), (channels, {*BUILT_IN})):
        others = found["gradient"].trust(measured=False, methods=True).methods
        assert others.keys() == expected - {"gradient"}
    assert METHODS.measuring("cells") == "ablation"  # the first of them


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"atoms": ("pixels",)},
            "answers for pixels; expected some of cells, channels, neurons, layer, groups",
        ),
        ({"atoms": ()}, "answers for no atoms; expected some of cells, channels, neurons, layer, groups"),
        ({"cost": "huge"}, "has cost 'huge'; expected one of fast, moderate, slow"),
        ({"kind": "guess"}, "has kind 'guess'; expected one of estimate, measurement, control"),
        ({"quick": {"step": 2}}, "has no option 'step'; it takes steps"),
    ],
)
def test_facts_that_cannot_be_are_refused(methods, facts, said):
    before = dict(methods)
    with pytest.raises(ValueError, match=f"^method 'mine' {said}\\.$"):
        lx.attribution.method("mine", **facts)(lambda problem, steps=4: problem.linear())
    assert methods == before


def test_where_nothing_measures_it_is_said(methods):
    methods.pop("ablation")
    with pytest.raises(ValueError, match="no method measures cells: add one with kind='measurement'"):
        methods.measuring("cells")
