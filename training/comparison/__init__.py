"""The three frameworks compared: what is measured, in a process of its own each time, and the page made of it.

`tasks/` is what such a process runs, `sections/` what becomes of its figures, `page/` how they are shown. Nothing here
imports a framework: the tasks ask `training.<framework>_vae` for what they need.
"""
