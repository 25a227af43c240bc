"""The methods of attribution by name, and what is known of each."""

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from lucid_ext.attribution.atoms import ATOMS

KINDS_OF_ATOMS = (*ATOMS, "groups")
COSTS = {
    "fast": "a pass or two for each target, however many atoms there are",
    "moderate": "tens of passes for each target, or a pass for each atom",
    "slow": "many passes for each atom",
}
KINDS = {
    "estimate": "predicts what each atom contributes",
    "measurement": "runs the network without each atom, or some of them, and sees what the score loses",
    "control": "says nothing of the network: what every other method must do better than",
}

Function = Callable[..., Any]
"""From a `Problem` to values (*atoms.shape, *targets.shape), or to (values, standard errors)."""
F = TypeVar("F", bound=Function)


@dataclasses.dataclass(frozen=True)
class Method:
    """A method of attribution and the facts that its users go by.

    Attributes:
        name: what it is called.
        function: what it does, see `Function`; its keyword arguments are the method's options.
        atoms: the kinds of atoms it can answer for.
        cost: how many passes over the network it takes, one of `COSTS`.
        quick: options that are good enough for an interface, and quicker than the function's own.
        kind: what its values are, one of `KINDS`.
        additive: whether the value of a channel is the sum of those of its neurons, and the neurons
            cost no more, so that an interface may ask for these and show where a channel matters.
    """

    name: str
    function: Function
    atoms: Sequence[str] = KINDS_OF_ATOMS
    cost: str = "moderate"
    quick: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    kind: str = "estimate"
    additive: bool = False

    def __post_init__(self) -> None:
        atoms = (self.atoms,) if isinstance(self.atoms, str) else tuple(self.atoms)
        object.__setattr__(self, "atoms", atoms)
        if not atoms or not set(atoms) <= set(KINDS_OF_ATOMS):
            raise ValueError(
                f"method {self.name!r} answers for {', '.join(map(str, atoms)) or 'no atoms'}; expected some "
                f"of {', '.join(KINDS_OF_ATOMS)}."
            )
        for what, given, known in (("cost", self.cost, COSTS), ("kind", self.kind, KINDS)):
            if given not in known:
                raise ValueError(
                    f"method {self.name!r} has {what} {given!r}; expected one of {', '.join(known)}."
                )
        self.check_options(self.quick)

    def check_options(self, options: Iterable[str]) -> None:
        """Refuse options that are no keyword arguments of the function.

        Raises:
            ValueError: one sentence that names the option and those there are.
        """
        if not (options := list(options)):
            return
        known = list(inspect.signature(self.function).parameters)[1:]
        for option in options:
            if option not in known:
                takes = f"it takes {', '.join(known)}" if known else "it takes none"
                raise ValueError(f"method {self.name!r} has no option {option!r}; {takes}.")

    def check_atoms(self, kind: str) -> None:
        """Refuse atoms that the method cannot answer for.

        Raises:
            ValueError: one sentence that names the methods that can.
        """
        if kind not in self.atoms:
            raise ValueError(
                f"method {self.name!r} answers for {', '.join(self.atoms)}, not for {kind}: use one of "
                f"{', '.join(METHODS.for_atoms(kind))}."
            )


class Methods(dict[str, Method]):
    """Methods by name, in the order they are shown."""

    def named(self, name: str) -> Method:
        """Return the method of a name.

        Raises:
            ValueError: there is none; the sentence names those there are.
        """
        if name not in self:
            raise ValueError(f"there is no method {name!r}; expected one of {', '.join(self)}.")
        return self[name]

    def for_atoms(self, kind: str) -> list[str]:
        """Return the names of the methods that answer for a kind of atoms."""
        return [name for name, method in self.items() if kind in method.atoms]

    def measuring(self, kind: str) -> str:
        """Return the name of the method that others are compared with: the first that measures.

        Raises:
            ValueError: none does.
        """
        for name in self.for_atoms(kind):
            if self[name].kind == "measurement":
                return name
        raise ValueError(f"no method measures {kind}: add one with kind='measurement'.")


METHODS = Methods()
"""All methods there are; those of a user's own come last."""


def method(
    name: str,
    *,
    atoms: str | Sequence[str] = KINDS_OF_ATOMS,
    cost: str = "moderate",
    quick: Mapping[str, Any] | None = None,
    kind: str = "estimate",
    additive: bool = False,
) -> Callable[[F], F]:
    """Add a method of your own: it can be used, shown and compared like those that are built in.

    A method asks its `Problem` for gradients (`linear`), for scores (`scores`) or for the effect of
    keeping a part of the atoms (`measure`), of all targets at once, and says nothing of which layer,
    atoms and targets they are. Its keyword arguments become those of `attribute`. Interfaces offer it
    for the atoms it answers for, and warn of one that is slow. Two examples:

        import lucid_ext as lx

        @lx.attribution.method("smoothgrad", quick={"samples": 4})
        def smoothgrad(problem, samples=16, noise=0.2):
            \"\"\"Gradients averaged over noise (Smilkov et al., 2017).\"\"\"
            a = problem.activations
            draws = problem.rng.standard_normal((samples, *a.shape))
            return problem.linear(a + noise * a.std() * draws)

        @lx.attribution.method("stochastic_path")
        def stochastic_path(problem, steps=16):
            \"\"\"The path of the Building Blocks notebook: from zero, each channel at its own pace.\"\"\"
            a, rng = problem.activations, problem.rng
            pace = (rng.random((2, steps, a.shape[-1])).sum(0) / 1.5).reshape(steps, *[1] * (a.ndim - 1), -1)
            share = np.arange(steps).reshape(steps, *[1] * a.ndim) / steps
            return problem.linear(a * share * pace)

    Args:
        name: what it is called; a second method of the name takes the place of the first.
        atoms: the kinds of atoms it can answer for: some of "cells", "channels", "neurons", "layer" and
            "groups"; by default all of them.
        cost: "fast" (a pass or two for each target), "moderate" (tens of passes for each target, or a
            pass for each atom) or "slow" (many passes for each atom).
        quick: options that are good enough for an interface, and quicker than your own.
        kind: what its values are: an "estimate", a "measurement", or a "control" that others are
            compared with.
        additive: whether a channel's value is the sum of its neurons' values, which cost no more.

    Raises:
        ValueError: one sentence that says which of these facts cannot be.
    """

    def add(function: F) -> F:
        METHODS[name] = Method(name, function, atoms, cost, dict(quick or {}), kind, additive)
        return function

    return add
