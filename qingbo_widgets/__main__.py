"""The command line: ``python -m qingbo_widgets`` with ``demo``, ``publish`` or ``sandbox``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from qingbo_widgets.sandbox.contracts import CONTRACTS
from qingbo_widgets.system.console import accept_any_text


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port; use 0 to 65535")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0; try 10")
    return speed


def _contract(text: str) -> str:
    if text not in CONTRACTS:
        raise argparse.ArgumentTypeError(f"{text} is not a known contract; use {' or '.join(CONTRACTS)}")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m qingbo_widgets", description="AI video generation inside a Jupyter notebook."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="demo | publish | sandbox")

    demo = commands.add_parser(
        "demo",
        help="run the quickstart notebook, then open it in JupyterLab",
        description="Run the quickstart notebook in the folder demo/, then open it in JupyterLab.",
    )
    demo.add_argument("--once", action="store_true", help="stop after the notebook has run (or set ONCE=1)")
    demo.add_argument(
        "--folder", default="demo", help="the folder for the notebooks and the videos (%(default)s)"
    )
    demo.add_argument(
        "--contract",
        type=_contract,
        default=os.environ.get("CONTRACT") or None,
        help="the service's contract that the notebooks use, by date (or set CONTRACT=2026-11)",
    )

    _add_publish(
        commands.add_parser(
            "publish",
            help="make HTML pages of notebooks, with the videos that they show",
            usage="%(prog)s [-h] NOTEBOOK... --to FOLDER [--execute]\n"
            "       %(prog)s [-h] --built FOLDER [--source FOLDER]",
            description="Make a folder with pages of notebooks and the videos in them, or complete the "
            "pages that Quarto, MkDocs or another program has made.",
        )
    )

    sandbox = commands.add_parser(
        "sandbox",
        help="run the sandbox, a local server that stands in for the service",
        description="Run the sandbox until Ctrl-C. It responds like the service and draws simple videos.",
    )
    sandbox.add_argument(
        "--port", type=_port, default=8765, help="the port; 0 picks a free one (%(default)s)"
    )
    sandbox.add_argument(
        "--speed", type=_speed, default=1.0, help="the speed; 2 is twice as fast (%(default)s)"
    )
    sandbox.add_argument(
        "--api-key", default=None, help="the key that clients must send (default: a random one)"
    )
    sandbox.add_argument(
        "--contract",
        choices=CONTRACTS,
        default=CONTRACTS[0],
        help="the service's contract to implement, by date (%(default)s)",
    )
    return parser


def _add_publish(publish: argparse.ArgumentParser) -> None:
    """Add the options of the command ``publish``; the usage is that of ``_publish`` for both its forms."""
    publish.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="a notebook (.ipynb)")
    publish.add_argument("--to", type=Path, metavar="FOLDER", help="the folder for the pages and the videos")
    publish.add_argument(
        "--execute",
        action="store_true",
        help="run the notebooks first; what they submit to the service is charged",
    )
    publish.add_argument(
        "--built", type=Path, metavar="FOLDER", help="the folder of pages that another program has made"
    )
    publish.add_argument(
        "--source",
        type=Path,
        metavar="FOLDER",
        help="the folder of their notebooks (default: the working directory)",
    )
    publish.set_defaults(refuse=publish.error)


def _publish(options: argparse.Namespace) -> int:
    completes = options.built is not None
    makes = bool(options.notebooks and options.to)
    is_mixed = completes and (options.notebooks or options.to or options.execute)
    if makes == completes or is_mixed or (makes and options.source):
        options.refuse("give notebooks and --to, or --built")
    from qingbo_widgets.publishing.command import complete_built, publish

    if makes:
        return publish(options.notebooks, options.to, execute=options.execute)
    return complete_built(options.built, options.source or Path())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the command-line arguments; ``sys.argv[1:]`` by default.

    Returns:
        The exit status.
    """
    accept_any_text()
    options = _parser().parse_args(arguments)
    try:
        if options.command == "sandbox":
            from qingbo_widgets.sandbox.server import serve

            try:
                serve(options.port, options.speed, options.api_key, options.contract)
            except OSError as error:  # the port is taken or not permitted
                print(error.strerror or error, file=sys.stderr)
                return 1
            return 0

        if options.command == "publish":
            return _publish(options)

        from qingbo_widgets import demo

        once = options.once or os.environ.get("ONCE", "0").lower() in ("1", "true", "yes")
        return demo.main(once=once, folder=options.folder, contract=options.contract)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("qingbo_widgets"):
            raise
        print(
            f"{error.name} is not installed; '{options.command}' needs it. "
            f'Install with: pip install "qingbo_widgets[{options.command}]"',
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
