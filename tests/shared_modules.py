"""Pages with all that the live figures' shared modules export, in `window.lib`."""

import base64
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page
from static_server import serving

from vae_lib.live import source

SHARED = sorted((source.FOLDER / "shared").glob("*.js"))

IMPORT = """async () => {
  const names = %s;
  const modules = await Promise.all(names.map((name) => import(`/shared/${name}.js`)));
  window.lib = Object.assign({}, ...modules);
  lib.restore = ({ dtype, shape, data }) => {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    return { dtype, shape, data: new DataView(bytes.buffer) };
  };
  lib.show = (build, state = {}, name = "A figure", description = "What it is.") => {
    const values = { name, description, state };
    const el = document.createElement("div");
    document.querySelector("main").append(el);
    return [el, lib.live(build).render({ model: { get: (key) => values[key] }, el })];
  };
}"""
PAGE = f"""<!doctype html><html lang="en"><title>Test</title><style>
html[data-theme=dark] {{ --pst-color-text-base: rgb(220, 223, 227); }}
{source.STYLE}</style><main></main></html>"""


@pytest.fixture(scope="session")
def modules(chromium_path: str) -> Iterator[str]:
    """Where the scripts are served, as the ES modules that they are."""
    with serving(source.FOLDER, {"Cache-Control": "max-age=3600"}) as address:
        yield address


@pytest.fixture
def lib(borrow_page: Callable[..., Page], modules: str) -> Callable[..., Page]:
    """A function that opens such a page, with options as for `open_page`."""

    def open_lib(**options) -> Page:
        page = borrow_page(origins=(modules,), **options)
        if not hasattr(page, "has_route"):
            page.route(f"{modules}/", lambda r: r.fulfill(body=PAGE, content_type="text/html"))
            page.has_route = True
        page.goto(f"{modules}/")
        page.evaluate(IMPORT % [path.stem for path in SHARED])
        return page

    return open_lib


def as_json(packed):
    """What `pack` or `pack_network` made, for a page that is not a widget's."""
    if isinstance(packed, bytes):
        return base64.b64encode(packed).decode()
    if isinstance(packed, dict):
        return {key: as_json(value) for key, value in packed.items()}
    return [as_json(value) for value in packed] if isinstance(packed, list) else packed
