"""What a chapter's opening says of its length, which several of its readers look for."""

import re

# The numbers are bold in a notebook, and no longer marked in a page's text.
MINUTES = re.compile(r"(\d+) minutes for (?:a first reading, (\d+) for )?all of it")


def in_minutes(text: str) -> str:
    """How long a chapter takes, in a few words; nothing where the text does not say it."""
    found = MINUTES.search(text.replace("*", ""))
    if found is None:
        return ""
    first, all_of_it = found.groups()
    return f"{first} minutes, or {all_of_it} for all of it" if all_of_it else f"{first} minutes"
