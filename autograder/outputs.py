"""What a cell said, as the outputs of a notebook, and no more of it than there is room for."""

from __future__ import annotations

from nbformat import NotebookNode

MAX_OUTPUT = 1_000_000
ITEM = 100  # what an output takes beside its text, in characters


class Outputs:
    """Collects one cell's messages as notebook outputs, up to a limit."""

    def __init__(self, limit: int = MAX_OUTPUT) -> None:
        self.items: list[NotebookNode] = []
        self.room, self.flooded, self.failed = limit, False, False
        self._clear = False

    def add(self, message: dict) -> None:
        """Take one message from the kernel; what is no output is dropped.

        Of a text that is too much as much is kept as there is room for, wherever the kernel
        happened to cut it in two; of anything else nothing.
        """
        kind, content = message["msg_type"], message["content"]
        if kind == "clear_output":
            self._clear = True
            if not content.get("wait"):
                self._wipe()
            return
        if kind not in ("stream", "display_data", "execute_result", "error"):
            return
        if self._clear:
            self._wipe()
        if kind == "error":
            self.failed = True
        output = _output(kind, content)
        if output is None:
            return
        last = self.items[-1] if kind == "stream" and self.items else None
        if last is not None and last.get("name") != output.name:
            last = None
        text = output.text if kind == "stream" else str(output)
        size = len(text) + (ITEM if last is None else 0)
        room, self.room = self.room, max(self.room - size, 0)
        if size > room:
            self.flooded = True
            if kind != "stream" or not room:
                return
            output["text"] = text[:room]
        if last is None:
            self.items.append(output)
        else:
            last["text"] += output.text

    def _wipe(self) -> None:
        self.items.clear()
        self._clear = False

    def text(self) -> str:
        """What was printed."""
        return "".join(item["text"] for item in self.items if item.output_type == "stream")


def _output(kind: str, content: dict) -> NotebookNode | None:
    """A notebook output of the one shape that its kind has; None when the message has another."""
    if kind == "stream":
        name, text = content.get("name"), content.get("text")
        if name in ("stdout", "stderr") and isinstance(text, str):
            return NotebookNode(output_type=kind, name=name, text=text)
        return None
    if kind == "error":
        lines = content.get("traceback")
        return NotebookNode(
            output_type=kind,
            ename=str(content.get("ename", "")),
            evalue=str(content.get("evalue", "")),
            traceback=[str(line) for line in lines] if isinstance(lines, list) else [],
        )
    data = content.get("data")
    if not isinstance(data, dict):
        return None
    # Only text and pictures as text: what a page may show. Widgets and other JSON stay behind.
    plain = {key: value for key, value in data.items() if isinstance(value, str)}
    node = NotebookNode(output_type=kind, data=NotebookNode(plain), metadata=NotebookNode())
    if kind == "execute_result":
        count = content.get("execution_count")
        node["execution_count"] = count if isinstance(count, int) else None
    return node
