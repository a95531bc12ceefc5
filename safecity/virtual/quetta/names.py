"""What the virtual Quetta is drawn from: names in English and Urdu, and rough positions in kilometres.

The names are the city's; the positions are where one would look for them, and no more exact than that. The roads are
invented lines through a few hand-placed points. Kilometres are east and north of longitude 67.00, latitude 30.19.
"""

from dataclasses import dataclass

KM = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A name in both languages with a position in kilometres."""

    code: str
    name: str
    name_ur: str
    at_km: KM


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter(Named):
    """A district: how far apart its streets lie, how they are turned, and how closely it is built."""

    block_m: float
    turn_deg: float
    built: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorRoad:
    """A named road drawn as a curve through points in kilometres."""

    code: str
    name: str
    name_ur: str
    road_class: str
    through_km: tuple[KM, ...]


def _quarter(code: str, names: tuple[str, str], *, at_km: KM, streets: tuple[float, float, float]) -> Quarter:
    block_m, turn_deg, built = streets
    return Quarter(
        code=code, name=names[0], name_ur=names[1], at_km=at_km, block_m=block_m, turn_deg=turn_deg, built=built
    )


QUARTERS = (
    _quarter("CITY", ("City Centre", "شہر"), at_km=(1.0, 0.1), streets=(130, 22, 0.97)),
    _quarter("CANTT", ("Cantonment", "چھاؤنی"), at_km=(1.9, 3.7), streets=(270, 18, 0.88)),
    _quarter("RAILWAY", ("Railway Colony", "ریلوے کالونی"), at_km=(-1.2, -0.9), streets=(190, -8, 0.90)),
    _quarter("CHAMAN-PHATAK", ("Chaman Phatak", "چمن پھاٹک"), at_km=(-0.9, 1.9), streets=(150, 30, 0.93)),
    _quarter("GAWALMANDI", ("Gawalmandi", "گوالمنڈی"), at_km=(0.8, -1.7), streets=(130, 12, 0.95)),
    _quarter("JINNAH-TOWN", ("Jinnah Town", "جناح ٹاؤن"), at_km=(-2.6, 0.9), streets=(170, 5, 0.95)),
    _quarter("SHAHBAZ-TOWN", ("Shahbaz Town", "شہباز ٹاؤن"), at_km=(-2.9, 3.4), streets=(180, 35, 0.92)),
    _quarter("KILLI-ISMAIL", ("Killi Ismail", "کلی اسماعیل"), at_km=(-0.5, 4.6), streets=(190, 25, 0.82)),
    _quarter("NAWAN-KILLI", ("Nawan Killi", "نواں کلی"), at_km=(3.9, 5.2), streets=(160, 42, 0.88)),
    _quarter("MARRIABAD", ("Marriabad", "مری آباد"), at_km=(4.0, 1.4), streets=(130, -4, 0.93)),
    _quarter("KASI", ("Kasi Killi", "کاسی قلعہ"), at_km=(2.6, 1.3), streets=(140, 16, 0.93)),
    _quarter("TOGHI", ("Toghi Road", "طوغی روڈ"), at_km=(3.0, -0.7), streets=(140, -6, 0.92)),
    _quarter("PASHTUNABAD", ("Pashtunabad", "پشتون آباد"), at_km=(2.6, -2.5), streets=(125, -32, 0.93)),
    _quarter("EASTERN-BYPASS", ("Eastern Bypass", "مشرقی بائی پاس"), at_km=(2.6, -5.4), streets=(220, -40, 0.70)),
    _quarter("SATELLITE-TOWN", ("Satellite Town", "سیٹلائٹ ٹاؤن"), at_km=(0.1, -3.5), streets=(160, 20, 0.97)),
    _quarter("GHAUSABAD", ("Ghausabad", "غوث آباد"), at_km=(0.1, -6.1), streets=(190, 8, 0.80)),
    _quarter("UNIVERSITY", ("University", "یونیورسٹی"), at_km=(-2.9, -4.5), streets=(230, 18, 0.80)),
    _quarter("SARIAB", ("Sariab", "سریاب"), at_km=(-2.5, -7.3), streets=(180, 22, 0.87)),
    _quarter("QAMBRANI", ("Killi Qambrani", "کلی قمبرانی"), at_km=(-5.4, -6.6), streets=(220, -5, 0.72)),
    _quarter("KIRANI", ("Kirani", "کرانی"), at_km=(-6.1, -4.0), streets=(200, -8, 0.78)),
    _quarter("HAZARA-TOWN", ("Hazara Town", "ہزارہ ٹاؤن"), at_km=(-4.6, -2.2), streets=(135, -10, 0.96)),
    _quarter("BREWERY", ("Brewery Road", "بروری روڈ"), at_km=(-4.6, -0.1), streets=(170, -6, 0.90)),
    _quarter("KHAROTABAD", ("Kharotabad", "خروٹ آباد"), at_km=(-5.6, 1.8), streets=(160, 6, 0.88)),
    _quarter("SAMUNGLI", ("Samungli", "سمنگلی"), at_km=(-5.2, 4.6), streets=(240, 32, 0.70)),
    _quarter("AIRPORT", ("Airport", "ایئرپورٹ"), at_km=(-4.5, 7.3), streets=(320, 30, 0.50)),
    _quarter("CHASHMA", ("Chashma Achozai", "چشمہ اچوزئی"), at_km=(-1.4, 6.9), streets=(230, 10, 0.66)),
    _quarter("BALELI", ("Baleli", "بلیلی"), at_km=(-4.2, 10.4), streets=(240, -8, 0.66)),
    _quarter("HAZARGANJI", ("Hazarganji", "ہزار گنجی"), at_km=(-4.4, -10.6), streets=(230, 20, 0.75)),
    _quarter("KUCHLAK", ("Kuchlak", "کچلاک"), at_km=(-4.2, 16.2), streets=(170, 12, 0.85)),
)

OUTLINE_KM: tuple[KM, ...] = (
    (-5.9, 11.9), (-6.8, 8.6), (-7.6, 4.6), (-8.0, 0.6), (-8.2, -4.4), (-7.5, -8.4), (-6.2, -12.4), (-3.2, -12.2),
    (-0.4, -9.6), (2.4, -8.0), (4.6, -4.6), (5.3, -1.4), (5.8, 2.6), (5.5, 6.2), (3.4, 7.5), (0.2, 8.6), (-2.6, 11.4),
)  # fmt: skip
"""The built-up valley floor; outside it rise Chiltan, Takatu and Koh-e-Murdar, and nothing is drawn."""

KUCHLAK_KM: tuple[KM, ...] = ((-5.4, 15.0), (-3.2, 14.8), (-2.7, 16.5), (-3.4, 17.5), (-5.2, 17.4))

CENTRE_ROADS = (
    ("Shahrah-e-Iqbal", "شاہراہ اقبال"), ("Liaquat Road", "لیاقت روڈ"), ("Masjid Road", "مسجد روڈ"),
    ("Prince Road", "پرنس روڈ"), ("Mission Road", "مشن روڈ"), ("Art School Road", "آرٹ اسکول روڈ"),
    ("Fatima Jinnah Road", "فاطمہ جناح روڈ"), ("Hali Road", "حالی روڈ"), ("Patel Road", "پٹیل روڈ"),
    ("Suraj Ganj Bazaar", "سورج گنج بازار"), ("Archer Road", "آرچر روڈ"), ("Thana Road", "تھانہ روڈ"),
)  # fmt: skip
"""Names for the collector roads of the city centre, in the order in which they are drawn."""


def _road(code: str, names: tuple[str, str], *through_km: KM, road_class: str = "arterial") -> MajorRoad:
    return MajorRoad(code=code, name=names[0], name_ur=names[1], road_class=road_class, through_km=through_km)


MAJOR_ROADS = (
    _road("KUCHLAK", ("Kuchlak Road", "کچلاک روڈ"),
          (-4.5, 19.0), (-4.1, 16.3), (-4.6, 13.6), (-4.3, 10.6), (-3.6, 8.2), (-3.1, 7.0), road_class="highway"),
    _road("AIRPORT", ("Airport Road", "ایئرپورٹ روڈ"),
          (-3.1, 7.0), (-2.4, 5.2), (-1.5, 3.3), (-0.6, 1.6), (0.3, 0.6)),
    _road("MASTUNG", ("Mastung Road", "مستونگ روڈ"),
          (-6.2, -16.2), (-5.2, -13.6), (-4.1, -11.0), (-3.2, -8.7), road_class="highway"),
    _road("SARIAB", ("Sariab Road", "سریاب روڈ"),
          (-3.2, -8.7), (-2.3, -6.1), (-1.6, -3.9), (-0.9, -1.9), (-0.2, -0.5), (0.3, 0.6)),
    _road("SIBI", ("Sibi Road", "سبی روڈ"),
          (-3.2, -8.7), (-1.2, -9.6), (1.4, -11.2), (3.6, -13.4), (5.2, -15.8), road_class="highway"),
    _road("WEST", ("Western Bypass", "مغربی بائی پاس"),
          (-4.1, -11.0), (-6.2, -9.2), (-7.4, -6.0), (-7.5, -2.0), (-7.2, 1.6), (-6.7, 5.0), (-5.7, 8.4), (-4.3, 10.6),
          road_class="ring"),
    _road("CHAMAN", ("Chaman Link Road", "چمن لنک روڈ"),
          (-7.2, 1.6), (-8.9, 2.7), (-11.0, 4.0), (-13.0, 5.9), road_class="highway"),
    _road("EAST", ("Eastern Bypass", "مشرقی بائی پاس"),
          (-3.2, -8.7), (-1.0, -8.0), (1.5, -7.0), (3.5, -4.8), (4.3, -2.0), (5.0, 1.0), (5.0, 3.9), (3.8, 6.2),
          (1.2, 7.2), (-1.2, 7.5), (-3.1, 7.0), road_class="ring"),
    _road("JINNAH", ("Jinnah Road", "جناح روڈ"), (-1.0, 0.0), (0.3, 0.6), (1.7, 1.2)),
    _road("ZARGHUN", ("Zarghun Road", "زرغون روڈ"),
          (-0.2, -0.5), (0.7, 1.5), (1.2, 3.0), (1.4, 5.0), (1.2, 7.2)),
    _road("SAMUNGLI", ("Samungli Road", "سمنگلی روڈ"),
          (-0.6, 1.6), (-2.2, 2.1), (-4.0, 3.0), (-5.4, 4.2), (-6.7, 5.0)),
    _road("BREWERY", ("Brewery Road", "بروری روڈ"),
          (-0.2, -0.5), (-2.2, -0.4), (-4.2, -0.8), (-6.0, -1.4), (-7.5, -2.0)),
    _road("SPINNY", ("Spinny Road", "سپنی روڈ"),
          (-1.6, -3.9), (-2.7, -2.4), (-3.1, -0.5), (-2.9, 1.0), (-2.2, 2.1), (-1.5, 3.3)),
    _road("DOUBLE", ("Double Road", "ڈبل روڈ"), (-0.9, -1.9), (0.6, -1.3), (1.9, -0.9), (2.8, 0.6)),
    _road("JOINT", ("Joint Road", "جائنٹ روڈ"), (-0.6, 1.6), (-1.0, 0.0), (-1.2, -1.0), (-0.9, -1.9)),
    _road("ALAMDAR", ("Alamdar Road", "علمدار روڈ"), (1.7, 1.2), (2.8, 0.6), (4.0, 0.6), (5.0, 1.0)),
    _road("TOGHI", ("Toghi Road", "طوغی روڈ"),
          (0.3, 0.6), (0.9, -0.3), (1.9, -0.9), (3.2, -1.2), (4.3, -2.0)),
    _road("PASHTUN", ("Pashtunabad Road", "پشتون آباد روڈ"),
          (0.6, -1.3), (1.7, -2.2), (2.7, -3.4), (3.5, -4.8)),
    _road("NAWAN", ("Nawan Killi Road", "نواں کلی روڈ"), (1.2, 3.0), (2.3, 4.4), (3.2, 5.4), (3.8, 6.2)),
    _road("HANNA", ("Hanna Road", "ہنہ روڈ"), (3.8, 6.2), (5.4, 6.9), (6.9, 8.2), (8.8, 8.7), road_class="highway"),
    _road("KASI", ("Kasi Road", "کاسی روڈ"), (0.7, 1.5), (2.1, 2.2), (3.5, 2.6), (5.0, 3.9)),
    _road("KIRANI", ("Kirani Road", "کرانی روڈ"),
          (-1.6, -3.9), (-3.4, -3.5), (-5.4, -4.0), (-7.5, -4.0)),
    _road("QAMBRANI", ("Qambrani Road", "قمبرانی روڈ"),
          (-2.3, -6.1), (-3.9, -5.8), (-5.6, -6.2), (-7.4, -6.0)),
    _road("SABZAL", ("Sabzal Road", "سبزل روڈ"),
          (-2.3, -6.1), (-0.6, -5.2), (1.5, -4.7), (3.5, -4.8)),
    _road("GHAUS", ("Ghausabad Road", "غوث آباد روڈ"),
          (0.6, -1.3), (0.2, -3.1), (0.5, -5.0), (0.3, -7.5)),
    _road("ARBAB", ("Arbab Karam Khan Road", "ارباب کرم خان روڈ"),
          (-4.0, 3.0), (-4.3, 1.2), (-4.2, -0.8), (-4.5, -2.4), (-4.4, -3.8), (-3.9, -5.8)),
    _road("KHAROT", ("Kharotabad Road", "خروٹ آباد روڈ"),
          (-2.9, 1.0), (-4.3, 1.2), (-5.8, 1.2), (-7.2, 1.6)),
    _road("TERMINAL", ("Terminal Road", "ٹرمینل روڈ"), (-2.4, 5.2), (-3.7, 5.7), (-4.9, 6.6), (-6.1, 7.2)),
    _road("SATELLITE", ("Satellite Town Road", "سیٹلائٹ ٹاؤن روڈ"),
          (-1.6, -3.9), (0.2, -3.1), (1.5, -3.3), (2.7, -3.4)),
    _road("CANTT", ("Cantonment Road", "چھاؤنی روڈ"),
          (-1.5, 3.3), (0.0, 3.5), (1.2, 3.0), (3.5, 2.6)),
)  # fmt: skip


def _named(code: str, names: tuple[str, str], *, at_km: KM) -> Named:
    return Named(code=code, name=names[0], name_ur=names[1], at_km=at_km)


GATES = (
    (_named("NORTH", ("Kuchlak Gate", "کچلاک گیٹ"), at_km=(-4.55, 12.4)), "KUCHLAK"),
    (_named("WEST", ("Chaman Gate", "چمن گیٹ"), at_km=(-9.0, 2.8)), "CHAMAN"),
    (_named("SOUTH", ("Mastung Gate", "مستونگ گیٹ"), at_km=(-5.0, -13.2)), "MASTUNG"),
    (_named("EAST", ("Sibi Gate", "سبی گیٹ"), at_km=(1.2, -11.1)), "SIBI"),
)
"""The four gates with the code of the highway that each stands on."""

POLICE = (
    _named("CITY", ("City Police Station", "تھانہ سٹی"), at_km=(0.9, 0.4)),
    _named("CIVIL-LINES", ("Civil Lines Police Station", "تھانہ سول لائنز"), at_km=(0.3, 1.5)),
    _named("CANTT", ("Cantonment Police Station", "تھانہ کینٹ"), at_km=(1.7, 3.4)),
    _named("GAWALMANDI", ("Gawalmandi Police Station", "تھانہ گوالمنڈی"), at_km=(0.9, -1.4)),
    _named("QAIDABAD", ("Qaidabad Police Station", "تھانہ قائد آباد"), at_km=(2.4, 0.4)),
    _named("BIJLI-ROAD", ("Bijli Road Police Station", "تھانہ بجلی روڈ"), at_km=(-0.5, 0.6)),
    _named("JINNAH-TOWN", ("Jinnah Town Police Station", "تھانہ جناح ٹاؤن"), at_km=(-2.4, 1.2)),
    _named("BREWERY", ("Brewery Police Station", "تھانہ بروری"), at_km=(-4.5, -0.5)),
    _named("KHAROTABAD", ("Kharotabad Police Station", "تھانہ خروٹ آباد"), at_km=(-5.4, 1.5)),
    _named("SATELLITE-TOWN", ("Satellite Town Police Station", "تھانہ سیٹلائٹ ٹاؤن"), at_km=(-0.2, -3.3)),
    _named("PASHTUNABAD", ("Pashtunabad Police Station", "تھانہ پشتون آباد"), at_km=(2.3, -2.7)),
    _named("SARIAB", ("Sariab Police Station", "تھانہ سریاب"), at_km=(-2.2, -6.6)),
    _named("INDUSTRIAL", ("Industrial Area Police Station", "تھانہ انڈسٹریل ایریا"), at_km=(-3.0, -8.2)),
    _named("SHALKOT", ("Shalkot Police Station", "تھانہ شالکوٹ"), at_km=(-4.3, -10.4)),
    _named("NAWAN-KILLI", ("Nawan Killi Police Station", "تھانہ نواں کلی"), at_km=(3.2, 5.1)),
    _named("AIRPORT", ("Airport Police Station", "تھانہ ایئرپورٹ"), at_km=(-4.4, 6.5)),
    _named("KUCHLAK", ("Kuchlak Police Station", "تھانہ کچلاک"), at_km=(-4.0, 16.0)),
)

HOSPITALS = (
    _named("CIVIL", ("Sandeman Provincial Hospital", "سنڈیمن صوبائی ہسپتال"), at_km=(0.5, 0.3)),
    _named("BMC", ("Bolan Medical Complex Hospital", "بولان میڈیکل کمپلیکس ہسپتال"), at_km=(-4.0, -1.1)),
    _named("CMH", ("Combined Military Hospital", "کمبائنڈ ملٹری ہسپتال"), at_km=(1.5, 2.8)),
    _named("FATIMA", ("Fatima Jinnah Hospital", "فاطمہ جناح ہسپتال"), at_km=(-0.9, 2.4)),
    _named("SHEIKH-ZAYED", ("Sheikh Zayed Hospital", "شیخ زید ہسپتال"), at_km=(-2.0, -5.4)),
    _named("BENAZIR", ("Benazir Bhutto Hospital", "بے نظیر بھٹو ہسپتال"), at_km=(2.4, -3.2)),
    _named("CHILDREN", ("Children's Hospital", "چلڈرن ہسپتال"), at_km=(-1.9, 0.4)),
    _named("EYE", ("Helpers Eye Hospital", "ہیلپرز آئی ہسپتال"), at_km=(-0.8, -1.4)),
    _named("HAZARA", ("Hazara Town Hospital", "ہزارہ ٹاؤن ہسپتال"), at_km=(-4.8, -2.6)),
    _named("KUCHLAK", ("Kuchlak Hospital", "کچلاک ہسپتال"), at_km=(-4.4, 16.4)),
)

ZONES = (
    ("RED", "Government Zone", "سرکاری علاقہ", (0.55, 1.9), (520, 640)),
    ("BAZAAR", "Liaquat Bazaar", "لیاقت بازار", (1.05, 0.25), (430, 340)),
    ("STATION", "Railway Station", "ریلوے اسٹیشن", (-0.5, -0.15), (330, 430)),
    ("UNIVERSITY", "University Campus", "یونیورسٹی کیمپس", (-2.5, -4.7), (620, 520)),
    ("BUS", "Hazarganji Bus Terminal", "ہزار گنجی بس ٹرمینل", (-4.0, -10.4), (460, 420)),
    ("AIRPORT", "Airport Area", "ایئرپورٹ کا علاقہ", (-5.5, 7.2), (700, 900)),
)
"""Areas on the map: code, names, middle in kilometres, half width and half height in metres."""

DIRECTIONS = (
    ("north", "شمال"), ("north-east", "شمال مشرق"), ("east", "مشرق"), ("south-east", "جنوب مشرق"),
    ("south", "جنوب"), ("south-west", "جنوب مغرب"), ("west", "مغرب"), ("north-west", "شمال مغرب"),
)  # fmt: skip
