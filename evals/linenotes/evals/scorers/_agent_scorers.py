"""What one agent of several is worth: a scorer is applied to what that agent said."""

from __future__ import annotations

from dataclasses import replace

from linenotes.evals.journal._samples import Sample
from linenotes.evals.scorers._scorer_adapters import adapted
from linenotes.evals.scorers._scorer_specs import Parameters, call_text
from linenotes.evals.scorers._scorers import Given, ScoreFunction, Scorer
from linenotes.evals.scorers._turns import is_called
from linenotes.project import Project, ScorerError


def of_agent(agent: str, judge: str | Scorer | ScoreFunction) -> Scorer:
    """Applies another scorer to what one agent said.

    That scorer sees a sample whose output is the last text of the agent, whose request is the last
    text that reached it before that, and whose ledger holds the agent's messages only.

    Args:
        agent: the agent.
        judge: a function, any other scorer, or the spec of one, such as `"scorers.py:polite"`.

    Raises:
        ScorerError: there is no such scorer.
    """
    inner = _found(judge)

    async def scored(sample: Sample) -> Given:
        given = await inner.scores(_as_said_by(agent, sample))
        if not inner.values:
            return given[0]
        return [replace(one, name=value) for one, value in zip(given, inner.values, strict=True)]

    return replace(
        inner,
        name=f"{inner.name}.{agent.rpartition('/')[2]}",
        spec=call_text("of_agent", Parameters((agent, inner.spec))),
        function=scored,
    )


def _found(judge: str | Scorer | ScoreFunction) -> Scorer:
    if isinstance(judge, str):
        from linenotes.evals.scorers._scorer_loading import load_scorer

        return load_scorer(judge, Project.find())
    known = adapted(judge)
    if known is None:
        raise ScorerError(f"of_agent was given {judge!r}. Give it a scorer, or the spec of one.")
    return known


def _as_said_by(agent: str, sample: Sample) -> Sample:
    """Return the sample as if the agent had been alone.

    Raises:
        ValueError: the agent said nothing.
    """
    own = [
        (number, message)
        for number, message in enumerate(sample.ledger)
        if is_called(message.sender, agent) and message.kind not in {"ack", "result"}
    ]
    if not own:
        raise ValueError(f"{agent} said nothing")
    last, answer = own[-1]
    heard = [
        message.text
        for message in sample.ledger.messages[:last]
        if any(is_called(one, agent) for one in (*message.recipients, *message.seen_by))
    ]
    trace = replace(
        sample.trace,
        request=heard[-1] if heard else "",
        response=answer.text,
        messages=tuple(message for _, message in own),
    )
    return replace(sample, output=answer.text, trace=trace)
