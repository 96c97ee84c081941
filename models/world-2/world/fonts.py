"""Fonts for lists: families from pinned packages, each in one split only."""

import importlib.util
from functools import cache
from pathlib import Path

from PIL import ImageFont

FONTS = {
    "train": [
        "font_roboto/Roboto-Regular.ttf",
        "font_roboto/Roboto-Medium.ttf",
        "font_roboto/Roboto-Bold.ttf",
        "font_roboto/Roboto-Black.ttf",
        "font_roboto/Roboto-BoldItalic.ttf",
        "font_source_sans_pro/SourceSansPro-Regular.ttf",
        "font_source_sans_pro/SourceSansPro-Semibold.ttf",
        "font_source_sans_pro/SourceSansPro-Bold.ttf",
        "font_source_sans_pro/SourceSansPro-Black.ttf",
        "font_source_sans_pro/SourceSansPro-BoldIt.ttf",
        "font_source_serif_pro/SourceSerifPro-Semibold.ttf",
        "font_source_serif_pro/SourceSerifPro-Bold.ttf",
        "font_source_serif_pro/SourceSerifPro-Black.ttf",
        "font_caladea/Caladea-Regular.ttf",
        "font_caladea/Caladea-Bold.ttf",
        "font_caladea/Caladea-BoldItalic.ttf",
        "font_manrope/Manrope-Medium.ttf",
        "font_manrope/Manrope-SemiBold.ttf",
        "font_manrope/Manrope-Bold.ttf",
        "font_manrope/Manrope-ExtraBold.ttf",
    ],
    "validation": ["font_hanken_grotesk/HankenGrotesk-Bold.otf"],
    "test": ["font_lato/Lato-Bold.ttf", "font_rhd/RedHatDisplay-Bold.ttf"],
}


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    package, file = name.split("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"font package {package} is missing: pip install -r models/recipe/requirements.txt")
    return ImageFont.truetype(Path(spec.submodule_search_locations[0]) / "files" / file, size)
