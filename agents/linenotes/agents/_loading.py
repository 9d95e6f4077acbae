"""From a name to a graph: how an agent is found, imported and built.

An agent is named in `[tool.linenotes.agents]` or in langgraph.json, is one of those that
linenotes ships, or is given as `module:attr` or `path.py:attr`. The attribute is a compiled
graph, a StateGraph, or a function that returns one of them.
"""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, cast

from linenotes.agents._in_force import watch_reads
from linenotes.project import (
    AgentError,
    AgentSettings,
    LinenotesError,
    Project,
    find_code,
    import_code,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import ModuleType
    from typing import Any

    from langgraph.graph.state import CompiledStateGraph

_DESK = "linenotes.agents.support_desk"
SHIPPED = {
    "support_desk": AgentSettings(
        graph=f"{_DESK}:build",
        baseline="nearest_neighbour",
        dataset="support-desk",
        split="test",
        scorers=(f"{_DESK}:team_correct", f"{_DESK}:intent_correct"),
    ),
    "nearest_neighbour": AgentSettings(
        graph=f"{_DESK}:nearest_neighbour",
        dataset="support-desk",
        split="test",
        scorers=(f"{_DESK}:team_correct", f"{_DESK}:intent_correct"),
    ),
}
"""The agents that come with linenotes."""

_reads_of_module: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True)
class Agent:
    """A graph that can be built, and where it comes from."""

    name: str
    settings: AgentSettings
    project: Project

    def source(self) -> Path:
        """Return the file that defines the graph.

        Raises:
            AgentError: there is no such file or module.
        """
        place, _ = _split(self.name, self.settings.graph)
        return _find(self.name, place, self.project)

    def build(self) -> CompiledStateGraph[Any, Any, Any, Any]:
        """Import the module and return the compiled graph.

        A `path.py` is executed anew for each build, so that what it reads at import is read for
        the version in force.

        Raises:
            AgentError: the module does not import, or the attribute does not give a graph.
        """
        module, attribute = self._load()
        if not hasattr(module, attribute):
            graphs = sorted(name for name, value in vars(module).items() if _is_graph(value))
            hint = f" It has {', '.join(graphs)}." if graphs else ""
            raise AgentError(f"{self.source()} has no {attribute!r}.{hint} Name what is there.")
        return _compiled(self.name, getattr(module, attribute))

    def reads_at_import(self) -> tuple[str, ...]:
        """Return what an imported module read for all versions at once, such as a prompt."""
        place, _ = _split(self.name, self.settings.graph)
        return _reads_of_module.get(place, ())

    def _load(self) -> tuple[ModuleType, str]:
        place, attribute = _split(self.name, self.settings.graph)
        source = self.source()
        try:
            return _import(place, self.project), attribute
        except LinenotesError:
            raise
        except (Exception, SystemExit) as error:
            where = _last_line_in(source, error)
            raise AgentError(
                f"Agent {self.name!r} does not import: {type(error).__name__}: {error} "
                f"({where}). Mend the module, or install what it needs."
            ) from error


def load_agent(spec: str, project: Project) -> Agent:
    """Return the agent that `spec` names; it is imported when it is built.

    Raises:
        AgentError: nothing has that name.
    """
    known = {**SHIPPED, **project.settings.agents}
    if spec in known:
        return Agent(name=spec, settings=known[spec], project=project)
    if ":" in spec:
        settings = AgentSettings(graph=spec)
        agent = Agent(name=_name_of(spec), settings=settings, project=project)
        agent.source()
        return agent
    near = get_close_matches(spec, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"The agents are {', '.join(sorted(known))}."
    raise AgentError(
        f"There is no agent {spec!r}. {hint} A graph of your own is written path.py:attr."
    )


def _split(name: str, graph: str) -> tuple[str, str]:
    place, _, attribute = graph.rpartition(":")
    if not place or not attribute.isidentifier():
        raise AgentError(f"Agent {name!r}: {graph!r} is not module:attr or path.py:attr.")
    return place, attribute


def _name_of(spec: str) -> str:
    """`app.py:graph` is called `app`, `app.py:planner` is called `planner`."""
    place, _, attribute = spec.rpartition(":")
    generic = {"graph", "agent", "app", "build", "workflow", "make_graph"}
    return Path(place).stem.rpartition(".")[2] if attribute in generic else attribute


def _find(name: str, place: str, project: Project) -> Path:
    try:
        found = find_code(place, project)
    except (ImportError, ValueError) as error:
        raise AgentError(f"Agent {name!r}: module {place!r} is not found: {error}.") from None
    if found is not None:
        return found
    if place.endswith(".py"):
        raise AgentError(f"Agent {name!r}: there is no file {place!r} in {project.root}.")
    raise AgentError(
        f"Agent {name!r}: there is no module {place!r}. Install it, or name a file: path.py:attr."
    )


def _import(place: str, project: Project) -> ModuleType:
    if place.endswith(".py"):
        return import_code(place, project)
    with watch_reads() as reads:
        module = import_code(place, project)
    if reads:
        _reads_of_module[place] = tuple(dict.fromkeys(reads))
    return module


def _last_line_in(source: Path, error: BaseException) -> str:
    """Say where in the agent's own file the import stopped."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    frame, line = error.__traceback__, 0
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == str(source):
            line = frame.tb_lineno
        frame = frame.tb_next
    return f"{source}:{line}" if line else str(source)


def _is_graph(value: object) -> bool:
    compiled = hasattr(value, "ainvoke") and hasattr(value, "get_graph")
    return compiled or _is_state_graph(value)


def _is_state_graph(value: object) -> bool:
    return not isinstance(value, type) and hasattr(value, "add_node") and hasattr(value, "compile")


def _compiled(name: str, value: object) -> CompiledStateGraph[Any, Any, Any, Any]:
    if _is_state_graph(value):
        return cast("Any", value).compile()  # type: ignore[no-any-return]  # duck-typed above
    if _is_graph(value):
        return cast("CompiledStateGraph[Any, Any, Any, Any]", value)
    if not callable(value):
        raise AgentError(
            f"Agent {name!r} is {type(value).__name__}, not a graph. "
            "Name a compiled graph, a StateGraph, or a function that returns one."
        )
    built = _call(name, value)
    if not _is_graph(built):
        raise AgentError(
            f"Agent {name!r}: {getattr(value, '__name__', value)}() returned "
            f"{type(built).__name__}, not a graph. Return a StateGraph or a compiled graph."
        )
    return _compiled(name, built)


def _call(name: str, function: Callable[..., object]) -> object:
    """Call a graph factory; LangGraph's convention lets it take the config."""
    required = [
        p
        for p in inspect.signature(function).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if len(required) > 1:
        raise AgentError(
            f"Agent {name!r}: its function needs {len(required)} arguments. "
            "Give it none, or one for LangGraph's config."
        )
    try:
        built = function({}) if required else function()
        return asyncio.run(_awaited(built)) if inspect.iscoroutine(built) else built
    except LinenotesError:
        raise
    except (Exception, SystemExit) as error:
        raise AgentError(
            f"Agent {name!r} does not build: {type(error).__name__}: {error}."
        ) from error


async def _awaited(coroutine: Coroutine[object, object, object]) -> object:
    return await coroutine
