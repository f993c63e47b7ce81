"""A bundle as one file to share: packed, unpacked, verified."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.console import AsJson, BundleOut, app, outside_models, print_result, refuse_folder
from core.errors import UsageError

if TYPE_CHECKING:
    from models.bundle import Bundle

bundle_app = typer.Typer(help="Pack a bundle into one file, unpack it, or verify it.", no_args_is_help=True)
app.add_typer(bundle_app, name="bundle")
Signer = Annotated[Path | None, typer.Option(help="PEM file of the public key that must have signed it.")]


@bundle_app.command()
def pack(
    folder: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    out: Annotated[Path, typer.Option("--out", help="ZIP file to write.", callback=outside_models)],
    sign: Annotated[Path | None, typer.Option(help="PEM file of an Ed25519 private key.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the file that is at --out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a bundle with its backbone into one file."""
    from core.training.bundle.package import pack_bundle  # noqa: PLC0415

    refuse_folder("--out", out)
    if out.exists() and not replace:
        raise UsageError(f"{out.name} is there already: give --replace to replace it, or another file.")
    print_result(_describe(pack_bundle(folder, out, key=sign), is_signed=sign is not None), as_json, _summarise)


@bundle_app.command()
def unpack(
    package: Annotated[Path, typer.Argument(help="ZIP file of a bundle.")],
    out: BundleOut,
    signer: Signer = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the bundle that lies in --out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Verify a packed bundle and put it into a folder."""
    from core.training.bundle.package import unpack_bundle  # noqa: PLC0415

    bundle = unpack_bundle(package, out, signer=signer, replace=replace)
    print_result(_describe(bundle, is_signed=signer is not None), as_json, _summarise)


@bundle_app.command()
def verify(
    source: Annotated[Path, typer.Argument(help="Folder or ZIP file of a bundle.")],
    signer: Signer = None,
    as_json: AsJson = False,
) -> None:
    """Verify every file of a bundle by its hash, and its signature where --signer is given."""
    from core.training.bundle.package import verify_bundle  # noqa: PLC0415

    bundle, is_signed = verify_bundle(source, signer=signer)
    print_result(_describe(bundle, is_signed=is_signed), as_json, _summarise)


def _describe(bundle: "Bundle", *, is_signed: bool) -> dict[str, object]:
    kinds = {"simulated": bundle.is_simulated, "few": bundle.is_few}
    return {"name": bundle.name, "sha256": bundle.sha256, "signed": is_signed, **kinds}


def _summarise(data: dict[str, object]) -> str:
    kind = "trained on simulated patients" if data["simulated"] else "trained on patients"
    kind += " (too few: for trying out only)" if data["few"] else ""
    signed = "signed" if data["signed"] else "not signed"
    return f"{data['name']}, {kind}, is whole; {signed}. sha256 {data['sha256']}"
