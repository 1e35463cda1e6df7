"""Names of people, companies, streets and buildings for the demonstration, in several scripts."""

# Each pair is (as written, in plain letters for an address of mail).
LATIN_GIVEN = (
    ("Aoife", "aoife"), ("Conor", "conor"), ("Niamh", "niamh"), ("Seán", "sean"),
    ("Siobhán", "siobhan"), ("Patrick", "patrick"), ("Emma", "emma"), ("Jack", "jack"),
    ("Grace", "grace"), ("Daniel", "daniel"), ("Katarzyna", "katarzyna"), ("Łukasz", "lukasz"),
    ("Agnieszka", "agnieszka"), ("Jürgen", "juergen"), ("Anneliese", "anneliese"),
    ("François", "francois"), ("Chloé", "chloe"), ("Matéo", "mateo"), ("Lucía", "lucia"),
    ("João", "joao"), ("Beatriz", "beatriz"), ("Giulia", "giulia"), ("Marco", "marco"),
    ("Søren", "soren"), ("Ingrid", "ingrid"), ("Çiğdem", "cigdem"), ("Emre", "emre"),
    ("Zsófia", "zsofia"), ("Bence", "bence"), ("Ștefan", "stefan"), ("Ioana", "ioana"),
    ("Nguyễn", "nguyen"), ("Thảo", "thao"), ("Amara", "amara"), ("Chidi", "chidi"),
    ("Oluwaseun", "oluwaseun"), ("Fatima", "fatima"), ("Yusuf", "yusuf"), ("Priya", "priya"),
    ("Arjun", "arjun"), ("Hannah", "hannah"), ("Oscar", "oscar"), ("Ruth", "ruth"),
    ("Tomás", "tomas"), ("Clodagh", "clodagh"), ("Fionn", "fionn"), ("Eimear", "eimear"),
    ("Liam", "liam"),
)  # fmt: skip
LATIN_FAMILY = (
    ("Murphy", "murphy"), ("O’Brien", "obrien"), ("Byrne", "byrne"), ("Ní Dhomhnaill", "nidhom"),
    ("Walsh", "walsh"), ("Kavanagh", "kavanagh"), ("Doyle", "doyle"), ("Gallagher", "gallagher"),
    ("Lynch", "lynch"), ("Quinn", "quinn"), ("Kowalska", "kowalska"), ("Wiśniewski", "wisniewski"),
    ("Müller", "mueller"), ("Schäfer", "schaefer"), ("Lefèvre", "lefevre"), ("Moreau", "moreau"),
    ("García", "garcia"), ("Núñez", "nunez"), ("Gonçalves", "goncalves"), ("Ferrari", "ferrari"),
    ("Sørensen", "sorensen"), ("Lindqvist", "lindqvist"), ("Yılmaz", "yilmaz"),
    ("Öztürk", "ozturk"), ("Kovács", "kovacs"), ("Popescu", "popescu"), ("Trần", "tran"),
    ("Okafor", "okafor"), ("Adeyemi", "adeyemi"), ("Khan", "khan"), ("Patel", "patel"),
    ("Iyer", "iyer"), ("Fitzgerald", "fitzgerald"), ("Nolan", "nolan"), ("Brennan", "brennan"),
    ("Dvořák", "dvorak"), ("Horvat", "horvat"), ("Jansen", "jansen"), ("van der Meer", "vdmeer"),
    ("Mac Giolla Phádraig", "macgiolla"), ("Hughes", "hughes"), ("Keane", "keane"),
)  # fmt: skip

# Whole names, because order and joining differ from script to script.
OTHER_SCRIPTS = (
    ("Ελένη Παπαδοπούλου", "eleni.papadopoulou"), ("Γιώργος Νικολαΐδης", "giorgos.nikolaidis"),
    ("Δήμητρα Αντωνίου", "dimitra.antoniou"), ("Олена Шевченко", "olena.shevchenko"),
    ("Андрій Коваленко", "andrii.kovalenko"), ("Наталья Соколова", "natalia.sokolova"),
    ("Димитър Георгиев", "dimitar.georgiev"), ("Марија Јовановић", "marija.jovanovic"),
    ("محمد العلي", "mohammed.alali"), ("ليلى حداد", "layla.haddad"),
    ("سارا رضایی", "sara.rezaei"), ("יעל כהן", "yael.cohen"), ("דוד לוי", "david.levi"),
    ("王小明", "wang.xiaoming"), ("李秀英", "li.xiuying"), ("陳美玲", "chen.meiling"),
    ("田中 陽子", "tanaka.yoko"), ("佐藤 健一", "sato.kenichi"), ("김민준", "kim.minjun"),
    ("박서연", "park.seoyeon"), ("अनन्या शर्मा", "ananya.sharma"), ("रवि वर्मा", "ravi.verma"),
    ("สมชาย ใจดี", "somchai.jaidee"), ("ნინო ბერიძე", "nino.beridze"),
    ("Արմեն Պետրոսյան", "armen.petrosyan"), ("தமிழ்செல்வி ராமன்", "tamilselvi.raman"),
)  # fmt: skip

COMPANY_STEMS = (
    "Harbour Light", "Green Door", "North Quay", "Copper Kettle", "Blue Heron", "Linden",
    "Old Mill", "Fern & Stone", "Paperboat", "Red Kite", "Seven Steps", "Ashgrove",
    "Corner House", "Tidewater", "Juniper", "Bright Lane", "Lanthorn", "Wren & Daughters",
    "Molloy", "Castletown", "Meridian", "Foxglove", "Salthouse", "Millrace",
)  # fmt: skip
COMPANY_TRADES = (
    "Bakery", "Dental Practice", "Architects", "Books", "Physiotherapy", "Coffee Roasters",
    "Design Studio", "Accountants", "Pharmacy", "Bicycles", "Law Office", "Catering",
    "Software", "Translations", "Opticians", "Flowers", "Yoga", "Printers",
)  # fmt: skip
COMPANY_FORMS = ("Ltd", "DAC", "& Co", "CLG", "Ltd", "Ltd")

STREET_STEMS = (
    "Alder", "Orchard", "Mill", "Castle", "Harbour", "Chapel", "Linden", "Bridge", "Abbey",
    "Quarry", "Rose", "Kiln", "Station", "Meadow", "Beech", "Church", "Market", "Salt",
    "Willow", "Tanyard", "Priory", "Hawthorn", "Elm", "Weaver", "Lough", "Mount", "Cedar",
    "Barrack", "Friar", "Distillery",
)  # fmt: skip
STREET_KINDS = ("Street", "Road", "Lane", "Row", "Terrace", "Avenue", "Place", "Quay", "Hill")
BUILDING_STEMS = (
    "Quayside", "Riverbank", "Old Brewery", "St Brigid’s", "Clarendon", "Millstream", "Fairview",
    "Granary", "Lighthouse", "Belmont", "Ardmore", "Cathedral", "Woodville", "Heron",
    "Merchants’", "Sandymount", "Glenview", "Foundry", "Kingfisher", "Parkgate", "Larkfield",
    "Ropewalk", "Tannery", "Marina",
)  # fmt: skip
BUILDING_KINDS = ("Court", "House", "Apartments", "Gardens", "Mews", "Hall", "Wharf", "Yard")

# City and the routing key that its postal codes begin with.
CITIES = (
    ("Dublin", "D08"), ("Dublin", "D04"), ("Dublin", "D07"), ("Cork", "T12"), ("Cork", "T23"),
    ("Galway", "H91"), ("Limerick", "V94"), ("Waterford", "X91"), ("Kilkenny", "R95"),
)  # fmt: skip
