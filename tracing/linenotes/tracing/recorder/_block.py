"""Recording: whatever LangGraph runs inside a `with record()` block, unchanged.

A context variable carries the listener of the block, and LangChain asks for it whenever it starts
something in that context: in the same thread or task, and in those that copy the context. So
blocks that run at the same time never hear one another.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from linenotes.project import Project
from linenotes.tracing._ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from linenotes.tracing._ledger import Message
    from linenotes.tracing._trace import Trace
    from linenotes.tracing.recorder._recording import Recording

T = TypeVar("T")


class LiveLedger(Ledger):
    """The ledger of a `record()` block: it grows while graphs run, and ends up in a trace."""

    def __init__(self, recording: Recording) -> None:
        self.trace_id = recording.trace_id
        """The id that the trace has or will have."""
        self._recording: Recording | None = recording
        self._redactor = recording.redactor
        self._trace: Trace | None = None
        self._learnt = 0

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages so far; recipients are added as they are observed."""
        return self._recording.messages() if self._recording else self.trace.messages

    @property
    def trace(self) -> Trace:
        """The finished trace; inside the block what there is of it, in state IN_PROGRESS."""
        if self._recording is not None:
            return self._recording.trace()
        assert self._trace is not None
        if self._learnt != self._redactor.learnt:
            self._mask()
        return self._trace

    def redacted(self, value: T) -> T:
        """Return `value`, such as what a graph returned, redacted as the trace is.

        What only a key gave away as a secret, in `value` or in the recording, is masked as well
        where it stands without that key.
        """
        return self._redactor.value(value)

    def _finish(self, error: BaseException | None) -> None:
        recording, self._recording = self._recording, None
        assert recording is not None
        self._trace = recording.finish(error)
        self._learnt = self._redactor.learnt

    def _mask(self) -> None:
        """Redact the trace again, since something said later gave away a secret that it holds."""
        self._learnt = self._redactor.learnt
        self._trace = self._redactor.value(self._trace)


@contextmanager
def record(
    *,
    agent: str | None = None,
    case: str | None = None,
    sample: int | None = None,
    trace_id: str | None = None,
    on_message: Callable[[Message], None] | None = None,
    project: Project | None = None,
    durable: bool = False,
) -> Iterator[LiveLedger]:
    """Record every LangGraph graph that runs inside the block, as one trace.

    Graphs and calls stay as they are: `invoke`, `ainvoke`, streams, subgraphs, threads of
    executors. The ledger can be read at any time and keeps its messages after the block.

    Args:
        agent: the name of the trace; by default that of the first graph.
        case: the id of the case that is run, if it is one of a dataset.
        sample: the index of the sample.
        trace_id: the id of the trace; a random one by default.
        on_message: called once for each message, when its recipients are known.
        project: whose settings say what is redacted and what models cost; by default the one of
            the working directory, as long as its settings are valid.
        durable: keep what is said in a file of the project as it happens, so that it can be read
            even after the process was killed. The file goes when `store_trace` has stored the
            trace.

    Raises:
        ProjectError: `durable` is asked for or a project named, and its settings are not valid.
        Exception: what `on_message` raised, when the block ends without an exception of its own.
    """
    from linenotes.tracing.recorder._recording import Recording

    if durable:
        project = project or Project.find()
        project.make_state()
    recording = Recording(
        agent=agent,
        case=case,
        sample=sample,
        trace_id=trace_id,
        on_message=on_message,
        project=project,
        durable=durable,
    )
    ledger = LiveLedger(recording)
    failure: BaseException | None = None
    try:
        with recording.listening():
            yield ledger
    except BaseException as error:
        failure = error
        raise
    finally:
        ledger._finish(failure)  # noqa: SLF001  the ledger of this very block
    recording.announcer.raise_failure()
