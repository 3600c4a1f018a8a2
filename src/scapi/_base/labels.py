"""The game's words and colours for enum members.

Sources: the official item database has words in all five languages for item ranks, alliances, operations, bonus
properties and the common quality. The other qualities have the names that players' tools use, in Russian and English.
The words for clan ranks, and for the alliances `stalkers` and `bandits`, are translations of their ids. Colours of
qualities follow the game. All other colours are chosen to be distinct on light and dark backgrounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The languages of a row of words, in order. A row may be shorter.
LANGUAGES: tuple[str, ...] = ("ru", "en", "es", "fr", "ko")

#: The words for each member, by enum name and member name.
WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Quality": {
        "COMMON": ("Обычный", "Common", "Común", "Commun", "일반"),
        "UNCOMMON": ("Необычный", "Uncommon"),
        "SPECIAL": ("Особый", "Special"),
        "RARE": ("Редкий", "Rare"),
        "EXCEPTIONAL": ("Исключительный", "Exceptional"),
        "LEGENDARY": ("Легендарный", "Legendary"),
        "UNIQUE": ("Уникальный", "Unique"),
    },
    "Alliance": {
        "STALKERS": ("Сталкеры", "Stalkers"),
        "BANDITS": ("Бандиты", "Bandits"),
        "DUTY": ("Рубеж", "Frontier", "Frontera", "Frontière", "프론티어"),
        "FREEDOM": ("Заря", "Rise", "Rebelión", "Ascension", "라이즈"),
        "MERC": ("Наемники", "Mercenaries", "Mercenarios", "Mercenaires", "용병단"),
        "COVENANT": ("Завет", "Covenant", "Pacto", "Alliance", "커버넌트"),
    },
    "ClanRank": {
        "RECRUIT": ("Рекрут", "Recruit"),
        "COMMONER": ("Рядовой", "Commoner"),
        "SOLDIER": ("Боец", "Soldier"),
        "SERGEANT": ("Сержант", "Sergeant"),
        "OFFICER": ("Офицер", "Officer"),
        "COLONEL": ("Полковник", "Colonel"),
        "LEADER": ("Лидер", "Leader"),
    },
    "OperationsMap": {
        "BIG_CLEANUP": ("Большая уборка", "The Big Clean Up", "Gran limpieza", "Grand Nettoyage", "대규모 소탕"),
        # The database's name for the third operation. That it is `shock_therapy` follows by elimination.
        "SHOCK_THERAPY": ("Фокусировка", "Focus", "Enfoque", "Focalisation", "집중"),
        "SEA_ALIENATION": ("Море отчуждения", "Sea of Exclusion", "Mar de Exclusión", "Mer d'exclusion", "격리의 바다"),
    },
    "ItemRank": {
        "NEWBIE": ("Новичок", "Newbie", "Novato", "Débutant", "초보자"),
        "STALKER": ("Сталкер", "Stalker", "Acechador", "Stalker", "스토커"),
        "VETERAN": ("Ветеран", "Veteran", "Veterano", "Vétéran", "베테랑"),
        "MASTER": ("Мастер", "Master", "Maestro", "Maître", "마스터"),
        "LEGEND": ("Легенда", "Legend", "Leyenda", "Légende", "전설"),
    },
    "BonusProperty": {
        "SPEED_MOD": (
            "Скорость передвижения", "Movement speed", "Velocidad de movimiento", "Vitesse de déplacement", "이동 속도",
        ),
        "STAMINA_BONUS": ("Выносливость", "Stamina", "Aguante", "Endurance", "스태미나"),
        "STAMINA_REGENERATION": (
            "Восстановление выносливости", "Stamina regeneration", "Regeneración de aguante",
            "Régénération de l'endurance", "스태미나 재생",
        ),
        "BULLET_DMG": (
            "Пулестойкость", "Bullet resistance", "Resistencia a las balas", "Résistance aux balles", "총탄 저항율",
        ),
        "HEALTH_BONUS": ("Живучесть", "Vitality", "Vitalidad", "Vitalité", "생명력"),
        "MAX_WEIGHT_BONUS": (
            "Переносимый вес", "Carry weight", "Peso de carga", "Poids maximum supporté", "최대 운반 무게",
        ),
        "BLEEDING_ACC": ("Кровотечение", "Bleeding", "Hemorragia", "Saignement", "출혈"),
        "HEAL_EFFICIENCY": (
            "Эффективность лечения", "Healing effectiveness", "Eficacia de curación",
            "Efficacité des soins", "치유 효율",
        ),
    },
}  # fmt: skip

#: The colour of members without a colour of their own.
UNKNOWN = "#8c959f"

COLORS: Mapping[str, Mapping[str, str]] = {
    "Quality": {
        "COMMON": "#9aa4af",
        "UNCOMMON": "#2bb07f",
        "SPECIAL": "#3f86f5",
        "RARE": "#d05cc0",
        "EXCEPTIONAL": "#e5484d",
        "LEGENDARY": "#e3a008",
        "UNIQUE": "#8a5f3a",
    },
    "Alliance": {
        "STALKERS": "#d0a215",
        "BANDITS": "#6e7781",
        "DUTY": "#cf222e",
        "FREEDOM": "#2da44e",
        "MERC": "#1a7fd6",
        "COVENANT": "#8250df",
    },
    "ClanRank": {
        "RECRUIT": "#8c959f",
        "COMMONER": "#6f8fae",
        "SOLDIER": "#3f86f5",
        "SERGEANT": "#2bb07f",
        "OFFICER": "#d05cc0",
        "COLONEL": "#e5484d",
        "LEADER": "#e3a008",
    },
    "OperationsMap": {"BIG_CLEANUP": "#2bb07f", "SHOCK_THERAPY": "#e3a008", "SEA_ALIENATION": "#3f86f5"},
    "ItemRank": {
        "NEWBIE": "#9aa4af",
        "STALKER": "#2bb07f",
        "VETERAN": "#3f86f5",
        "MASTER": "#e5484d",
        "LEGEND": "#e3a008",
    },
}

#: The colour of upgrade levels, by the lowest level that has it. From 0 there is none.
LEVEL_COLORS: tuple[tuple[int, str], ...] = ((15, "#e3a008"), (10, "#d05cc0"), (5, "#3f86f5"), (1, "#2bb07f"))


def word(kind: str, name: str, language: str, unknown: str) -> str:
    """Find the word for a member of an enum.

    Args:
        kind: The name of the enum.
        name: The name of the member.
        language: A language of the database, in any case.
        unknown: The result for a member without words.

    Returns:
        The word in that language, otherwise in English.
    """
    words = dict(zip(LANGUAGES, WORDS[kind].get(name, ()), strict=False))
    return words.get(language.strip().lower(), words.get("en", unknown))


def color(kind: str, name: str) -> str:
    """Find the colour for a member of an enum, such as `#2bb07f`; grey for a member without one."""
    return COLORS.get(kind, {}).get(name, UNKNOWN)


def level_color(level: int) -> str | None:
    """Find the colour for an upgrade level; `None` below level 1."""
    return next((found for lowest, found in LEVEL_COLORS if level >= lowest), None)
