"""The embedded head as a `Generator`: sample, preview, render, matte, start from a reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ...types import F32, Reading
from ..generator import GeneratorInfo, Latents
from .flow import moving_dims
from .labels import label_map
from .person import Person
from .preview import preview_latent, preview_person
from .prior import draw, latents_from_people, layout, people_from_latents, person_from_latent
from .render import Picture, render
from .threads import each

RESOLUTION = 1024
PROVENANCE = (
    "geometry from the MakeHuman hm08 base mesh, its targets and Mika Suominen's Face Units "
    "(all CC0 1.0); skin, hair, wear and light are procedural; nothing was learnt from photographs"
)


class HeadGenerator:
    """A 3D morphable head with explicit, named parameters; see `prior` for its latent space.

    Runs on the CPU; a device is accepted for the tensors that it returns.
    """

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)
        dims = layout().dims
        groups: dict[str, list[str]] = {}
        for d in dims:
            groups.setdefault(d.name.split(":")[0].split(".")[0], []).append(d.name)
        self.info = GeneratorInfo(
            name="head",
            resolution=RESOLUTION,
            latent_shape=(len(dims),),
            licence="MIT, data CC0-1.0",
            provenance=PROVENANCE,
            notes="preview has gradients in colour and light, and on request in shape and camera",
            extra={
                "dims": [d.name for d in dims],
                "differentiable": [d.name for d in dims if d.gradient],
                "movable": list(moving_dims()),
                "groups": groups,
                "about": {d.name: d.about for d in dims},
            },
        )
        self._last: tuple[Any, Picture] | None = None

    def sample(self, count: int, seed: int) -> Latents:
        """`count` people from the prior; the same seed gives the same people."""
        latents = draw(count, seed)
        return Latents(latents.z.to(self.device), latents.structure)

    def preview(self, latents: Latents, size: int, *, shape: bool = False) -> Tensor:
        """(B,3,size,size) float32 sRGB in [0,1]; gradients in `info.extra["differentiable"]`.

        `shape` adds first-order gradients (image motion) in `info.extra["movable"]`: face
        sliders, expression, pose and camera.
        """
        pairs = list(zip(latents.z.float().cpu(), latents.structure))
        if torch.is_grad_enabled() and latents.z.requires_grad:
            rows = [preview_latent(z, s, size, shape=shape) for z, s in pairs]
        else:
            rows = each(lambda pair: preview_person(person_from_latent(*pair), size), pairs)
        if not rows:
            return torch.zeros(0, 3, size, size, device=self.device)
        return torch.stack(rows).to(self.device)

    def render(self, latents: Latents, size: int | None = None) -> Tensor:
        """(B,3,R,R) float32 sRGB in [0,1]."""
        edge = size or RESOLUTION
        images = [torch.from_numpy(self._picture(p, edge).image) for p in self.people(latents)]
        if not images:
            return torch.zeros(0, 3, edge, edge, device=self.device)
        return torch.stack(images).permute(0, 3, 1, 2).contiguous().to(self.device)

    def studio(
        self, latents: Latents, size: int, *, on_pass: Callable[[int, int], None] | None = None
    ) -> Tensor:
        """As `render`, path traced; see `studio.trace`."""
        from .studio import trace

        rows = []
        for person in self.people(latents):
            picture = trace(person, size, on_pass=on_pass)
            self._last = ((repr(person), size, "studio"), picture)
            rows.append(torch.from_numpy(picture.image))
        return torch.stack(rows).permute(0, 3, 1, 2).contiguous().to(self.device)

    def studio_name(self) -> str:
        """What traces `studio`'s pictures; raises GeneratorError where nothing can."""
        from .studio import renderer

        return renderer()

    def matte(self, latents: Latents, size: int) -> Tensor:
        """(B,size,size) float32 in [0,1], 1 where the person is; free right after `render` or
        `studio`, and then that picture's."""
        mattes = [torch.from_numpy(self._matte(p, size)) for p in self.people(latents)]
        if not mattes:
            return torch.zeros(0, size, size, device=self.device)
        return torch.stack(mattes).to(self.device)

    def regions(self, latents: Latents, size: int) -> Tensor:
        """(B,size,size) int64 of `types.Label`: what every pixel shows."""
        people = self.people(latents)
        maps = [torch.from_numpy(m) for m in each(lambda p: label_map(p, size), people)]
        if not maps:
            return torch.zeros(0, size, size, dtype=torch.int64, device=self.device)
        return torch.stack(maps).to(self.device)

    def start(
        self, reading: Reading, *, count: int, seed: int, traits: Mapping[str, Any] | None = None
    ) -> Latents:
        """`count` different people with the sprite's traits; `traits` override the reading."""
        from . import from_reading

        found: Latents | Sequence[Person]
        found = from_reading.start(reading, count=count, seed=seed, traits=traits)
        latents = found if isinstance(found, Latents) else latents_from_people(found)
        return Latents(latents.z.to(self.device), latents.structure)

    def people(self, latents: Latents) -> list[Person]:
        """The people a batch describes."""
        return people_from_latents(latents)

    def latents(self, people: Sequence[Person]) -> Latents:
        """A batch that describes these people."""
        found = latents_from_people(people)
        return Latents(found.z.to(self.device), found.structure)

    def posed(self, who: Latents, pose: Latents, *, asked: Sequence[str] = ()) -> Latents:
        """The person of `who` in the pose, expression and frame of `pose`, batches of one;
        `asked` names traits that the user set for `pose` and that therefore win."""
        from .from_reading import same_person

        return self.latents([same_person(self.people(who)[0], self.people(pose)[0], asked)])

    def render_person(
        self,
        person: Person,
        size: int = RESOLUTION,
        *,
        on_stage: Callable[[str], None] | None = None,
    ) -> F32:
        """(size,size,3) float32 sRGB in [0,1] of a person."""
        return self._picture(person, size, on_stage).image

    def _picture(
        self, person: Person, size: int, on_stage: Callable[[str], None] | None = None
    ) -> Picture:
        key = (repr(person), size, "standard")
        if self._last is None or self._last[0] != key:
            self._last = (key, render(person, size, on_stage=on_stage))
        return self._last[1]

    def _matte(self, person: Person, size: int) -> F32:
        if self._last is not None and self._last[0] == (repr(person), size, "studio"):
            return self._last[1].matte
        return self._picture(person, size).matte
