"""The one error of the package."""


class LBJError(ValueError):
    """A listed-bin-journal that is damaged, not one at all, or newer than this reader.

    The message names the file, the record and its byte offset where these are known.
    """
