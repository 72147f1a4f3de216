#!/usr/bin/env python3
"""usage: render_plots.py DIR [--scale N]

Draws every DIR/NAME.vl.json (written by `upbench report STORE --plots DIR`) as NAME.svg, NAME.png and NAME.pdf. Run it with the environment's python
(~/.cache/upbench/env-*/bin/python). A plot that cannot be drawn is named on stderr, the others are drawn, and the exit code is 1.
"""
import argparse
import json
import pathlib
import re
import sys


def renumbered(svg: str) -> str:
    """Ids count up over the life of the process; from 0 in each file, its bytes do not depend on the plots before it."""
    names: dict[str, str] = {}
    for prefix, number in re.findall(r'id="(clip|gradient_)(\d+)"', svg):
        names.setdefault(prefix + number, f"{prefix}{sum(name.startswith(prefix) for name in names)}")
    pattern = r'(id="|url\(#)((?:clip|gradient_)\d+)(?=["\)])'
    return re.sub(pattern, lambda match: match[1] + names.get(match[2], match[2]), svg)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--scale", type=float, default=2, help="pixels of the PNG per unit of the plot (default 2)")
    options = parser.parse_args()
    specs = sorted(options.directory.glob("*.vl.json"))
    if not specs:
        print(f"render_plots: no *.vl.json in {options.directory}", file=sys.stderr)
        return 2
    import vl_convert

    config = {"background": "white"}
    failed = False
    for path in specs:
        stem = path.name.removesuffix(".vl.json")
        try:
            spec = json.loads(path.read_text(encoding="utf-8"))
            # No base URL: a spec that wants data from elsewhere is an error, not an empty plot.
            svg = renumbered(vl_convert.vegalite_to_svg(spec, vl_version="6.4", config=config, allowed_base_urls=[]))
            png, pdf = vl_convert.svg_to_png(svg, scale=options.scale), vl_convert.svg_to_pdf(svg)
        except ValueError as error:
            print(f"render_plots: {path}: {' '.join(str(error).splitlines()[:2])}", file=sys.stderr)  # below them a script's stack
            failed = True
            continue
        path.with_name(stem + ".svg").write_text(svg, encoding="utf-8")
        path.with_name(stem + ".png").write_bytes(png)
        path.with_name(stem + ".pdf").write_bytes(pdf)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
