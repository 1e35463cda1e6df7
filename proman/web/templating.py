"""Compiles templates for long lists: values, loops and components the short way, the same output.

A list draws a thousand values through five layers of templates. The usual code wraps each value
into Markup before it escapes it, hands each on through all layers, and compares the names of all
globals for each component that is imported.
"""

from typing import Any

from flask import Flask
from flask.templating import Environment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape
from markupsafe import _escape_inner as escape_text  # type: ignore[attr-defined]


class _Generator(CodeGenerator):
    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.escape_short(")
        else:
            super()._output_child_pre(node, frame, finalize)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 (Jinja's own name)
        """A loop that would hand on its pieces one by one hands on the whole."""
        if frame.buffer is not None:
            super().visit_For(node, frame)
            return
        gathering = frame.copy()
        self.buffer(gathering)
        super().visit_For(node, gathering)
        self.writeline(f"yield concat({gathering.buffer})")

    def _import_common(self, node: nodes.Import | nodes.FromImport, frame: Frame) -> None:
        if node.with_context or self.environment.auto_reload:
            super()._import_common(node, frame)
            return
        self.write("environment.components[")
        self.visit(node.template, frame)
        self.write("]")


class _Components(dict[str, Any]):
    """The modules of imported templates by name, each made once."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def __missing__(self, name: str) -> Any:
        self[name] = module = self._environment.get_template(name).module
        return module


class ShortEnvironment(Environment):
    """Flask's templates, compiled the short way."""

    code_generator_class = _Generator

    def __init__(self, app: Flask, **options: Any) -> None:
        super().__init__(app, **options)
        self.components = _Components(self)

    @staticmethod
    def escape_short(value: Any) -> str:
        """The value as it may stand in HTML."""
        kind = type(value)
        if kind is str:
            return escape_text(value)
        if kind is Markup:
            return value  # type: ignore[no-any-return]
        return str(value) if kind is int else escape(value)
