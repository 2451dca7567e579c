"""A model card per generator: where its faces come from, what it isn't for, how it fails.

After Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019), as short as a terminal.
No torch here.
"""

from __future__ import annotations

from dataclasses import dataclass

from .models import CATALOGUE, Installed, catalogue_entry, find, folder, installed

IDENTIFY = (
    "identifying anybody, or likeness to a person who exists: every portrait is imagined, the "
    "sprite holds no identity to recover, and another seed gives another person"
)
EVIDENCE = "evidence of any kind: legal, medical, forensic, biometric"
DECEIVE = "passing portraits off as photographs; each says in its metadata that it was made"


@dataclass(frozen=True)
class Card:
    """What a person should know before using a generator; plain sentences.

    `source` says where its faces come from, `prior` which faces it gives when nothing is asked.
    """

    name: str
    about: str
    source: str
    prior: str
    licence: str
    failures: tuple[str, ...]
    not_for: tuple[str, ...] = (IDENTIFY, EVIDENCE, DECEIVE)
    details: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """As text."""
        out = [f"{self.name}: {self.about}", f"licence: {self.licence}"]
        out += [f"where its faces come from: {self.source}", f"its prior: {self.prior}"]
        out += ["not for:", *(f"  - {text}" for text in self.not_for)]
        out += ["known failures:", *(f"  - {text}" for text in self.failures)]
        return [*out, *self.details]


HEAD = Card(
    name="head",
    about="a 3D morphable head, rendered on the CPU, 1024 px; comes with spriteface",
    source=(
        "sculpted, not photographed: the MakeHuman base mesh and its targets (CC0), hair, skin, "
        "wear and light by rule. It has seen no photograph and nobody's face"
    ),
    prior=(
        "even and declared: the ten Monk skin tones are equally likely; age, sex and features are "
        "balanced; skin tone is tied to no feature (docs/head.md). The sprite's skin tone "
        "overrules it"
    ),
    licence="MIT, data CC0 1.0: portraits are yours, commercial use included",
    failures=(
        "looks rendered when seen large: matt hair, even pores, painted teeth",
        (
            "very dark skin has little texture away from the highlights, and independent face "
            "detectors accept it less often; very light skin can't get lighter than L* 94"
        ),
        "children are small adults, old age is two sculpts and wrinkles",
        "hair, headwear and clothes outside its wardrobe become the nearest thing that it has",
        "creatures become people: muzzles, beaks and horns are lost",
        "a sprite that the reader misreads gives somebody else; --set overrules it",
    ),
    details=("report card: spriteface audit --generator head, and docs/audit.md",),
)

_FFHQ = (
    "learnt from FFHQ: 70,000 photographs of faces from Flickr, collected without asking those "
    "shown, cropped by a face detector"
)
_FFHQ_PRIOR = (
    "that of Flickr's photographs, undeclared and uneven: light skin, adults and smiles "
    "predominate. Searches for a low-resolution picture make that stronger (Menon et al. 2020, "
    "Jalal et al. 2021). `spriteface audit --generator NAME` measures by how much"
)
_FFHQ_FAILURES = (
    (
        "portraits drift to light skin and European features whatever the sprite shows; skin "
        "lightness is held within --skin-tolerance by the default recipe, features aren't"
    ),
    "a portrait may resemble somebody in the training photographs",
    "hats, helmets, masks, facial paint, beards on women and children are rare there and poor",
    "cartoon proportions pull the search to distorted faces; the outline weighs little for that",
    "several seconds to minutes a portrait on a CPU",
)


def card_of(name: str) -> Card:
    """The card of the embedded head, an installed checkpoint, or a catalogue entry.

    Raises:
        OptionError: nothing of that name.
    """
    if name == HEAD.name:
        return HEAD
    if any(model.name == name for model in installed()):
        return _of_installed(find(name))
    entry = catalogue_entry(name)
    details = (
        f"not installed: `spriteface models download {name}`, about {entry.about_mb} MB",
        f"homepage: {entry.homepage}",
        *(f"  {item.url}" for item in entry.files),
    )
    return Card(
        name, entry.summary, _FFHQ, _FFHQ_PRIOR, entry.licence, _FFHQ_FAILURES, details=details
    )


def _of_installed(model: Installed) -> Card:
    """A checkpoint of the catalogue was learnt from FFHQ; of others nobody told us."""
    published = any(
        entry.files[0].url in model.provenance for entry in CATALOGUE if model.provenance
    )
    originals = [
        f"original {o['name']}: {o['bytes']} bytes, SHA-256 {o['sha256']}" for o in model.files
    ]
    return Card(
        name=model.name,
        about=f"{model.family}, {model.resolution} px, {model.bytes >> 20} MiB",
        source=_FFHQ
        if published
        else f"not stated; its files: {model.provenance or 'unknown'}. Ask who trained it on what",
        prior=_FFHQ_PRIOR
        if published
        else "that of its training pictures, undeclared: `spriteface audit --generator NAME` "
        "measures its skin tones",
        licence=model.licence,
        failures=_FFHQ_FAILURES
        if published
        else (
            (
                "not known: nobody has looked; a network learnt from people's photographs may "
                "show one of them"
            ),
        ),
        details=(
            f"weights: {folder() / model.name / 'weights.safetensors'}",
            f"  SHA-256 {model.sha256}",
            *originals,
        ),
    )
