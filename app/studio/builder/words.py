"""What the parts of a manifest are called on screen."""

from __future__ import annotations

TYPES: dict[str, dict[str, str]] = {
    "Text": {
        "text": "Text", "richtext": "Formatted text", "email": "E-mail address", "phone": "Telephone number",
        "url": "Web address", "slug": "Part of an address", "tags": "Tags",
    },
    "Numbers": {
        "integer": "Whole number", "decimal": "Number with decimals", "money": "Money", "percent": "Percentage",
        "rating": "Stars", "number": "Numbered series",
    },
    "Choice": {"boolean": "Yes or no", "enum": "One of a list", "color": "Colour"},
    "Time": {
        "date": "Date", "time": "Time of day", "datetime": "Date and time", "duration": "Length of time",
        "hours": "Opening hours", "rrule": "Repetition",
    },
    "Links": {"ref": "A record of another table", "refs": "Several records of another table", "user": "A member of the agency"},
    "Computed": {"formula": "Formula", "rollup": "Sum or count of records"},
    "Files and places": {"file": "File", "files": "Several files", "address": "Postal address", "geo": "Place on a map"},
    "For functions": {"json": "JSON", "secret": "Secret"},
}  # fmt: skip
"""{group: {type: words}}, every type of the manifest."""

TYPE_WORDS = {name: words for group in TYPES.values() for name, words in group.items()}

SETTING_TYPES = {
    "text": "Text", "number": "Number", "range": "Slider", "boolean": "On or off", "enum": "One of a list", "color": "Colour",
    "money": "Money", "secret": "Secret", "hours": "Opening hours", "user": "A member of the agency", "page": "A page of the site",
    "module": "Another module", "repeater": "A list of rows",
}  # fmt: skip

VIEW_TYPES = {
    "list": "List", "board": "Board", "calendar": "Calendar", "detail": "One record", "form": "Form", "dashboard": "Dashboard",
    "report": "Report", "gallery": "Gallery", "timeline": "Timeline", "resources": "Day by person or room", "tree": "Tree",
    "map": "Map", "inbox": "List beside the record",
}  # fmt: skip

CARD_TYPES = {
    "number": "One figure", "line": "A line over time", "bar": "Bars by group", "list": "Short list", "table": "Short table",
    "funnel": "Funnel",
}  # fmt: skip

KEYS = {
    "accept": "Sorts of files", "as": "The result is", "at": "Place", "bulk": "Acts on a selection", "by": "By",
    "card": "On a card", "color": "Colour from", "columns": "Columns", "currency": "Currency from", "default": "Default",
    "digits": "Digits", "export": "Export", "expr": "Formula", "fields": "Fields", "filters": "Filters", "fn": "What to compute",
    "from": "From", "group": "Groups", "help": "Help", "image": "Picture", "import": "Import", "inherit": "May be inherited",
    "label": "Label", "limit": "Most records", "lock": "May be locked", "main": "Main column", "max": "Most",
    "max_mb": "Largest, MiB",
    "metrics": "Figures", "min": "Least", "multiline": "Several lines", "of": "Records of",
    "on_delete": "When that record is deleted",
    "options": "Options", "parent": "Is below", "per": "Start again every", "pii": "Personal data", "prefix": "Before the digits",
    "private": "Staff only", "required": "Required", "scale": "Decimals", "search": "Search", "side": "Side column",
    "sort": "Sorted by", "start": "First number", "step": "Steps of", "sum": "Added up", "table": "Table", "test": "Tried out by",
    "to": "To", "unique": "Unique", "unit": "Unit", "via": "By the field",
    "visible_if": "Shown only if", "where": "Only records where",
    "chart": "Chart", "number": "Figure", "line": "Figure", "bar": "Figure", "list": "Fields", "funnel": "Steps of",
}  # fmt: skip

CHOICES = {
    "restrict": "Refuse the deletion", "cascade": "Delete this one too", "set_null": "Empty this field", "year": "Year",
    "month": "Month", "count": "Count", "sum": "Sum", "avg": "Average", "min": "Least", "max": "Most", "csv": "CSV",
    "line": "Line", "bar": "Bars", "assign": "Assign", "tag": "Tag", "edit": "Edit", "delete": "Delete", "export": "Export",
    "image": "Images", "pdf": "PDFs", "document": "Documents", "audio": "Audio", "video": "Video", "any": "Any",
    "read": "Read", "create": "Create", "update": "Change",
}  # fmt: skip

OPERATORS = {
    "eq": "is", "ne": "is not", "gt": "is more than", "gte": "is at least", "lt": "is less than", "lte": "is at most",
    "in": "is one of", "nin": "is none of", "contains": "contains", "starts": "begins with", "empty": "is empty",
    "not_empty": "has a value",
}  # fmt: skip


def in_words(name: str) -> str:
    """A name as a heading: first_name is First name."""
    return name.replace("_", " ").replace("-", " ").strip().capitalize()
