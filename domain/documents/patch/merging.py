"""JSON Merge Patch (RFC 7396)."""

from procvars.domain.documents.documents import as_document
from procvars.domain.documents.values import Document, Json


def merge(document: Document, merge_patch: Json) -> Document:
    """Return the document with a merge patch applied: objects are merged, null removes, all else replaces.

    The given document is not changed; what the patch does not name is shared with it. Raises NotAnObject if the patch
    is not an object, as it would replace the whole document.
    """
    return _merge_objects(document, as_document(merge_patch))


def _merge_objects(target: Document, patch: Document) -> Document:
    merged = target.copy()
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            inner = merged.get(key)
            merged[key] = _merge_objects(inner if isinstance(inner, dict) else {}, value)
        else:
            merged[key] = value
    return merged
