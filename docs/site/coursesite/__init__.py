"""The course's website: the course folder to Markdown pages, which Sphinx makes into HTML.

- ``contents``: what is read from the course folder
- ``dependence``, ``outputs``: which results of the reference solution a page may show
- ``lesson``, ``syllabus``, ``errata``, ``guides``, ``commands``, ``reference``, ``home``: the pages
- ``mathml``: formulas without a script or a font from elsewhere
- ``links``: the built pages are whole, and load nothing from elsewhere
- ``__main__``: ``python -m coursesite``, which is ``make site``
"""
