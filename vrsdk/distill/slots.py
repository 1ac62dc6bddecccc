"""Fills `{slot}` with a value: names, sums, hours and places, listed in bank/world and made up."""

from __future__ import annotations

import random
import re
import tomllib
from functools import cache
from pathlib import Path

from vrsdk.distill.bank import HERE, SLOT, unnumbered

_KIN = {"woman": ("she", "her", "her"), "man": ("he", "his", "him")}


@cache
def world(language: str) -> dict[str, list[str]]:
    """The lists at hand in every file of the bank."""
    path: Path = HERE / "world" / f"{language}.toml"
    lists: dict[str, list[str]] = tomllib.loads(path.read_text("utf-8"))
    return lists


class Slots:
    """Values for one card's slots; `bind` starts a scope in which each slot keeps the value it got first."""

    def __init__(self, language: str, rng: random.Random) -> None:
        self.language, self.rng = language, rng
        self.lists = world(language)
        self.character: dict[str, str] = {}

    def fill(self, text: str, scope: dict[str, str], own: dict[str, list[str]]) -> str:
        """`text` with its slots filled; new values are kept in `scope`. `{Slot}` begins with a capital."""

        def value(found: re.Match[str]) -> str:
            slot = found[1]
            plain = slot[0].lower() + slot[1:]
            known = self.character.get(plain) or scope.get(plain)
            if known is None:
                known = scope[plain] = self._new(plain, own, set(scope.values()))
            return known[0].upper() + known[1:] if slot != plain else known

        return SLOT.sub(value, text)

    def _new(self, slot: str, own: dict[str, list[str]], taken: set[str]) -> str:
        for _ in range(20):  # {person2} differs from {person}; a list of one value can't, so there is an end
            value = self._draw(slot, own)
            if value not in taken:
                break
        return value

    def _draw(self, slot: str, own: dict[str, list[str]]) -> str:
        name = slot if slot in own or slot in self.lists or slot == "num12" else unnumbered(slot)
        values = own.get(name) or self.lists.get(name)
        if name in ("person", "woman", "man") or (name == "made" and self.language == "en"):
            return self._name(name)
        if name == "spot" and self.language == "zh":
            return self._spot()
        if name == "num":
            return str(self.rng.choice((self.rng.randint(3, 20), self.rng.randint(3, 99), 5 * self.rng.randint(5, 80))))
        if name == "num12":
            return str(self.rng.randint(1, 12))
        if not values:
            raise KeyError(slot)
        inner: dict[str, str] = {}
        return self.fill(self.rng.choice(values), inner, own)

    def _name(self, kind: str) -> str:
        return self.made_up() if kind == "made" else self.person(kind)

    def person(self, kind: str) -> str:
        """Another's name: half real, half made up."""
        sex = self.rng.choice(("woman", "man")) if kind == "person" else kind
        if self.language == "zh":
            return self._chinese(sex)
        given = self.made_up() if self.rng.random() < 0.5 else self.rng.choice(self.lists[sex])
        shape = self.rng.random()
        if shape < 0.6:
            return given
        return f"{given} {self.surname()}" if shape < 0.85 else f"{self.rng.choice(self.lists['title'])} {given}"

    def surname(self) -> str:
        return self.made_up() if self.rng.random() < 0.4 else self.rng.choice(self.lists["surname"])

    def made_up(self) -> str:
        if self.language == "zh":
            return "".join(self.rng.sample(self.lists["foreign"], self.rng.choice((2, 3, 3, 4))))
        parts = [self.rng.choice(self.lists["syllable_start"])]
        parts += [self.rng.choice(self.lists["syllable_mid"]) for _ in range(self.rng.choice((0, 1, 1)))]
        return "".join([*parts, self.rng.choice(self.lists["syllable_end"])]).capitalize()

    def _chinese(self, sex: str) -> str:
        surname, given = self.rng.choice(self.lists["surname"]), self.lists[f"given_{sex}"]
        shape = self.rng.random()
        if shape < 0.45:
            return surname + "".join(self.rng.sample(given, self.rng.choice((1, 2, 2))))
        if shape < 0.7:
            nick: str = self.rng.choice(self.lists[f"nick_{sex}"])
            return nick.format(g=self.rng.choice(given), s=surname)
        return self.made_up()

    def _spot(self) -> str:
        parts = [self.rng.choice(self.lists[f"spot_{x}"]) for x in "abc"]
        return "".join(parts) if self.rng.random() < 0.85 else self.made_up() + parts[2]

    def new_character(self) -> None:
        """Draw who the card is about: its name, place, role and pronouns."""
        sex = self.rng.choice(("woman", "man"))
        name = self.person(sex)
        if self.language == "zh":
            full = name if self.rng.random() < 0.7 else f"{self.made_up()}·{self.made_up()}"
            first = (
                full.split("·")[0]
                if "·" in full
                else (full[1:] if len(full) == 3 and full[0] not in "阿小老" else full)
            )
            pronouns = {"ta": "她" if sex == "woman" else "他"}
        else:
            given = name.split(" ")[-1] if name.split(" ")[0] in self.lists["title"] else name.split(" ")[0]
            full, first = (name, given) if self.rng.random() < 0.4 else (f"{given} {self.surname()}", given)
            pronouns = dict(zip(("he", "his", "him"), _KIN[sex], strict=True))
        self.character = {}
        place = self._draw("place", {})
        self.character = {"name": full, "first": first, "role": self._draw("role", {}), "place": place, **pronouns}
