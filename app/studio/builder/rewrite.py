"""Makes a YAML text say another value. What stays the same keeps its text to the letter: comments, order, alignment.

ruamel.yaml tells where each value stands; the text between is copied, not written anew. Its round trip would align and
wrap the whole file in its own way at the first click, and lose the comment above a key when the key before it goes
(docs/adr, "Visual edits splice the text").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from app.errors import Conflict
from app.modules.manifest.yamltext import read_yaml
from app.studio.builder.render import Blocks, Path, after_dash, after_key, flow, scalar

Renamed = Mapping[Path, str]
"""{where a key stands now: what it is called from now on}"""


class NotEditable(Conflict):
    """This part of module.yaml can only be edited as text."""

    code = "not_editable"


def rewrite(text: str, wanted: dict[str, Any], *, blocks: Blocks, renamed: Renamed | None = None) -> str:
    """The text changed so that it reads as `wanted`, in its order. Raises NotEditable where that cannot be done."""
    ending = "\r\n" if "\r\n" in text else "\n"
    plain = text.replace("\r\n", "\n").removeprefix("\ufeff")
    plain = plain if plain.endswith("\n") or not plain else plain + "\n"
    document = read_yaml(plain)
    if document.problems or not isinstance(document.value, dict) or not document.value:
        raise NotEditable("module.yaml does not read as YAML. Put the text right first.")
    root = YAML(typ="safe", pure=True).compose(plain)
    changed = _Rewriter(plain, blocks, renamed or {}).whole(root, document.value, wanted)
    again = read_yaml(changed)
    if again.problems:
        raise NotEditable(f"That cannot be written: {again.problems[0].message}.")
    if not same(again.value, wanted):  # an unusual way of writing it; nothing is saved that says something else
        raise NotEditable("This part is written in a way that only the text editor can change.")
    return changed.replace("\n", ending)


def same(one: Any, other: Any) -> bool:
    """Equal in value, type and order: 1, 1.0 and true are three things, and so are two orders of keys."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)


def matched(old: list[Any], new: list[Any]) -> list[int | None]:
    """For each new entry the old one whose text it keeps: the same value, else the next of its kind that is left."""
    free = list(range(len(old)))
    found: list[int | None] = [None] * len(new)
    for index, item in enumerate(new):
        found[index] = next((at for at in free if same(old[at], item)), None)
        if found[index] is not None:
            free.remove(found[index])  # type: ignore[arg-type]  # just checked
    for index, item in enumerate(new):
        if found[index] is None and isinstance(item, (dict, list)):
            at = next((at for at in free if type(old[at]) is type(item)), None)
            if at is not None:
                found[index] = at
                free.remove(at)
    return found


class _Rewriter:
    def __init__(self, text: str, blocks: Blocks, renamed: Renamed) -> None:
        self.text, self.blocks, self.renamed = text, blocks, renamed

    def whole(self, root: Any, old: dict[str, Any], new: dict[str, Any]) -> str:
        if root.flow_style:
            start, end = root.start_mark.index, root.end_mark.index
            return self.text[:start] + self.inline(root, old, new, ()) + self.text[end:]
        start = self.text.rfind("\n", 0, root.start_mark.index) + 1
        return self.text[:start] + self.block(root, old, new, (), start) + self.text[self.cut(root) :]

    # -- where things stand

    def end(self, node: Any) -> int:
        """Where the last character of a value stands, and one more."""
        if isinstance(node, ScalarNode):
            if node.style not in ("|", ">"):
                return int(node.end_mark.index)
            body = self.text[node.start_mark.index : node.end_mark.index]
            if "+" in body.split("\n", 1)[0]:
                return int(node.start_mark.index) + body.rfind("\n") + 1
            return int(node.start_mark.index) + len(body.rstrip()) + 1
        if node.flow_style or not node.value:
            return int(node.end_mark.index)
        last = node.value[-1]
        return self.end(last[1] if isinstance(node, MappingNode) else last)

    def cut(self, node: Any) -> int:
        """The start of the line after a value, with the comment that stands beside it."""
        end = self.end(node)
        if self.text[end - 1 : end] == "\n":
            return end
        return self.text.find("\n", end) + 1 or len(self.text)

    def region(self, node: Any, after: int) -> int:
        """Where a block begins: on the line after its key, comments included; beside the dash of a list's entry."""
        line = self.text.find("\n", after) + 1
        start = int(node.start_mark.index)
        return start if not line or line > start else line

    def is_block(self, node: Any) -> bool:
        return not isinstance(node, ScalarNode) and not node.flow_style and bool(node.value)

    # -- blocks

    def block(self, node: Any, old: Any, new: Any, path: Path, start: int) -> str:
        """The lines of a block, which begins at `start`."""
        column = int(node.start_mark.column)
        beside = start == node.start_mark.index and column > 0
        parts = (
            self.entries(node, old, new, path, start, column)
            if isinstance(node, MappingNode)
            else self.items(node, old, new, path, start, column)
        )
        if not beside:
            return "".join(parts)
        first = parts[0].removeprefix(" " * column)
        return ("\n" if first.lstrip(" ").startswith(("#", "\n")) else "") + "".join((first, *parts[1:]))

    def entries(
        self, node: Any, old: dict[str, Any], new: dict[str, Any], path: Path, start: int, column: int
    ) -> list[str]:
        there: dict[str, tuple[str, int, str, Any, Any, int]] = {}
        begin = start
        for key_node, value_node in node.value:
            key, cut = key_node.value, self.tail(self.cut(value_node), column)
            if value_node is node.value[-1][1]:
                cut = self.cut(value_node)
            at, after = key_node.start_mark.index, key_node.end_mark.index
            lead = self.text[begin:at] or " " * column
            name = self.renamed.get((*path, key), key)
            word = self.text[at:after] if name == key else scalar(name)
            there[name] = (lead + word, after, key, value_node, old[key], cut)
            begin = cut
        parts = []
        for name, value in new.items():
            if name in there:
                head, after, key, value_node, before, cut = there[name]
                parts.append(self.entry(head, after, value_node, before, value, cut, (*path, key), column))
            else:
                head = f"{' ' * column}{scalar(name)}:"
                parts.append(head + self.key_value(value, (*path, name), column, len(head)) + "\n")
        return parts

    def items(self, node: Any, old: list[Any], new: list[Any], path: Path, start: int, column: int) -> list[str]:
        there: list[tuple[str, int, Any, int]] = []
        begin = start
        for child in node.value:
            dash = begin
            while self.text[dash] != "-":  # over comments and empty lines
                dash = self.text.find("\n", dash) + 1 if self.text[dash] == "#" else dash + 1
            cut = self.cut(child) if child is node.value[-1] else self.tail(self.cut(child), column)
            there.append(((self.text[begin:dash] or " " * column) + "-", dash + 1, child, cut))
            begin = cut
        parts = []
        for index, (value, at) in enumerate(zip(new, matched(old, new), strict=True)):
            if at is not None:
                head, after, child, cut = there[at]
                parts.append(self.entry(head, after, child, old[at], value, cut, (*path, at), column, dash=True))
            else:
                shown = after_dash(value, (*path, index), column=column, blocks=self.blocks)
                parts.append(f"{' ' * column}-{shown}\n")
        return parts

    def tail(self, cut: int, column: int) -> int:
        """Past the comments below an entry that stand further in than it does."""
        while True:
            line = self.text[cut : self.text.find("\n", cut) + 1]
            inner = line.lstrip(" ")
            if not inner.startswith("#") or len(line) - len(inner) <= column:
                return cut
            cut += len(line)

    def entry(
        self,
        head: str,
        after: int,
        node: Any,
        old: Any,
        new: Any,
        cut: int,
        path: Path,
        column: int,
        *,
        dash: bool = False,
    ) -> str:
        """One entry of a block: its head, what stands after it, the value, the rest of the line."""
        if same(old, new):
            return head + self.text[after:cut]
        kept = isinstance(new, type(old)) and isinstance(new, (dict, list)) and new and old
        if self.is_block(node) and kept:
            start = self.region(node, after)
            return (
                head
                + self.text[after:start]
                + self.block(node, old, new, path, start)
                + self.text[self.cut(node) : cut]
            )
        end = self.end(node)
        line_end = self.text.find("\n", after)
        if (
            not self.is_block(node)
            and node.start_mark.index <= line_end
            and getattr(node, "style", None) not in ("|", ">")
        ):
            between, rest = self.text[after : node.start_mark.index], self.text[end:cut]
            if kept:
                return head + between + self.inline(node, old, new, path) + rest
            shown = self.shown(new, path, column, len(head), node, dash)
            if shown.startswith("\n"):
                return head + between.rstrip() + rest.rstrip("\n") + shown + "\n"
            return head + between.rstrip() + shown + rest
        # the value began on a line of its own: the comment beside the key goes behind what takes its place
        colon = 0 if dash else 1
        begins_below = node.start_mark.index > line_end  # and not behind a dash: `- label: Look`
        note = self.text[after + colon : line_end].strip() if begins_below else ""
        shown = self.shown(new, path, column, len(head), None, dash)
        first, _, more = shown.partition("\n")
        lines = f"{first}{'  ' + note if note else ''}" + (f"\n{more}" if more else "")
        return head + self.text[after : after + colon] + lines + "\n"

    def shown(self, new: Any, path: Path, column: int, used: int, node: Any, dash: bool) -> str:
        if not isinstance(new, (dict, list)):
            return " " + scalar(new, style=getattr(node, "style", None))
        if dash:
            return after_dash(new, path, column=column, blocks=self.blocks)
        return self.key_value(new, path, column, used + 1)

    def key_value(self, value: Any, path: Path, column: int, used: int) -> str:
        return after_key(value, path, column=column, used=used, blocks=self.blocks)

    # -- in one line, or in brackets over several

    def inline(self, node: Any, old: Any, new: Any, path: Path) -> str:
        start, end = node.start_mark.index, node.end_mark.index
        if same(old, new):
            return self.text[start:end]
        fits = isinstance(new, type(old)) and isinstance(new, (dict, list)) and new and old
        if isinstance(node, ScalarNode) or not fits or self.text[start] not in "{[":
            return flow(new) if isinstance(new, (dict, list)) else scalar(new, style=getattr(node, "style", None))
        parts = self.flow_parts(node)
        if isinstance(node, MappingNode):
            made = self.flow_entries(node, parts, old, new, path)
        else:
            made = self.flow_items(node, parts, old, new, path)
        opening, closing = self.text[start], self.text[end - 1]
        rest = self.text[self.end_of(node, -1) : end - 1].removeprefix(",")
        text = ""
        for index, (lead, body, trail) in enumerate(made):
            last = index == len(made) - 1
            text += lead + body + ("" if last else ",") + ("" if last and "#" not in trail else trail)
        if text.endswith("\n") and rest.startswith("\n"):
            rest = rest[1:]
        return opening + text + rest + closing

    def end_of(self, node: Any, index: int) -> int:
        child = node.value[index]
        if isinstance(node, SequenceNode):
            return int(child.end_mark.index)
        return max(int(child[0].end_mark.index), int(child[1].end_mark.index))

    def flow_parts(self, node: Any) -> list[tuple[str, str]]:
        """(what stands before, what stands after and belongs to it) for each entry; commas belong to none."""
        firsts = [(child[0] if isinstance(node, MappingNode) else child).start_mark.index for child in node.value]
        leads, trails = [self.text[node.start_mark.index + 1 : firsts[0]]], []
        for index in range(1, len(firsts)):
            gap = self.text[self.end_of(node, index - 1) : firsts[index]]
            before, _, behind = gap.partition(",")
            line, newline, following = behind.partition("\n")
            trails.append(before + (line + newline if newline else ""))
            leads.append(following if newline else behind)
        return list(zip(leads, [*trails, ""], strict=True))

    def lead_of_more(self, parts: list[tuple[str, str]]) -> str:
        """What a new entry has before it: a space, or the same indentation as the others on lines of their own."""
        if len(parts) > 1 and "\n" in parts[-2][1]:
            return " " * (len(parts[-1][0]) - len(parts[-1][0].rstrip(" ").rstrip("\n")))
        return " "

    def flow_entries(
        self, node: Any, parts: list[tuple[str, str]], old: dict[str, Any], new: dict[str, Any], path: Path
    ) -> list[tuple[str, str, str]]:
        there = {}
        for (key_node, value_node), (lead, trail) in zip(node.value, parts, strict=True):
            key = key_node.value
            name = self.renamed.get((*path, key), key)
            at, after = key_node.start_mark.index, key_node.end_mark.index
            word = self.text[at:after] if name == key else scalar(name)
            there[name] = (lead, word, after, value_node, key, trail)
        made = []
        for name, value in new.items():
            if name in there:
                lead, word, after, value_node, key, trail = there[name]
                gap = self.text[after : max(after, value_node.start_mark.index)]
                between = gap if gap.endswith((" ", "\n")) else f"{gap or ':'} "
                made.append((lead, word + between + self.inline(value_node, old[key], value, (*path, key)), trail))
            else:
                made.append((self.lead_of_more(parts), f"{scalar(name)}: {flow(value)}", self.trail_of_more(parts)))
        return self.in_place(made, parts)

    def flow_items(
        self, node: Any, parts: list[tuple[str, str]], old: list[Any], new: list[Any], path: Path
    ) -> list[tuple[str, str, str]]:
        made = []
        for value, at in zip(new, matched(old, new), strict=True):
            if at is None:
                made.append((self.lead_of_more(parts), flow(value), self.trail_of_more(parts)))
            else:
                lead, trail = parts[at]
                made.append((lead, self.inline(node.value[at], old[at], value, (*path, at)), trail))
        return self.in_place(made, parts)

    def trail_of_more(self, parts: list[tuple[str, str]]) -> str:
        return "\n" if len(parts) > 1 and "\n" in parts[0][1] else ""

    def in_place(self, made: list[tuple[str, str, str]], parts: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
        """The space after the bracket stays with the bracket, wherever the entry that stood there goes."""
        opening = parts[0][0]
        if "#" in opening or not made:
            return made
        more = self.lead_of_more(parts)
        fixed = [
            (more if lead == opening and index else lead, body, trail) for index, (lead, body, trail) in enumerate(made)
        ]
        return [(opening, *fixed[0][1:]), *fixed[1:]]
