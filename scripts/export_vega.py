#!/usr/bin/env python3
"""usage: export_vega.py OUT_DIR

Writes OUT_DIR/vega.bundle.js: Vega, Vega-Lite and vega-embed as one classic script for the report page, taken from the vl-convert wheel of the
environment (no network). Fails if the bundle is not the pinned one.
"""
import hashlib
import os
import pathlib
import sys

VEGA_LITE = "6.4"
SHA256 = "3425bd951a44d478d0505c6b5d1e8d57656b6e9a4da7bfe88a718ce61d76e572"  # vl-convert-python 1.9.0.post1


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    import vl_convert

    bundle = vl_convert.javascript_bundle(vl_version=VEGA_LITE)
    found = hashlib.sha256(bundle.encode()).hexdigest()
    if found != SHA256:
        print(f"export_vega: bundle has SHA-256 {found}, expected {SHA256}", file=sys.stderr)
        return 1
    # The bundle is module text: without a function around it its top-level names would become globals of the page.
    text = '(()=>{"use strict";\n' + bundle + "\n})();\n"
    if "</script" in text or "<!--" in text:
        print("export_vega: the bundle would end its own script element", file=sys.stderr)
        return 1
    target = pathlib.Path(sys.argv[1]) / "vega.bundle.js"
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
