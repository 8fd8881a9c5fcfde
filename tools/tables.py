"""Write the tables in README and docs: of models and parameters from their descriptions, and of the hosts.

Run without arguments after a change of ``qingbo_widgets/service/contract/models`` or of ``docs/hosts.toml``.
A test compares the files with these.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import host_tables  # noqa: E402
from markdown_tables import replaced, table  # noqa: E402

from qingbo_widgets.i18n import set_locale, tr  # noqa: E402
from qingbo_widgets.service.contract.models import contracts, models_of  # noqa: E402
from qingbo_widgets.service.contract.schema import Constraint, Model, Models, Parameter  # noqa: E402

#: The files with tables, each with its language.
FILES = {"README.md": "en", "README.zh.md": "zh", "docs/models.md": "en", "docs/models.zh.md": "zh"}
BEGIN, END = "<!-- tables of {contract}: written by tools/tables.py -->", "<!-- end of tables -->"
#: Parameters of every model whose values the matrix would only repeat.
_PLAIN = ("model", "prompt", "callback_url", "callback_events")
_TEXTS = {
    "zh": {
        "parameter": "参数",
        "meaning": "含义",
        "required": "必填",
        "default {value}": "默认 {value}",
        "up to {count}": "最多 {count} 个",
        "{low} to {high}": "{low} 到 {high}",
        "{low} to {high} s": "{low} 到 {high} 秒",
        "the input video's": "同输入视频",
        "**Rules**": "**规则**",
        "all models": "所有模型",
        "with {condition}": "{condition} 时",
        "unless {condition}": "非 {condition} 时",
        " and ": " 且 ",
    }
}


def text(english: str, language: str) -> str:
    """Return a word of the tables in a language."""
    return _TEXTS.get(language, {}).get(english, english)


def numbers(values: Sequence[int], language: str) -> str:
    """Return whole numbers as a range if they are consecutive, otherwise separated by commas."""
    if len(values) > 3 and list(values) == list(range(values[0], values[-1] + 1)):
        return text("{low} to {high}", language).format(low=values[0], high=values[-1])
    return ", ".join(map(str, values))


def seconds_of(limits: Mapping[str, tuple[int, ...]], language: str) -> str:
    """Return the lengths that an input video may have; empty if there is no limit."""
    if "seconds" not in limits:
        return ""
    low, high = limits["seconds"]
    return text("{low} to {high} s", language).format(low=low, high=high)


def cell(parameter: Parameter | None, language: str) -> str:
    """Return the values that a model takes for a parameter, with its default."""
    if parameter is None:
        return ""
    parts = []
    if parameter.type == "seconds":
        seconds = [value for value in parameter.choices if value]
        is_source = parameter.choices == (0,)
        parts = [text("the input video's", language) if is_source else numbers(seconds, language)]
    elif parameter.type in ("choice", "camera"):
        parts = [", ".join(f"`{choice}`" for choice in parameter.choices)]
    elif parameter.type == "urls":
        parts = (
            [text("up to {count}", language).format(count=parameter.most)] if parameter.most > 1 else ["1"]
        )
        parts.append(seconds_of(parameter.limits, language))
    elif count := parameter.limits.get("count"):
        template = text("{low} to {high}" if count[0] else "up to {count}", language)
        parts = [template.format(low=count[0], high=count[1], count=count[1])]
    elif parameter.range:
        low, high = parameter.range
        parts = ["1" if low == high == 1 else text("{low} to {high}", language).format(low=low, high=high)]
    has_default = parameter.default not in (None, "") and len(parameter.choices) > 1
    if has_default:
        parts.append(text("default {value}", language).format(value=f"`{parameter.default}`"))
    elif parameter.required and parameter.default is None:
        parts.append(text("required", language))
    return "; ".join(part for part in parts if part) or "✓"


def matrix(models: Models, language: str) -> str:
    """Return the table of the parameters that each model takes, with their values."""
    names = [name for name in models.parameters if name not in _PLAIN]
    rows = [["", *(f"`{name}`" for name in models)]]
    rows += [
        [f"`{name}`", *(cell(model.parameters.get(name), language) for model in models.values())]
        for name in names
    ]
    return table(rows)


def meanings(models: Models, language: str) -> str:
    """Return the table of what each parameter does."""
    head = [text("parameter", language), text("meaning", language)]
    return table([head, *([f"`{name}`", tr(one.help)] for name, one in models.parameters.items())])


def condition(constraint: Constraint, language: str) -> str:
    """Return the condition of a rule: ``with `action` = `edit` ``."""

    def described(name: str, allowed: object) -> str:
        if not isinstance(allowed, tuple):
            return f"`{name}` × {getattr(allowed, 'fewest', '')}"
        values = ", ".join(f"`{value}`" for value in allowed)
        return f"`{name}`" if allowed == ("*",) else f"`{name}` = {values}"

    def joined(items: Iterable[tuple[str, object]]) -> str:
        return text(" and ", language).join(described(*item) for item in items)

    parts = []
    if constraint.when:
        parts.append(text("with {condition}", language).format(condition=joined(constraint.when.items())))
    if constraint.unless:
        parts.append(text("unless {condition}", language).format(condition=joined(constraint.unless.items())))
    return ", ".join(parts)


def rule(constraint: Constraint, language: str) -> Iterator[str]:
    """Yield the sentences about the fields that a rule restricts."""
    sentence = tr(constraint.refusal) if constraint.refusal else ""
    for name in constraint.forbid:
        yield f"{condition(constraint, language)}: `{name}` {sentence}"
    for name, changes in constraint.limit.items():
        if changes.get("required"):
            predicate = text("required", language)
        elif not sentence:
            predicate = seconds_of(changes["limits"], language)
        else:
            predicate = sentence
        yield f"{condition(constraint, language)}: `{name}` {predicate}"
    if constraint.require:
        yield f"{condition(constraint, language)}: `{constraint.require}` {text('required', language)}"
    for name in constraint.omit:
        yield f"{condition(constraint, language)}: {tr(constraint.note).format(field=f'`{name}`')}"


def rules(models: Models, language: str) -> str:
    """Return the list of the rules about several parameters, each with the models that it holds for."""
    holders: dict[str, list[str]] = {}
    for model in models.values():
        for sentence in (line for one in applying(model) for line in rule(one, language)):
            holders.setdefault(sentence.strip(), []).append(f"`{model.name}`")
    lines = [text("**Rules**", language), ""]
    for sentence, names in holders.items():
        whose = text("all models", language) if len(names) == len(models) else ", ".join(names)
        lines.append(f"- {whose}: {sentence}")
    return "\n".join(lines)


def applying(model: Model) -> Iterator[Constraint]:
    """Yield the rules of a model whose parameters it takes."""
    for constraint in model.constraints:
        named = {*constraint.forbid, *constraint.limit, *constraint.omit, *filter(None, [constraint.require])}
        if is_possible(constraint, model) and named & model.parameters.keys():
            yield constraint


def is_possible(constraint: Constraint, model: Model) -> bool:
    """Return whether a model takes the values on which a rule depends."""
    for name, allowed in (*constraint.when.items(), *constraint.unless.items()):
        parameter = model.parameters.get(name)
        if parameter is None:
            return False
        choices = parameter.choices
        if isinstance(allowed, tuple) and allowed != ("*",) and choices and not {*allowed} & {*choices}:
            return False
    return True


def section(file: str, contract: str) -> str:
    """Return the tables of a contract for a file."""
    language, models = FILES[file], models_of(contract)
    set_locale(language)
    parts = [matrix(models, language)]
    if file.startswith("docs/"):
        parts += [meanings(models, language), rules(models, language)]
    return "\n\n".join(parts)


def written(file: str) -> str:
    """Return the content of a file with current tables.

    Raises:
        ValueError: the file has no place for a table.
    """
    content = (ROOT / file).read_text(encoding="utf-8")
    if file in FILES:
        for contract in contracts():
            content = replaced(content, BEGIN.format(contract=contract), END, section(file, contract))
    if file in host_tables.FILES:
        content = replaced(content, host_tables.BEGIN, host_tables.END, host_tables.section(file))
    return content


def main() -> int:
    """Write the tables of every file."""
    for file in {**FILES, **host_tables.FILES}:
        (ROOT / file).write_text(written(file), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
