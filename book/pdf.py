"""The whole book as one PDF, made by a Chromium from the built site.

    python book/pdf.py [--output FILE]

Builds the site first where it is not up to date. The environment variable VAE_BOOK_BROWSER names
another browser than the first Chromium on the path, and VAE_BOOK_DATASET another data set than the
book's own, with a site and a PDF in a folder of their own.
"""

from __future__ import annotations

import argparse
import mimetypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from one_document import one_document
from records import DATASET, built_in

ROOT = Path(__file__).resolve().parents[1]
# The first is the same browser without the parts that make windows, and a fifth faster.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
VARIABLE = "VAE_BOOK_BROWSER"
ADDRESS = "http://book.invalid"  # never asked for: what is under it comes from the disk
PATIENCE = 600_000  # ms, for thousands of formulas
NO_BROWSER = (
    "No PDF was made: there is no Chromium on the path, and it takes one to print the book. "
    f"Install chromium or google-chrome, or name its program in {VARIABLE}."
)
FOOTER = (
    '<div style="font: 8pt sans-serif; width: 100%; text-align: center;">'
    '<span class="pageNumber"></span></div>'
)
READY = """async () => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => {
    image.loading = "eager";
    return image.decode().catch(() => {});
  }));
}"""
FILL_IN = """(numbers) => {
  for (const place of document.querySelectorAll(".pdf-number")) {
    place.textContent = numbers[place.dataset.page] ?? "";
  }
}"""


def find_browser() -> str | None:
    """The path of a Chromium, or None where there is none."""
    named = os.environ.get(VARIABLE, "")
    programs = (named,) if named not in ("", "required") else PROGRAMS
    return next(filter(None, map(shutil.which, programs)), None)


def hand_out(route: object, document: str, site: Path) -> None:
    """Answer the browser from the site's folder; everything else is refused."""
    address = urlsplit(route.request.url)
    path = site / unquote(address.path).lstrip("/")
    if not route.request.url.startswith(ADDRESS):
        route.abort()
    elif address.path == "/":
        route.fulfill(body=document, content_type="text/html; charset=utf-8")
    elif path.is_file():
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        route.fulfill(body=path.read_bytes(), content_type=kind)
    else:
        route.fulfill(status=404, body="")


def page_numbers(pdf: bytes) -> dict[str, int]:
    """On which page each name lies that a link in the PDF leads to, counted from 1.

    Chromium writes its PDFs' pages and names as plain text.
    """
    kids = {
        int(number): [int(kid) for kid in re.findall(rb"(\d+) 0 R", listed)]
        for number, listed in re.findall(
            rb"(\d+) 0 obj\s*<<[^>]*?/Type\s*/Pages[^>]*?/Kids\s*\[([^\]]*)\]", pdf
        )
    }
    inner = {kid for listed in kids.values() for kid in listed}
    order = [root for root in kids if root not in inner]
    while any(number in kids for number in order):
        order = [leaf for number in order for leaf in kids.get(number, [number])]
    places = {number: i for i, number in enumerate(order, start=1)}
    names = re.findall(rb"/([\w#.-]+)\s*\[(\d+) 0 R /XYZ", pdf)
    return {name.decode(): places[int(page)] for name, page in names if int(page) in places}


def printed(document: str, site: Path, browser: str) -> bytes:
    """The document on paper: once to learn where its pages lie, and once with their numbers."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page()
        page.set_default_timeout(PATIENCE)
        page.route("**/*", lambda route: hand_out(route, document, site))
        page.goto(f"{ADDRESS}/", timeout=PATIENCE)
        page.evaluate(READY)
        options = {
            "display_header_footer": True,
            "header_template": "<span></span>",
            "footer_template": FOOTER,
            "prefer_css_page_size": True,
            "print_background": True,
            "outline": True,
            "tagged": True,
        }
        numbers = page_numbers(page.pdf(**options))
        page.evaluate(FILL_IN, numbers)
        result = page.pdf(**options)
        chromium.close()
    return result


def make_pdf(root: Path, site: Path, output: Path) -> bool:
    """Print the site into one file; False, and a sentence, where nothing can print it."""
    browser = find_browser()
    if browser is None:
        print(NO_BROWSER, file=sys.stderr)
        return False
    print("printing the book (this takes a minute or two)", flush=True)
    content = printed(one_document(root, site), site, browser)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(content)
    print(f"The book is printed: {output} ({len(content) / 2**20:.1f} MiB)", flush=True)
    return True


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    built = built_in(ROOT, os.environ.get(DATASET, ""))
    parser.add_argument("--output", type=Path, default=built / "book.pdf")
    parser.add_argument("--root", type=Path, default=ROOT, help="the book's folder")
    parser.add_argument("--site", type=Path, help="a site that is built already")
    options = parser.parse_args(arguments)
    if find_browser() is None:
        print(NO_BROWSER, file=sys.stderr)
        return 0  # what was asked for cannot be had here, and nothing went wrong
    if options.site is None:
        built = subprocess.run([sys.executable, str(ROOT / "book" / "build.py")])
        if built.returncode:
            return built.returncode
    make_pdf(options.root, options.site or built / "html", options.output.resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
