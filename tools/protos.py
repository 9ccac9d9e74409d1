"""Make the committed stubs and descriptor sets from the protos, and prove that they match.

python tools/protos.py gen       write stubs and descriptor sets into protos/
python tools/protos.py check     fail if what is committed is not what the protos give
python tools/protos.py lint      buf lint, and buf breaking against the last release
python tools/protos.py release   make today's contracts the ones that may not break
"""

import argparse
import filecmp
import inspect
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import grpc_tools
from google.api import http_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from protovalidate._gen.buf.validate import validate_pb

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
BIN = Path(sys.executable).parent
# Everything a client needs to speak to the mesh without our code: ghz, grpcurl, Envoy.
PROTOSET = "staymesh.protoset"
# The contracts of the last release, which `lint` compares with.
RELEASED = PROTOS / "released.protoset"


def _sources() -> list[str]:
    return sorted(str(p.relative_to(PROTOS)) for p in PROTOS.glob("staymesh/**/*.proto"))


def _validate_set(folder: Path) -> Path:
    """Write protovalidate's own contract as a descriptor set; its wheel ships no .proto."""
    pool = descriptor_pool.Default()
    wanted = descriptor_pb2.FileDescriptorSet()
    for name in ("descriptor", "duration", "timestamp", "field_mask"):
        __import__(f"google.protobuf.{name}_pb2")
        pool.FindFileByName(f"google/protobuf/{name}.proto").CopyToProto(wanted.file.add())
    wanted.file.add().ParseFromString(validate_pb._DESC.proto.to_binary())
    path = folder / "validate.protoset"
    path.write_bytes(wanted.SerializeToString())
    return path


def _protoc(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", *arguments]
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit("protos: protoc refused the protos; its reason is above")


def _generate(out: Path) -> None:
    """Write every stub and descriptor set below `out`."""
    with tempfile.TemporaryDirectory() as scratch:
        validate = _validate_set(Path(scratch))
        includes = [
            f"-I{PROTOS}",
            f"-I{files(grpc_tools) / '_proto'}",
            # googleapis-common-protos keeps its .proto files beside its stubs.
            f"-I{Path(inspect.getfile(http_pb2)).parents[2]}",
        ]
        plugins = [
            f"--plugin=protoc-gen-{p}={BIN / f'protoc-gen-{p}'}" for p in ("mypy", "mypy_grpc")
        ]
        outputs = [f"--{kind}_out={out}" for kind in ("python", "grpc_python")]
        outputs += [f"--{kind}_out=quiet:{out}" for kind in ("mypy", "mypy_grpc")]
        _protoc([*includes, f"--descriptor_set_in={validate}", *plugins, *outputs, *_sources()])
        _protoc(
            [
                *includes,
                f"--descriptor_set_in={validate}",
                "--include_imports",
                "--include_source_info",
                f"--descriptor_set_out={out / PROTOSET}",
                *_sources(),
                # What errors carry; Envoy can only write details as JSON that it finds here.
                "google/rpc/error_details.proto",
            ]
        )
        _protoc(
            [
                f"--descriptor_set_in={validate}",
                f"--python_out={out}",
                plugins[0],
                f"--mypy_out=quiet:{out}",
                "buf/validate/validate.proto",
            ]
        )


def gen() -> None:
    """Write stubs and descriptor sets into protos/."""
    for stale in [*PROTOS.glob("**/*_pb2*.py"), *PROTOS.glob("**/*_pb2*.pyi")]:
        stale.unlink()
    _generate(PROTOS)


def check() -> None:
    """Raise SystemExit if a committed stub is not what the protos generate."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        _generate(out)
        made = {p.relative_to(out) for p in out.rglob("*") if p.is_file()}
        kept = {
            p.relative_to(PROTOS) for g in ("**/*_pb2*.py", "**/*_pb2*.pyi") for p in PROTOS.glob(g)
        }
        kept.add(Path(PROTOSET))
        wrong = sorted(
            str(p)
            for p in made | kept
            if p not in made
            or not (PROTOS / p).exists()
            or not filecmp.cmp(out / p, PROTOS / p, shallow=False)
        )
    if wrong:
        raise SystemExit(
            f"protos: not what the protos generate: {', '.join(wrong)}; run `make gen`"
        )
    print(f"protos: {len(made)} generated files match")


def lint() -> None:
    """Raise SystemExit if the contracts break buf's rules or the last release."""
    image = f"{PROTOS / PROTOSET}#format=binpb"
    config = str(PROTOS / "buf.yaml")
    for arguments in (
        ["lint", image, "--config", config],
        ["breaking", image, "--config", config, "--against", f"{RELEASED}#format=binpb"],
    ):
        if subprocess.run([str(BIN / "buf"), *arguments], check=False).returncode != 0:
            raise SystemExit(f"protos: buf {arguments[0]} found the faults above")
    print("protos: buf lint and breaking are content")


def release() -> None:
    """Make today's contracts the ones that may not break."""
    RELEASED.write_bytes((PROTOS / PROTOSET).read_bytes())


def main() -> None:
    """Run one of the verbs."""
    verbs = {"gen": gen, "check": check, "lint": lint, "release": release}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=verbs)
    verbs[parser.parse_args().verb]()


if __name__ == "__main__":
    main()
