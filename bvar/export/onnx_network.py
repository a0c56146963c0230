"""A network as ONNX, for whoever has a runtime of ONNX and no bvar: raw columns in, answers out.

Bits are values of M as int8, so that a missing one is 0 and adds nothing; sums are products of matrices of int8
with int32 results (``MatMulInteger``): the answers are those of the model, bit for bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bvar._extras import missing
from bvar._validation import as_array
from bvar.encoding import BitEncoder
from bvar.export.c_answers import Answer, Best, Positive, check_scores
from bvar.export.layers import LayeredNetwork, check_network
from bvar.export.onnx_layers import Graph, add_layers
from bvar.export.questions import Question, questions

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["network_to_onnx"]

_OPERATORS, _IR = 18, 9  # the versions that are asked for; runtimes since 2023 have them


def network_to_onnx(
    network: LayeredNetwork,
    encoder: BitEncoder | None = None,
    answer: Answer | None = None,
    *,
    classes: np.ndarray | None = None,
) -> ModelProto:
    """Write a Boolean network as an ONNX model.

    Parameters
    ----------
    network : bvar.networks.Network
        Of the layers that have bits and integers alone.
    encoder : ThermometerEncoder, OneHotBits, TableEncoder or ImageEncoder, optional
        The fitted encoder that turns features into the input bits. Categories must be numbers. Default: none, and
        the model takes values of M.
    answer : Best, Positive or Scaled, optional
        What is made of scores. Default: :class:`bvar.export.Best`, the number of a class.
    classes : ndarray of shape (n_scores,), optional
        What :class:`bvar.export.Best` answers in place of a number: integers, Booleans, floats or strings.

    Returns
    -------
    onnx.ModelProto
        With one input, ``features``, double of shape (n, n_features), where NaN means missing; or, without an
        encoder, ``bits``, int8 of shape (n, n_inputs), 1, -1, or 0 where missing. Its outputs are ``answer`` and
        ``scores``, int32 of shape (n, n_scores).

    Raises
    ------
    TypeError, ValueError
        If a layer has real weights or takes numbers, layers do not follow each other, or the encoder has other
        categories, or something does not fit.
    ImportError
        If the package onnx is missing; the message says how to install it.

    See Also
    --------
    network_to_c : Needs no runtime, and takes one bit for a weight instead of eight.

    Examples
    --------
    >>> from bvar.export import network_to_onnx
    >>> from bvar.networks import boolean_mlp
    >>> model = network_to_onnx(boolean_mlp([64, 100, 10], random_state=0))  # doctest: +SKIP
    >>> model.graph.input[0].name  # doctest: +SKIP
    'bits'
    """
    try:
        from onnx import TensorProto, checker, helper
    except ImportError as error:
        raise missing("onnx", "ONNX models") from error
    n_inputs = check_network(network, encoder, answer)
    graph = Graph()
    if encoder is None:
        given = helper.make_tensor_value_info("bits", TensorProto.INT8, ["n", n_inputs])
        values = "bits"
    else:
        given = helper.make_tensor_value_info("features", TensorProto.DOUBLE, ["n", encoder.n_features_in_])
        values = _encode(graph, questions(encoder), n_inputs)
    scores = graph.add("Identity", add_layers(graph, network.layers, values), output="scores")
    n_scores: int = network.layers[-1].n_outputs  # type: ignore[attr-defined]
    answer = Best() if answer is None else answer
    if isinstance(answer, Best) and n_scores == 1:
        raise ValueError("answer must be Positive or Scaled for a network of one score")
    check_scores(answer, n_scores)
    n_classes = 2 if isinstance(answer, Positive) else n_scores
    if classes is not None and (classes := as_array(classes, "classes")).shape != (n_classes,):
        raise ValueError(f"classes must have the shape ({n_classes},), got {classes.shape}")
    answered = _answer(graph, answer, scores, classes)
    outputs = [answered, helper.make_tensor_value_info("scores", TensorProto.INT32, ["n", n_scores])]
    whole = helper.make_graph(graph.nodes, "bvar", [given], outputs, graph.constants)
    model = helper.make_model(
        whole, producer_name="bvar", opset_imports=[helper.make_opsetid("", _OPERATORS)], ir_version=_IR
    )
    checker.check_model(model, full_check=True)
    return model


def _encode(graph: Graph, asked: list[Question], n_bits: int) -> str:
    """Answer the questions about ``features``: NaN is no answer, and the value 0 of M."""
    columns = graph.constant(np.array([question.feature for question in asked]))
    read = graph.add("Gather", "features", columns, axis=1)
    values = graph.constant(np.array([question.value for question in asked]))
    yes = graph.add("GreaterOrEqual", read, values)
    equal = np.array([question.equal for question in asked])
    if equal.any():  # a value that is equal also reaches; one that must be equal may not lie above
        not_above = graph.add("LessOrEqual", read, values)
        yes = graph.add("And", yes, graph.add("Or", not_above, graph.constant(~equal)))
    less = np.array([question.less for question in asked])
    if less.any():
        below = graph.add("And", graph.add("Less", read, values), graph.constant(less))
        yes = graph.add("Or", below, graph.add("And", yes, graph.constant(~less)))
    if len(asked) != n_bits:  # rare categories share a bit: it is T if one of them is there
        owner = np.zeros((len(asked), n_bits), np.int8)
        owner[np.arange(len(asked)), [question.bit for question in asked]] = 1
        counts = graph.add("MatMulInteger", graph.cast(yes, np.int8), graph.constant(owner))
        yes = graph.add("Greater", counts, graph.constant(np.int32(0)))
    of_bits = np.zeros(n_bits, np.int64)
    of_bits[[question.bit for question in asked]] = [question.feature for question in asked]
    unknown = graph.add("IsNaN", graph.add("Gather", "features", graph.constant(of_bits), axis=1))
    return graph.values(yes, graph.add("Not", unknown))


def _answer(graph: Graph, answer: Answer, scores: str, classes: np.ndarray | None) -> Any:
    """Add what is made of scores; return what it is."""
    from onnx import TensorProto, helper

    if isinstance(answer, Best) or classes is not None:
        number = _number(graph, answer, scores)
        named = np.arange(0) if classes is None else _as_labels(classes)
        if classes is None:
            graph.add("Identity", number, output="answer")
        else:
            graph.add("Gather", graph.constant(named), number, axis=0, output="answer")
        kind = TensorProto.STRING if named.dtype == object else helper.np_dtype_to_tensor_dtype(named.dtype)
        return helper.make_tensor_value_info("answer", kind, ["n"])
    if isinstance(answer, Positive):
        positive = graph.add("Greater", scores, graph.constant(np.int32(0)))
        graph.add("Cast", positive, to=TensorProto.INT64, output="answer")
        return helper.make_tensor_value_info("answer", TensorProto.INT64, ["n", "labels"])
    part = graph.add("Div", graph.cast(scores, np.float64), graph.constant(np.float64(answer.unit)))
    part = graph.add("Mul", part, graph.constant(np.asarray(answer.std, np.float64)))
    graph.add("Add", part, graph.constant(np.asarray(answer.mean, np.float64)), output="answer")
    return helper.make_tensor_value_info("answer", TensorProto.DOUBLE, ["n", len(answer.mean)])


def _number(graph: Graph, answer: Answer, scores: str) -> str:
    """Find the number of a class: that of the best score, or 1 where the only one is positive."""
    if isinstance(answer, Best):
        return graph.add("ArgMax", scores, axis=1, keepdims=0)
    positive = graph.cast(graph.add("Greater", scores, graph.constant(np.int32(0))), np.int64)
    return graph.add("Squeeze", positive, graph.constant(np.array([1])))


def _as_labels(classes: np.ndarray) -> np.ndarray:
    """Give classes a type that ONNX has."""
    if classes.dtype.kind in "UO":
        if not all(isinstance(one, str) for one in classes.tolist()):
            raise ValueError("classes must be integers, Booleans, floats or strings, all of one kind")
        return classes.astype(object)
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    if classes.dtype.kind not in "bf":
        raise ValueError(f"classes must be integers, Booleans, floats or strings, got {classes.dtype}")
    return classes
