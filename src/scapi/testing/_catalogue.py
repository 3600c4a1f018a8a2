"""The fixed data of the fake: regions, items, names and ids that look like the game's own."""

REGIONS = {
    "RU": "RUSSIA",
    "EU": "EUROPE",
    "NA": "NORTH AMERICA",
    "SEA": "SOUTHEAST ASIA",
    "NEA": "NORTHEAST ASIA",
}

#: Real ids, so that the official item database has names for the items in the fake's responses.
ITEMS = {
    "zyv9": "artefact/biochemical",
    "ljpq": "artefact/biochemical",
    "gyjg": "artefact/biochemical",
    "5r04": "artefact/biochemical",
    "kqgy": "artefact/gravity",
    "1kv2": "artefact/gravity",
    "9n1w": "artefact/gravity",
    "1k4q": "artefact/gravity",
    "gypg": "artefact/gravity",
    "9nd0": "artefact/electrophysical",
    "1k96": "artefact/electrophysical",
    "gyn0": "artefact/electrophysical",
    "zy32": "artefact/electrophysical",
    "gy10": "artefact/thermal",
    "zyw2": "artefact/thermal",
    "5rog": "artefact/thermal",
    "rnkl": "artefact/other_arts",
    "gy7p": "artefact/other_arts",
    "009n9": "other",
    "y3nmw": "other",
    "qyvk": "other",
    "1jog": "other",
    "wooz": "misc",
    "400j": "misc",
    "kllj": "misc",
    "dm6l2": "misc",
    "2dq0": "supply/food",
    "9mmq": "supply/medicine",
    "jm94": "grenade",
    "319k": "bullet",
    "9g6z": "bullet",
    "1nr1": "bullet",
    "9yyq": "containers",
    "l332": "backpacks",
    "zz2rn": "weapon/assault_rifle",
    "5ldwg": "weapon/assault_rifle",
    "2ody0": "weapon/assault_rifle",
    "1rdg6": "weapon/submachine_gun",
    "1r7rg": "weapon/sniper_rifle",
    "969mq": "weapon/pistol",
    "96w9q": "weapon/melee",
    "96p2y": "attachment/mag",
    "96v5q": "attachment/collimator_sights",
    "rwnrv": "armor/combined",
    "4ql2r": "armor/combat",
    "0r439": "armor/scientist",
}

#: Bound to a player: the API returns an empty listing for them, not an error.
UNTRADEABLE = frozenset({"qyvk"})

#: Sales per region, if known. For all other items the seed decides.
SALES = {"kqgy": 82_319, "dm6l2": 13_518_981}

LOTS_ALIVE = {"kqgy": 260, "zyv9": 130}

BONUS_PROPERTIES = (
    "SPEED_MOD",
    "STAMINA_BONUS",
    "STAMINA_REGENERATION",
    "BULLET_DMG",
    "HEALTH_BONUS",
    "MAX_WEIGHT_BONUS",
    "BLEEDING_ACC",
    "HEAL_EFFICIENCY",
)

ALLIANCES = ("stalkers", "bandits", "duty", "freedom", "merc", "covenant")

RANKS = ("RECRUIT", "COMMONER", "SOLDIER", "SERGEANT", "OFFICER", "COLONEL")

INTEGER_STATS = (
    "kil",
    "dea",
    "ast",
    "max-kil-ser",
    "sho-fir",
    "sho-hit",
    "sho-hea",
    "art-col",
    "mut-chi-kill",
)
DECIMAL_STATS = ("dam-dea-pla", "dam-rec-pla", "dis-on-foo", "foo-eat")
DURATION_STATS = ("pla-tim", "par-tim")
DATE_STATS = ("reg-tim", "joined-guild")

ACHIEVEMENTS = (
    "acrobat",
    "agroprom_explored",
    "alliance_join",
    "antitank",
    "apothecary",
    "arthunter",
    "aviator",
    "bank",
)

STATUSES = ("", "", "Looking for a squad", "§4Red §fZone", "Торгую артефактами")

MAPS = ("big_cleanup", "shock_therapy", "sea_alienation")

ARMOR_CLASSES = ("combined", "light", "heavy")
ARMORS = ("rwnrv", "4ql2r", "0r439")
WEAPONS = ("5ldwg", "2ody0", "1rdg6", "1r7rg", "969mq", "96w9q")

CALLSIGNS = ("Silent", "Rusty", "Old", "Mad", "Lucky", "Grey", "Wild", "Cold", "Swift", "Bitter")
ANIMALS = ("Wolf", "Raven", "Boar", "Fox", "Snork", "Crow", "Bear", "Lynx", "Hound", "Owl")
PACKS = ("Wolves", "Ravens", "Boars", "Foxes", "Snorks", "Crows", "Bears", "Lynxes", "Hounds", "Owls")
"""The plurals of `ANIMALS`."""
SEPARATORS = ("", "_", "-", ".")

#: The user's clan, and the clan that the public demo server has.
HOME_CLAN = "a552092f-e7c9-4cc3-a256-1e3f525770bf"
DEMO_CLAN = "647d6c53-b3d7-4d30-8d08-de874eb1d845"
CLANS = 240

USER_CHARACTERS = ("YourCharacterName", "YourSecondCharacter")
CLANLESS = ("YourSecondCharacter", "Loner", "A/B?c#d ё", "Шустрый")
EMPTY_PROFILES = ("Too_Pivo",)

SESSIONS = 320
