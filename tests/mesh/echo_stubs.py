"""The stubs of the test contract, made when the tests start; nothing generated is kept."""

import atexit
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from grpc_tools import protoc

_HERE = Path(__file__).parent
_PROTOSET = _HERE.parents[1] / "protos" / "staymesh.protoset"
_folder = tempfile.mkdtemp(prefix="staymesh-stubs-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)

if protoc.main(
    [
        "protoc",
        f"-I{_HERE / 'protos'}",
        f"--descriptor_set_in={_PROTOSET}",
        f"--python_out={_folder}",
        f"--grpc_python_out={_folder}",
        "staymesh/testing/v1/testing.proto",
    ]
):
    raise RuntimeError("protoc refused the contract of the mesh tests")
sys.path.append(_folder)

pb = import_module("staymesh.testing.v1.testing_pb2")
rpc = import_module("staymesh.testing.v1.testing_pb2_grpc")
SERVICE = "staymesh.testing.v1.EchoService"
