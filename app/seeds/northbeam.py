"""What visitors of Northbeam Web's site have written over the last weeks."""

from __future__ import annotations

from app.seeds.earlier import VERSION
from app.seeds.inbox import Inbox, Said, given

DEV, CALLUM = "dev.patel@northbeam.example", "callum.reid@northbeam.example"

ALDERGATE = Inbox(
    site="aldergate",
    version=VERSION,
    settings={
        "notify_to": "enquiries@aldergate.example",
        "reply_to": "enquiries@aldergate.example",
        "accent": "#1e3a8a",
        "privacy_url": "https://aldergate.example/privacy",
    },
    forms=(
        (
            {
                "name": "First conversation",
                "key": "contact",
                "heading": "Ask for a first conversation",
                "intro": "Twenty minutes by telephone, free of charge. Please send no documents yet.",
                "ask_phone": True,
            },
            (
                {
                    "label": "Area of law",
                    "key": "area",
                    "kind": "choice",
                    "options": ["Employment", "Property", "Family", "Wills", "Other"],
                    "required": True,
                    "position": 1,
                },
                {
                    "label": "I have read how you use my data",
                    "key": "agreed",
                    "kind": "checkbox",
                    "required": True,
                    "position": 2,
                },
            ),
        ),
    ),
    said=(
        Said(
            28,
            10,
            "Margaret Boyle",
            "m.boyle@example.com",
            "I want to change my will after the birth of a grandchild.",
            answers={"area": "Wills", "agreed": True},
            change=given(DEV, "closed"),
            more={"heard_from": "A friend"},
        ),
        Said(
            23,
            13,
            "Adeel Hussain",
            "adeel.h@example.com",
            "My employer wants me to sign a settlement agreement by Friday.",
            phone="+441134960101",
            answers={"area": "Employment", "agreed": True},
            change=given(CALLUM, "closed", priority="high"),
            more={"heard_from": "The Law Society directory"},
        ),
        Said(
            20,
            16,
            "Kirsty MacLeod",
            "kirsty.macleod@example.com",
            "Buying a flat with a short lease. What should we look out for?",
            answers={"area": "Property", "agreed": True},
            change=given(DEV, "closed"),
        ),
        Said(
            17,
            9,
            "Graham Pugh",
            "g.pugh@example.com",
            "Boundary dispute with a neighbour over a hedge.",
            answers={"area": "Property", "agreed": True},
            change=given(DEV, "closed"),
            more={"heard_from": "Yorkshire Post"},
        ),
        Said(
            15,
            18,
            "Best Law Leads",
            "sales@example.net",
            "Get 50 qualified leads every month.",
            answers={"area": "Other", "agreed": True},
            change={"status": "spam"},
        ),
        Said(
            12,
            11,
            "Chloe Simmonds",
            "chloe.simmonds@example.com",
            "I was dismissed while on maternity leave.",
            phone="+441134960102",
            answers={"area": "Employment", "agreed": True},
            change=given(CALLUM, "waiting", priority="high", note="She is collecting the letters."),
            more={"heard_from": "A friend"},
        ),
        Said(
            8,
            12,
            "Peter Ashworth",
            "peter.ashworth@example.com",
            "Lasting power of attorney for my mother, who lives in Harrogate.",
            answers={"area": "Wills", "agreed": True},
            change=given(DEV, "open"),
        ),
        Said(
            5,
            15,
            "Zara Ahmed",
            "zara.ahmed@example.com",
            "We want to part amicably and need advice about the house.",
            answers={"area": "Family", "agreed": True},
            change=given(DEV, "open"),
        ),
        Said(
            3,
            10,
            "Owen Davies",
            "owen.davies@example.com",
            "Do you act for tenants' associations?",
            answers={"area": "Other", "agreed": True},
            more={"heard_from": "Search engine"},
        ),
        Said(
            1,
            17,
            "Isla Thomson",
            "isla.thomson@example.com",
            "Completion was due yesterday and the seller does not answer.",
            phone="+441134960103",
            answers={"area": "Property", "agreed": True},
            change={"priority": "high"},
        ),
    ),
)
