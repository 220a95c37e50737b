"""Refusals of a text, a document or a patch. Every message can be shown to a person."""

from procvars.domain.errors import DomainError


class DocumentError(DomainError):
    """The document is refused."""


class InvalidJson(DocumentError):
    """The text is not valid JSON.

    `line` and `column` are 1-based and count characters, not bytes; `hint` names the mistake in plain words.
    """

    def __init__(self, line: int, column: int, hint: str) -> None:
        super().__init__(
            f"The text is not valid JSON: {hint} (line {line}, column {column}).", line=line, column=column, hint=hint
        )
        self.line = line
        self.column = column
        self.hint = hint


class DuplicateKey(DocumentError):
    """An object has the same key twice.

    `line` and `column` (1-based, in characters) are those of the opening quote of the second `key`.
    """

    def __init__(self, line: int, column: int, key: str) -> None:
        super().__init__(
            f'An object has the key "{key}" twice (line {line}, column {column}).', line=line, column=column, key=key
        )
        self.line = line
        self.column = column
        self.key = key


class TooDeep(DocumentError):
    """Arrays and objects are nested more than 200 deep."""


class UnrepresentableValue(DocumentError):
    """A value cannot be kept exactly.

    `path` is its JSON Pointer; `why` says what would be lost.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f'The value at "{path}" cannot be kept exactly: {why}.', path=path)
        self.path = path
        self.why = why


class NotAnObject(DocumentError):
    """The document has to be a JSON object.

    `found` is the JSON type that stood in its place: array, string, number, boolean or null.
    """

    def __init__(self, found: str) -> None:
        super().__init__(f"The document has to be a JSON object, not {found}.", found=found)
        self.found = found


class InvalidPointer(DocumentError):
    """The text is not a JSON Pointer."""

    def __init__(self, pointer: str, why: str) -> None:
        super().__init__(f'"{pointer}" is not a JSON Pointer: {why}.')
        self.pointer = pointer
        self.why = why


class InvalidPatch(DocumentError):
    """The value is not a JSON Patch."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The value is not a JSON Patch: {why}.")
        self.why = why


class PatchFailed(DocumentError):
    """An operation of the patch cannot be applied to the document.

    `index` is the operation's position in the patch, from 0.
    """

    def __init__(self, index: int, why: str) -> None:
        super().__init__(f"Operation {index} of the patch cannot be applied: {why}.", index=index)
        self.index = index
        self.why = why


class RebaseConflict(DocumentError):
    """Somebody else changed the same values.

    `paths` are the JSON Pointers of the edit that meet a change of the other side, in the edit's order.
    """

    def __init__(self, paths: list[str]) -> None:
        super().__init__(f"Somebody else changed the same values: {', '.join(paths)}.")
        self.paths = paths
