"""Made-up names of the fake's items in Russian, English, Spanish, French and Korean."""

LANGUAGES = ("ru", "en", "es", "fr", "ko")

#: They have the difficulties of the real names: all kinds of quotes, ё, no-break spaces, names that contain other
#: names, and duplicates.
NAMES = {
    "zyv9": ("Слеза Зоны", "Tear of the Zone", "Lágrima de la Zona", "Larme de la Zone", "구역의 눈물"),
    "ljpq": ("Гнилое яблоко", "Rotten Apple", "Manzana podrida", "Pomme pourrie", "썩은 사과"),
    "gyjg": ("Зелёный студень", "Green Jelly", "Gelatina verde", "Gelée verte", "초록 젤리"),
    "5r04": ("Паучий кокон", "Spider Cocoon", "Capullo de araña", "Cocon d’araignée", "거미 고치"),
    "kqgy": ("Каменный цветок", "Stone Blossom", "Flor pétrea", "Floraison de pierre", "돌꽃 봉오리"),
    "1kv2": ("Тяжёлая капля", "Heavy Drop", "Gota pesada", "Goutte lourde", "무거운 물방울"),
    "9n1w": ("Обратный камень", "Inverse Stone", "Piedra inversa", "Pierre inverse", "거꾸로 돌"),
    "1k4q": ("Карманная луна", "Pocket Moon", "Luna de bolsillo", "Lune de poche", "주머니 달"),
    "gypg": ("Осколок маятника", "Pendulum Shard", "Fragmento de péndulo", "Éclat de pendule", "진자 조각"),
    "9nd0": ("Трескучий шар", "Crackling Orb", "Orbe crepitante", "Orbe crépitant", "지직거리는 구슬"),
    "1k96": ("Синяя дуга", "Blue Arc", "Arco azul", "Arc bleu", "푸른 아크"),
    "gyn0": ("Спящая молния", "Sleeping Lightning", "Rayo dormido", "Foudre endormie", "잠든 번개"),
    "zy32": ("Проводник", "Conductor", "Conductor", "Conducteur", "전도체"),
    "gy10": ("Уголёк", "Ember", "Ascua", "Braise", "잉걸불"),
    "zyw2": ("Стеклянный пепел", "Glass Ash", "Ceniza de vidrio", "Cendre de verre", "유리 재"),
    "5rog": ("Зимнее солнце", "Winter Sun", "Sol de invierno", "Soleil d’hiver", "겨울 태양"),
    "rnkl": ("Эхо", "Echo", "Eco", "Écho", "메아리"),
    "gy7p": ("Пустая скорлупа", "Hollow Shell", "Cáscara hueca", "Coquille creuse", "빈 껍데기"),
    "009n9": ("Сигнальный огонь", "Signal Fire", "Fuego de señales", "Feu de signalisation", "신호불"),
    "y3nmw": (
        "Ключ от склада №3",
        "Storehouse 3 Key",
        "Llave del almacén 3",
        "Clé du dépôt 3",
        "3번 창고 열쇠",
    ),
    "qyvk": ("Жетон новичка", "Newcomer's Token", "Ficha de novato", "Jeton de débutant", "신참 토큰"),
    "1jog": (
        "Отчёт",
        "Report",
        "Informe",
        "Rapport",
        "보고서",
    ),
    "wooz": ("Ковёр", "Carpet", "Alfombra", "Tapis", "카펫"),
    "400j": ("«Ковёр»", "Carpet", "Alfombra", "Tapis", "카펫"),
    "kllj": ("Медная проволока", "Copper Wire", "Alambre de cobre", "Fil de cuivre", "구리선"),
    "dm6l2": ("Оружейное масло", "Gun Oil", "Aceite\u00a0para armas", "Huile\u00a0à\u00a0armes", "총기 오일"),
    "2dq0": (
        "Тушёнка «Полевая»",
        '"Field" Canned Stew',
        "Estofado «Campo»",
        "Ragoût «\u00a0Camp\u00a0»",
        "통조림",
    ),
    "9mmq": ("Жгут", "Tourniquet", "Torniquete", "Garrot", "지혈대"),
    "jm94": ("Граната РГ-2", "RG-2 Grenade", "Granada RG-2", "Grenade RG-2", "RG-2 수류탄"),
    "319k": ("Патрон 5,45 мм", "5.45 mm Round", "Cartucho 5,45 mm", "Cartouche 5,45 mm", "5.45 mm 탄"),
    "9g6z": ("Патрон 9 мм", "9 mm Round", "Cartucho 9 mm", "Cartouche 9 mm", "9 mm 탄"),
    "1nr1": ("Патрон 12 калибра", "12 Gauge Shell", "Cartucho del 12", "Cartouche calibre 12", "12게이지 산탄"),
    "9yyq": ("Контейнер «Улей»", '"Beehive" Container', "Contenedor «Colmena»", "Conteneur «Ruche»", "벌집 컨테이너"),
    "l332": ("Походный рюкзак", "Hiking Backpack", "Mochila de marcha", "Sac de randonnée", "하이킹 배낭"),
    "zz2rn": ("АК-105", "AK-105", "AK-105", "AK-105", "AK-105"),
    "5ldwg": ("Автомат «Сокол»", "Falcon Rifle", "Rifle Halcón", "Fusil Faucon", "매 소총"),
    "2ody0": ("АК-105 «Гром»", "AK-105 “Thunder”", "AK-105 «Trueno»", "AK-105 «Tonnerre»", "AK-105 천둥"),
    "1rdg6": ("ПП «Оса»", "Wasp SMG", "Subfusil Avispa", "PM Guêpe", "말벌 기관단총"),
    "1r7rg": ("Винтовка «Дятел»", "Woodpecker Rifle", "Rifle Pájaro Carpintero", "Fusil Pivert", "딱따구리 소총"),
    "969mq": ("Пистолет ПБ", "PB Pistol", "Pistola PB", "Pistolet PB", "PB 권총"),
    "96w9q": ("Сапёрная лопатка", "Entrenching Tool", "Pala de trinchera", "Pelle-bêche", "야전삽"),
    "96p2y": ("Магазин на 45 патронов", "45-Round Magazine", "Cargador de 45", "Chargeur 45 coups", "45발 탄창"),
    "96v5q": ("Прицел «Кобра-М»", "Cobra-M Sight", "Mira Cobra-M", "Viseur Cobra-M", "코브라-M 조준경"),
    "rwnrv": ("Костюм «Рысь»", "Lynx Suit", "Traje Lince", "Tenue Lynx", "스라소니 슈트"),
    "4ql2r": ("Бронекостюм «Утёс»", "Cliff Armor", "Armadura Acantilado", "Armure Falaise", "절벽 방탄복"),
    "0r439": (
        "Научный комбинезон",
        "Science Suit",
        "Mono científico",
        "Tenue scientifique",
        "과학자 작업복",
    ),
}

ACHIEVEMENT_NAMES = {
    "acrobat": ("Акробат", "Acrobat", "Acróbata", "Acrobate", "곡예사"),
    "antitank": ("Противотанковый", "Anti-Tank", "Antitanque", "Antichar", "대전차"),
    "arthunter": (
        "Охотник",
        "Hunter",
        "Cazador",
        "Chasseur",
        "사냥꾼",
    ),
    "bank": ("Банкир", "Banker", "Banquero", "Banquier", "은행가"),
}

#: In the real database, too, some stats have no name.
STAT_NAMES = {
    "kil": ("Убийства", "Kills", "Bajas", "Victimes", "처치"),
    "dea": ("Смерти", "Deaths", "Muertes", "Morts", "사망"),
    "pla-tim": ("Время в игре", "Play Time", "Tiempo de juego", "Temps de jeu", "플레이 시간"),
    "sho-hit": ("Попадания", "Hits", "Aciertos", "Tirs au but", "명중"),
    "joined-guild": None,
}
