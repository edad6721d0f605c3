"""Who is in the demo world and what they have. Nobody and nothing here is real; addresses are of reserved domains."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.access.permissions import Role


@dataclass(frozen=True, slots=True)
class Person:
    """roles: (agency slug, role). staff_role: of the platform's own people."""

    email: str
    name: str
    roles: tuple[tuple[str, Role], ...]
    time_zone: str = "Europe/Lisbon"
    staff_role: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    slug: str
    name: str
    time_zone: str = "Europe/Lisbon"
    currency: str = "EUR"
    locale: str = "en_GB"
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    name: str
    contact_name: str
    contact_email: str
    sites: tuple[Site, ...]
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Agency:
    slug: str
    name: str
    owner: str  # e-mail
    hue: int
    time_zone: str
    currency: str
    clients: tuple[Client, ...] = field(default=())


PUBLISHER = "dramac"

PEOPLE = (
    Person("maya.okafor@studiolumen.example", "Maya Okafor", (("studio-lumen", Role.OWNER),)),
    Person("tomas.ferreira@studiolumen.example", "Tomás Ferreira", (("studio-lumen", Role.ADMIN),)),
    Person("priya.nair@studiolumen.example", "Priya Nair", (("studio-lumen", Role.DEVELOPER),)),
    Person("jonas.weber@studiolumen.example", "Jonas Weber", (("studio-lumen", Role.MEMBER),), "Europe/Berlin"),
    Person("elif.kaya@studiolumen.example", "Elif Kaya", (("studio-lumen", Role.VIEWER),)),
    Person("callum.reid@northbeam.example", "Callum Reid", (("northbeam-web", Role.OWNER),), "Europe/London"),
    Person("hannah.price@northbeam.example", "Hannah Price", (("northbeam-web", Role.DEVELOPER),), "Europe/London"),
    Person("dev.patel@northbeam.example", "Dev Patel", (("northbeam-web", Role.MEMBER),), "Europe/London"),
    Person(
        "nadia@rossi.example",
        "Nadia Rossi",
        (("northbeam-web", Role.DEVELOPER), ("studio-lumen", Role.MEMBER)),
        "Europe/Rome",
    ),
    Person("ines.duarte@dramac.example", "Inês Duarte", ((PUBLISHER, Role.OWNER),), "Europe/Lisbon", "administrator"),
    Person("sam.reyes@dramac.example", "Sam Reyes", ((PUBLISHER, Role.MEMBER),), "Europe/London", "support"),
)

AGENCIES = (
    Agency("dramac", "Dramac", "ines.duarte@dramac.example", 1, "Europe/Lisbon", "EUR"),
    Agency(
        "studio-lumen",
        "Studio Lumen",
        "maya.okafor@studiolumen.example",
        4,
        "Europe/Lisbon",
        "EUR",
        (
            Client(
                "Harbour Dental Group",
                "Dr. Sofia Mendes",
                "sofia.mendes@harbourdental.example",
                (Site("harbour-dental", "Harbour Dental"), Site("harbour-kids", "Harbour Kids")),
                "Two practices in Cascais. Wants every new patient answered the same day.",
            ),
            Client(
                "Quinta da Oliveira",
                "Rui Oliveira",
                "rui@quintadaoliveira.example",
                (Site("quinta-da-oliveira", "Quinta da Oliveira"),),
                "Winery and guest house. Tastings are booked by hand so far.",
            ),
            Client(
                "Alma Yoga",
                "Clara Bastos",
                "clara@almayoga.example",
                (Site("alma-yoga", "Alma Yoga", "Europe/Madrid"),),
            ),
            Client(
                "Casa Verde Hotels",
                "Luísa Prado",
                "luisa.prado@casaverde.example",
                (
                    Site("casa-verde-porto", "Casa Verde Porto"),
                    Site("casa-verde-sao-paulo", "Casa Verde São Paulo", "America/Sao_Paulo", "BRL"),
                    Site("casa-verde-2024", "Casa Verde campaign 2024", archived=True),
                ),
            ),
        ),
    ),
    Agency(
        "northbeam-web",
        "Northbeam Web",
        "callum.reid@northbeam.example",
        7,
        "Europe/London",
        "GBP",
        (
            Client(
                "Pennine Cycles",
                "Ruth Hargreaves",
                "ruth@penninecycles.example",
                (
                    Site("pennine-cycles", "Pennine Cycles", "Europe/London", "GBP"),
                    Site("pennine-cycles-us", "Pennine Cycles USA", "America/New_York", "USD", "en_US"),
                ),
            ),
            Client(
                "Aldergate Solicitors",
                "James Whitlock",
                "j.whitlock@aldergate.example",
                (Site("aldergate", "Aldergate Solicitors", "Europe/London", "GBP"),),
                "Regulated: nothing but the contact form may keep personal data.",
            ),
        ),
    ),
)

AGENCY_OF = {site.slug: agency.slug for agency in AGENCIES for client in agency.clients for site in client.sites}
"""The agency of each site, by their slugs."""
