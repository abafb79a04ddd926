"""Names for things: summed by kind, as narrow as can be believed, silent where nothing is."""

import json
import subprocess
import sys

import numpy as np
import pytest
from torchvision.models import MobileNet_V2_Weights

from core.caption import Thing
from core.paths import RESOURCES
from core.things import (
    CLASSES,
    LEAST,
    MOST,
    beliefs,
    confidence,
    spoken_things,
    things,
    tree,
)

CATEGORIES = MobileNet_V2_Weights.IMAGENET1K_V2.meta["categories"]


def logits(**shares: float) -> np.ndarray:
    """Of a classifier that gives these shares to classes, and the rest to all others evenly."""
    given = {name.replace("_", " "): share for name, share in shares.items()}
    rest = (1 - sum(given.values())) / (CLASSES - len(given))
    return np.log([given.get(name, rest) for name in CATEGORIES]).astype(np.float32)


def test_kinds_of_terrier_make_a_terrier_and_a_dog() -> None:
    seven = ("Border_terrier", "Irish_terrier", "cairn", "Airedale", "Norfolk_terrier")
    found = things(logits(**dict.fromkeys(seven, 0.19)))
    assert [thing.name for thing in found][:2] == ["dog", "terrier"]
    assert not {"Border terrier", "Irish terrier"} & {thing.name for thing in found}
    assert found[0].confidence >= found[1].confidence >= LEAST
    assert "a dog, perhaps a terrier" in spoken_things(found) or "maybe a terrier" in spoken_things(
        found
    )


def test_beliefs_are_sums_over_what_is_narrower() -> None:
    belief = beliefs(logits(tabby=0.3, Persian_cat=0.2, laptop=0.4))
    assert belief["cat"] == pytest.approx(0.5, abs=0.01)
    assert belief["animal"] == pytest.approx(0.5 + 0.1 * 398 / CLASSES, abs=0.02)
    assert belief["laptop"] == pytest.approx(0.4, abs=0.01)
    assert belief["computer"] > belief["laptop"]


def test_nothing_is_named_where_nothing_is_believed() -> None:
    assert things(np.zeros(CLASSES, np.float32)) == ()
    assert spoken_things(()) == ""
    torn = {name.replace(" ", "_"): 1 / 41 for name in CATEGORIES[400:440]}
    assert things(logits(**torn)) == ()


def test_every_class_can_be_believed_in_without_failing() -> None:
    for number in range(CLASSES):
        one = np.full(CLASSES, -10, np.float32)
        one[number] = 10
        found = things(one)
        assert len(found) <= MOST
        assert all(LEAST <= thing.confidence <= 1 for thing in found)
        assert spoken_things(found).startswith("I see ") or not found


def test_more_belief_is_more_confidence() -> None:
    steps = [confidence("dog", share) for share in (0, 0.2, 0.5, 0.9, 1)]
    assert steps == sorted(steps)
    assert 0 < steps[0] < steps[-1] < 1


def test_what_is_said() -> None:
    mug, laptop = Thing("coffee mug", 0.6), Thing("laptop", 0.55)
    assert spoken_things([mug, laptop]) == "I see perhaps a coffee mug and a laptop."
    dog, terrier, ball = Thing("dog", 0.9), Thing("terrier", 0.6), Thing("ball", 0.55)
    assert spoken_things([dog]) == "I see a dog."
    assert spoken_things([dog, terrier]) == "I see a dog, perhaps a terrier."
    assert spoken_things([dog, ball]) == "I see a dog and perhaps a ball."
    assert (
        spoken_things([dog, terrier, ball]) == "I see a dog, perhaps a terrier, and perhaps a ball."
    )
    unsure = Thing("dog", 0.7)
    assert spoken_things([unsure, terrier]) == "I see perhaps a dog, maybe a terrier."
    assert spoken_things([Thing("umbrella", 0.9)]) == "I see an umbrella."
    assert spoken_things([Thing("jeans", 0.9)]) == "I see jeans."
    assert spoken_things([dog, laptop, Thing("umbrella", 0.5)]) == (
        "I see a dog, perhaps a laptop, and an umbrella."
    )


@pytest.mark.parametrize("shape", [(999,), (1, 1000), ()])
def test_other_logits_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="1000"):
        things(np.zeros(shape, np.float32))


def test_the_table_is_a_tree_of_plain_names() -> None:
    table = json.loads((RESOURCES / "things.json").read_text(encoding="utf-8"))
    assert len(table["classes"]) == CLASSES
    assert {*table["classes"]} - {""} <= table["names"].keys()
    assert sum(not name for name in table["classes"]) < 40
    for name in table["names"]:
        seen = []
        above = name
        while above:
            assert above not in seen
            seen.append(above)
            above = table["names"][above]["kind"]
        assert len(seen) <= 4
    assert "Princeton" in table["source"]
    assert (RESOURCES / "things.json").stat().st_size < 150_000
    assert (RESOURCES / "things-LICENSE.txt").exists()


def test_classes_have_the_names_that_people_use() -> None:
    classes = dict(zip(CATEGORIES, _classes(), strict=True))
    assert classes["cellular telephone"] == "mobile phone"
    assert classes["Windsor tie"] == "tie"
    assert tree().kind["laptop"] == "computer"
    assert tree().kind["tabby cat"] == "cat"
    assert tree().said["hourglass"] == "an hourglass"
    assert tree().said["unicycle"] == "a unicycle"


def _classes() -> list[str]:
    found: list[str] = json.loads((RESOURCES / "things.json").read_text(encoding="utf-8"))[
        "classes"
    ]
    return found


def test_importing_is_light() -> None:
    code = "import sys, core.things; core.things.tree(); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
