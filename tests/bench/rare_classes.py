"""What `class_weight="balanced"` gains where one class is rare, beside logistic regression and a float network.

Usage: python -m tests.bench.rare_classes [--problems 10] [--first 0]

Each problem is drawn from its seed: two classes at 19 to 1, a hundredth of the labels turned, 600 to 4000 samples
of 8 to 30 columns, of which 3 to 6 inform.  Printed is the balanced accuracy in % on the 30 % held out, the mean
over the problems last.
"""

import argparse

import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bvar import BooleanClassifier
from tests.bench.timing import one_thread

MODELS = {
    "logistic": lambda: LogisticRegression(max_iter=1000),
    "balanced logistic": lambda: LogisticRegression(max_iter=1000, class_weight="balanced"),
    "MLP": lambda: MLPClassifier(random_state=0),
    "Boolean": lambda: BooleanClassifier(random_state=0),
    "balanced Boolean": lambda: BooleanClassifier(random_state=0, class_weight="balanced"),
}


def problem(seed: int) -> list[np.ndarray]:
    """Draw a problem, and part it."""
    random = np.random.RandomState(seed)
    informative = random.randint(3, 7)
    X, y = make_classification(
        n_samples=random.randint(600, 4001),
        n_features=random.randint(max(8, informative + 2), 31),
        n_informative=informative,
        class_sep=random.choice([0.5, 0.7, 1.0]),
        weights=[0.95],
        flip_y=0.01,
        random_state=seed,
    )
    return train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    one_thread()
    print("seed  rows  rare ", *(f"{name:>18}" for name in MODELS))
    found = []
    for seed in range(arguments.first, arguments.first + arguments.problems):
        X_train, X_test, y_train, y_test = problem(seed)
        found.append([])
        for make in MODELS.values():
            model = make_pipeline(StandardScaler(), make()).fit(X_train, y_train)
            found[-1].append(100 * balanced_accuracy_score(y_test, model.predict(X_test)))
        scores = "".join(f"{score:19.1f}" for score in found[-1])
        print(f"{seed:4}  {len(X_train):4}  {y_train.sum():4} ", scores, flush=True)
    means = np.mean(found, axis=0)
    print("mean             ", "".join(f"{score:19.1f}" for score in means))
    share = (means[4] - means[3]) / (means[1] - means[0])
    print(f"gained by weights: {100 * share:.0f} % of what logistic regression gains")


if __name__ == "__main__":
    main()
