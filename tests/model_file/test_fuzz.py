"""Some of the mutants of `fuzz.py`; all five thousand by ``python tests/model_file/fuzz.py 5000``."""

import fuzz


def test_mutants_are_refused_or_answer_like_valid_models(tmp_path):
    counts = fuzz.run(200, 1, tmp_path)
    assert counts["refused"] > 100
    assert counts["answers"] > 10
