"""The papermill engine `referee`."""


class RefereeEngine:
    """Placeholder while the engine is being written."""
