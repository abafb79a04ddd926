"""What was said of a picture, with the picture."""

from dataclasses import dataclass

from core.caption import Caption
from core.picture import Picture
from desktop.actions import Source


@dataclass(frozen=True)
class Description:
    """A caption with what it came from.

    Attributes:
        caption: what was said.
        picture: what was seen; None for an entry of the history without its full picture.
        source: where the picture came from.
    """

    caption: Caption
    picture: Picture | None
    source: Source
