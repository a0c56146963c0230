"""Which objects a file may hold, and how each is taken apart and put together.

Files name a *kind*, for ever; this registry says which class that is, what its fields are and what makes an object
of them.  Nothing else can come out of a file.  The classes of this package are registered as anybody's are
(``docs/develop/save-your-own-class.md``): in the modules beside this one, and above it where they are.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar

from sklearn.base import BaseEstimator

from bvar.bits.random import RandomWords
from bvar.layers import Layer, Parameter
from bvar.model_file._container import ModelFileError
from bvar.model_file._values import Reader, Writer

__all__ = ["KINDS", "Flow", "LayerKind", "from_state", "kind_of", "of_type", "register", "require", "to_state"]

Flow = Literal["bits", "numbers", "sums", "real sums"]
"""What passes between layers: bits, or numbers from outside or of int8; integer sums, or float ones."""

Class = TypeVar("Class", bound=type)
Save = Callable[[Any], Mapping[str, Any]]
Load = Callable[..., Any]
Check = Callable[[Any], object]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")
_ATTRIBUTE = re.compile(r"_?[a-z][a-z0-9_]*")
_LONGEST = 200  # characters of a message inside another
_FLOWS = ("numbers", "bits", "sums", "real sums")


class Kind:
    """How objects of one class are saved; the arguments are those of `register`."""

    def __init__(
        self,
        name: str,
        cls: type,
        *,
        save: Save | None,
        load: Load | None,
        check: Check | None,
        made_again: Iterable[str],
        training: Iterable[str],
        whole: bool = False,
    ) -> None:
        self.name, self.cls, self.whole = name, cls, whole
        self.load: Load = cls if load is None else load
        self.check: Check = (lambda value: None) if check is None else check
        parameters = inspect.signature(self.load).parameters
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY) for p in parameters.values()):
            raise ValueError(f"load must name every field of {cls.__name__} as a parameter")
        self.names = frozenset(parameters)
        self.optional = frozenset(n for n, p in parameters.items() if p.default is not p.empty)
        self.save: Save = self._attributes if save is None else save
        self.made_again, self.training = frozenset(made_again), frozenset(training)

    def _attributes(self, value: Any) -> dict[str, Any]:
        missing = sorted(name for name in self.names if not hasattr(value, name))
        if missing:
            raise TypeError(
                f"{described(value)} has no attributes {missing}, which its constructor takes: "
                "give bvar.model_file.register a save and a load"
            )
        return {name: getattr(value, name) for name in sorted(self.names)}

    def to_fields(self, value: Any, writer: Writer, path: str) -> dict[str, Any]:
        """Describe an object, or raise TypeError if that would lose an attribute."""
        fields = self.save(value)
        only(value, path, self.made_again.union(fields))
        kept = {name: v for name, v in fields.items() if writer.training_state or name not in self.training}
        return {name: writer.value(v, f"{path}.{name}") for name, v in kept.items()}

    def from_fields(self, fields: dict[str, Any], reader: Reader, path: str) -> Any:
        """Make the object of the fields of a file, which may be an older one and lack those with defaults."""
        there = fields.keys()
        if not self.names - self.optional <= there <= self.names:
            raise ModelFileError(f"{path}: must have the fields {sorted(self.names)}, has {sorted(there)[:20]}")
        return self.load(**{name: reader.value(v, f"{path}.{name}") for name, v in fields.items()})


class LayerKind(Kind):
    """A layer: what passes into it and out of it tells whether it fits its neighbours."""

    def __init__(
        self, name: str, cls: type, *, takes: Flow | Iterable[Flow], gives: Flow | None, **how: Any
    ) -> None:
        super().__init__(name, cls, **how)
        self.takes = frozenset([takes] if isinstance(takes, str) else takes)
        if not self.takes or not self.takes <= set(_FLOWS) or gives not in _FLOWS:
            raise ValueError(
                f"takes and gives of the layer {cls.__name__} must be some of {', '.join(map(repr, _FLOWS))}, "
                f"got {takes!r} and {gives!r}"
            )
        self.gives = gives

    def to_fields(self, value: Layer, writer: Writer, path: str) -> dict[str, Any]:
        """Describe a layer, all of whose parameters are of the known form."""
        for parameter in value.parameters:
            if isinstance(parameter, Parameter):  # any other tensor is an object with a kind of its own
                only(parameter, path, ("name", "bits", "rms", "n_places", "is_clipped", "_prepared"))
        for real in getattr(value, "real_parameters", ()):
            only(real, path, ("name", "values", "n_places"))
        return super().to_fields(value, writer, path)


class EstimatorKind(Kind):
    """scikit-learn's rule: parameters go to the constructor, everything learnt is an attribute."""

    def __init__(self, name: str, cls: type, *, check: Check | None, **how: Any) -> None:
        super().__init__(name, cls, check=check, **how)
        if any(how.values()):
            raise ValueError(f"{', '.join(how)} are not for estimators, such as {cls.__name__}")

    def to_fields(self, value: BaseEstimator, writer: Writer, path: str) -> dict[str, Any]:
        """Describe an estimator by its parameters and what it has learnt."""
        # parameters first: a message then names what the user has set; sorted: equal models give equal files
        parameters = value.get_params(deep=False)
        learnt = sorted(set(vars(value)) - set(parameters))
        return {
            "parameters": {name: writer.value(v, f"{path}.{name}") for name, v in sorted(parameters.items())},
            "attributes": {
                name: writer.value(getattr(value, name), f"{path}.{name}")
                for name in learnt
                if writer.training_state or not isinstance(getattr(value, name), RandomWords)
            },
        }

    def from_fields(self, fields: dict[str, Any], reader: Reader, path: str) -> BaseEstimator:
        """Make an estimator; parameters that came after the file was written get their defaults."""
        if set(fields) != {"attributes", "parameters"} or not all(isinstance(v, dict) for v in fields.values()):
            raise ModelFileError(
                f"{path}: must have the fields attributes and parameters, has {sorted(fields)[:20]}"
            )
        attributes, parameters = fields["attributes"], fields["parameters"]
        unknown = sorted(parameters.keys() - self.names)
        if unknown:
            raise ModelFileError(f"{path}: unknown parameters {unknown[:5]}: a newer bvar may be needed")
        result = self.load(**{name: reader.value(v, f"{path}.{name}") for name, v in parameters.items()})
        for name, v in attributes.items():
            if not _ATTRIBUTE.fullmatch(name) or name in vars(result) or _is_code(self.cls, name):
                raise ModelFileError(f"{path}: {name[:60]!r} cannot be an attribute")
            setattr(result, name, reader.value(v, f"{path}.{name}"))
        return result


KINDS: dict[str, Kind] = {}
"""What files may hold, by the names that they keep."""


def register(
    class_: Class,
    *,
    name: str | None = None,
    save: Save | None = None,
    load: Load | None = None,
    check: Check | None = None,
    made_again: Iterable[str] = (),
    training: Iterable[str] = (),
    takes: Flow | Iterable[Flow] = (),
    gives: Flow | None = None,
    whole: bool = False,
) -> Class:
    """Let model files hold the objects of a class: a layer, a loss, an encoder or whatever these are made of.

    Parameters
    ----------
    class_ : type
        The class. Of a scikit-learn estimator, such as an encoder, its parameters and all its attributes are
        saved: `save`, `load`, `made_again` and `training` are not for them.
    name : str, optional
        What files call it, for ever: letters, digits, dots and underscores, at most 100. Default: the name of
        the class.
    save : callable, optional
        From an object to its fields, a mapping from names to values: None, Booleans, numbers, text, tuples,
        lists, dicts, arrays, :class:`bvar.bits.BitMatrix`, and objects of registered classes. Default: what the
        constructor takes, read from attributes of the same names.
    load : callable, optional
        From the fields, as keyword arguments, to an object; it raises TypeError or ValueError for values that make
        none. A field that it has a default for may be missing, as in files older than the field. Default: the
        class.
    check : callable, optional
        Called with an object just loaded, to raise ValueError if its parts do not fit each other: files may have
        been made by anybody. It is called when saving too, so that nothing is written that would not load.
    made_again : iterable of str, default=()
        Attributes that are no fields because `load` makes them again. An object with any other attribute is not
        saved, so that nothing is lost in silence.
    training : iterable of str, default=()
        Fields that only further training needs, and a file may lack: `load` has defaults for them.
    takes : str or iterable of str, default=()
        For a layer: what it takes, one or more of 'bits', 'numbers' (which come from outside the network, or are
        int8), 'sums' and 'real sums'.
    gives : str, optional
        For a layer: what it gives, one of these.
    whole : bool, default=False
        Whether a file may hold such an object alone, as it may a network or an estimator.

    Returns
    -------
    type
        The class, so that this can decorate one.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, the name belongs to another class, or a layer does not say what it
        takes and gives.

    See Also
    --------
    save : Which looks classes up.

    Notes
    -----
    Whoever loads a file must have imported the module that registers its classes: a file names kinds, never
    modules, so that reading one cannot import or run anything. A layer that has `n_inputs`, `n_outputs`, or
    `n_units` for both, is checked to fit its neighbours.

    Examples
    --------
    A loss whose constructor takes what it keeps needs no more than its class:

    >>> from bvar import model_file
    >>> from bvar.networks import SquaredError
    >>> @model_file.register
    ... class Tolerant(SquaredError):
    ...     pass
    """
    if not isinstance(class_, type):
        raise TypeError(f"class_ must be a class, got {class_!r}")
    name = class_.__name__ if name is None else name
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"name must be at most 100 letters, digits, dots and underscores, got {name!r}")
    there = KINDS.get(name)
    if there is not None and described(there.cls) != described(class_):  # a cell that is run again defines it anew
        raise ValueError(f"name {name!r} belongs to {there.cls.__module__}.{there.cls.__qualname__}: give another")
    how: dict[str, Any] = {
        "save": save,
        "load": load,
        "check": check,
        "made_again": made_again,
        "training": training,
    }
    if issubclass(class_, Layer):
        KINDS[name] = LayerKind(name, class_, **how, takes=takes, gives=gives)
    elif issubclass(class_, BaseEstimator):
        KINDS[name] = EstimatorKind(name, class_, **how)
    else:
        KINDS[name] = Kind(name, class_, **how, whole=whole)
    return class_


def kind_of(value: Any) -> Kind | None:
    """Return the kind of an object; an object of a subclass is of none, since it may behave differently."""
    return next((kind for kind in KINDS.values() if kind.cls is type(value)), None)


def to_state(value: Any, writer: Writer, path: str) -> dict[str, Any]:
    """Describe an object by its kind and the fields of that kind."""
    kind = kind_of(value)
    if kind is None:
        raise TypeError(
            f"{path}: a model file cannot hold {described(value)}, but numbers, text, arrays and objects of "
            "classes that bvar.model_file.register knows. Register it, set it to None, or keep the model "
            "with pickle"
        )
    fields = kind.to_fields(value, writer, path)
    try:
        kind.check(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error  # what no reader would take is not written
    return {"fields": fields, "kind": kind.name}


def from_state(state: dict[str, Any], reader: Reader, path: str) -> Any:
    """Make an object from its kind and fields."""
    if set(state) != {"fields", "kind"} or not isinstance(state["fields"], dict):
        raise ModelFileError(f"{path}: an object must have a kind and fields")
    name = state["kind"]
    if not isinstance(name, str) or name not in KINDS:
        raise ModelFileError(
            f"{path}: unknown kind {str(name)[:60]!r}: import the module that registers it with "
            "bvar.model_file.register, or upgrade bvar"
        )
    kind = KINDS[name]
    try:
        result = kind.from_fields(state["fields"], reader, path)
        kind.check(result)
    except ModelFileError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: its parts do not make a {name}: {in_short(error)}") from error
    return result


# ------------------------------------------------------------------------------------ what all kinds need


def only(value: Any, path: str, names: Iterable[str]) -> None:
    """Refuse to lose an attribute that the format does not know."""
    more = sorted(set(vars(value)) - set(names))
    if more:
        raise TypeError(f"{path}: a model file cannot hold the attributes {more} of {described(value)}")


def of_type(value: Any, cls: type[Any], name: str) -> Any:
    """Return a value that is exactly of a type."""
    if type(value) is not cls:
        raise TypeError(f"{name} must be of type {cls.__name__}, got {type(value).__name__}")
    return value


def require(condition: Any, text: str) -> None:
    """Refuse an object that a file describes, and say what must hold."""
    if not condition:
        raise ValueError(text)


def in_short(error: Exception) -> str:
    """Return what an error says, which may quote all that a file holds, in one line of moderate length."""
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def described(value: Any) -> str:
    if inspect.isroutine(value):
        return f"the function {getattr(value, '__name__', '?')}"
    cls = value if isinstance(value, type) else type(value)
    return f"an object of type {cls.__module__}.{cls.__qualname__}"


def _is_code(cls: type, name: str) -> bool:
    """Whether an attribute would hide a method or a property."""
    value = inspect.getattr_static(cls, name, None)
    return callable(value) or hasattr(value, "__get__")
