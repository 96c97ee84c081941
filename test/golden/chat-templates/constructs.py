"""What Jinja2 makes of the constructs that chat templates use, set up as transformers does, for test/jinja.

    python test/golden/chat-templates/constructs.py      (needs jinja2; the tests do not)

constructs.json   template, variables, and the text or the class of the error
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = Path(__file__).resolve().parent

VARIABLES = {
    "t": True, "f": False, "n": None, "one": 1, "neg": -7, "half": 0.5, "small": 0.00001, "text": "Ünï ☃ 'q' \"d\" <b>",
    "words": ["b", "A", "c"], "numbers": [3, -1, 2.5], "mixed": [1, "a", None, True, 2.5, {"k": "v"}],
    "d": {"b": 1, "A": [1, 2], "c": None}, "empty": "", "blank": "  a b  c ", "lines": "one\ntwo\n\nthree",
    "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes", "tool_calls": None},
                 {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What?"}]}],
}

PRINTED = ["t", "f", "n", "one", "neg", "half", "10.0 ** 16", "10.0 ** 15", "small", "mixed", "d", "words", "[]", "{}", "(1, 2)", "(1,)", "missing",
           "[text]", "['\\n\\t\\\\']", "1.0", "100.0", "-0.0", "1e3|float" , "123456789.123", "0.1 + 0.2", "[t, n]", "{'a': t}", "none", "True", "None"]
COMPUTED = ["neg % 3", "7 % -3", "-7.5 % 2", "7 % 3", "-7 // 2", "7 // -2", "7.5 // 2", "7 / 2", "4 / 2", "1 / 0", "2 ** 3", "2 ** -1", "1 + t",
            "'a' + 1", "'a' ~ 1 ~ n ~ t ~ 1.0", "'a' * 3", "[1] * 2", "[1] + [2]", "1 == 1.0", "1 == t", "0 == ''", "'1' == 1", "[1, 2] == [1, 2]",
            "{'a': 1} == {'a': 1}", "n == missing", "missing == missing2", "'a' < 'b'", "'B' < 'a'", "1 < 2.5", "1 < 'a'", "'b' in words", "'z' not in words", "1 in [1.0]",
            "'k' in {'k': 1}", "'ï' in text", "1 in 'a1'", "'a' in missing", "not t", "t and 'x'", "f or 'y'", "-neg", "'x' if f", "'x' if f else 'y'", "missing + 1", "n + 1", "-missing",
            "'%s is %d of %.2f' % ('a', 3.7, 1)", "'%5d|%-5s|%05.1f|%x|%%' % (42, 'ab', 3.14159, 255)", "'%(a)s %(b)r' % {'a': 1, 'b': 'x'}", "'%s' % t", "'%s %s' % 'a'", "'%d' % 'a'", "'%s' % [1]", "'%e' % 12345.678", "'%+d' % 3"]
FILTERED = ["'%s %s'|format(1, t)", "'%(x)s'|format(x=2)", "d|tojson", "d|tojson(indent=2)", "mixed|tojson(indent=4)", "text|tojson", "text|tojson(ensure_ascii=true)", "d|tojson(separators=(',', ':'))",
            "d|tojson(sort_keys=true)", "[]|tojson(indent=2)", "[1.0, 10.0 ** 16, n]|tojson", "missing|tojson", "words|join", "words|join(', ')", "mixed|join('-')", "messages|join(',', attribute='role')", "words|sort", "words|sort(reverse=true)",
            "words|sort(case_sensitive=true)", "numbers|sort", "mixed|sort", "d|dictsort", "d|dictsort(reverse=true)", "d|items|list", "d|list", "d|length", "text|length", "'😀a'|length", "words|first", "words|last", "[]|first", "'abc'|first",
            "words|reverse|list", "'abc'|reverse", "text|upper", "'hello WORLD'|capitalize", "\"they're bill's\"|title", "blank|trim", "'xxaxx'|trim('x')", "lines|indent(2)", "lines|indent(2, true)", "lines|indent(2, blank=true)", "lines|indent",
            "'aaa'|replace('a', 'b', 2)", "'aaa'|replace('a', 'b')", "'3.7'|int", "'12abc'|int", "'x'|int(5)", "-1.5|int", "'2.5'|float", "'x'|float", "t|int", "n|int", "neg|abs", "t|string", "n|string", "1.0|string", "mixed|string",
            "missing|default('x')", "''|default('x')", "''|default('x', true)", "n|default('x', boolean=true)", "missing|d('y')", "words|unique|list", "['a','A']|unique|list", "[1, 1, 2]|unique|list", "numbers|sum", "numbers|max", "words|min",
            "messages|map(attribute='role')|list", "messages|map(attribute='tool_calls', default='-')|list", "words|map('upper')|list", "messages|selectattr('role', 'equalto', 'user')|map(attribute='content')|first", "messages|selectattr('tool_calls', 'defined')|list|length",
            "messages|rejectattr('role', 'eq', 'user')|list|length", "messages|selectattr('tool_calls')|list|length", "[1, 2, 3]|select('odd')|list", "[1, 2, 3]|reject('odd')|list", "[0, 1]|select|list", "2.567|round(1, 'floor')", "'a b'|wordcount", "'a'|nosuch", "d.items()|list", "n|length", "d|string", "messages|selectattr('role', 'in', ['user'])|list|length"]
TESTED = [f"{value} is {test}" for value in ("t", "one", "half", "'a'", "n", "words", "d", "missing", "(1, 2)") for test in
          ("boolean", "integer", "float", "number", "string", "none", "defined", "undefined", "iterable", "sequence", "mapping", "true", "false", "callable")]
TESTED += ["2 is even", "3 is odd", "neg is odd", "'a' is lower", "'A' is upper", "'1' is lower", "'x' is not string", "4 is divisibleby(2)", "1 is in([1])", "range is callable"]
METHODS = ["'a,b,c'.split(',')", "'a,b,c'.split(',', 1)", "'a,b,c'.rsplit(',', 1)", "blank.split()", "blank.split(none, 1)", "''.split()", "''.split(',')", "'xxaxx'.strip('x')", "'xxaxx'.lstrip('x')", "'xxaxx'.rstrip('x')", "' a '.strip() ~ '|'",
           "'abc'.startswith('a')", "'abc'.startswith(('x', 'ab'))", "'abc'.endswith(('x', 'bc'))", "'abc'.startswith(['a'])", "'aXbX'.replace('X', '-', 1)", "'ab'.replace('', '-')", "'abc'.find('c')", "'abc'.find('z')", "'abcabc'.rfind('b')", "'banana'.count('a')", "'hello'.title()", "'hELLO'.capitalize()",
           "'a' .upper()", "'A-b'.lower()", "lines.splitlines()", "'a=b=c'.partition('=')", "'a=b=c'.rpartition('=')", "'abc'.removeprefix('a')", "'abc'.removesuffix('bc')", "', '.join(words)", "', '.join(mixed)", "'{} {}'.format(1, t)", "'{1}{0}{x}'.format('a', 'b', x=n)", "'12'.isdigit()", "'ab1'.isalnum()", "''.isalpha()", "'7'.zfill(3)", "'-7'.zfill(4)",
           "d.get('b')", "d.get('zz')", "d.get('zz', 'no')", "d.keys()|list", "d.values()|list", "d['b']", "d.c", "d.zz", "d.zz.y", "missing.x", "n.x", "text.x", "words[0]", "words[-1]", "words[9]", "text[0]", "'😀a'[1]", "words[1:]", "words[:-1]", "words[::-1]", "words[::2]", "'hello'[1:3]", "'hello'[::-1]", "'hello'[-3:]", "(1, 2, 3)[1:]", "words.index('c')", "words.count('b')", "words.append('x')", "'a'.nosuch()", "missing()", "messages[0].role", "messages[-1]['content'][1].text", "messages[1:]|length", "'hello'[4:1:-1]", "'hello'[:1:-1]"]
STATEMENTS = [
    "{% for w in words %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.cycle('x', 'y') }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}",
    "{% for w in words %}{{ loop.changed(w > 'a') }}{% endfor %}", "{% for a, b in d.items() %}{{ a }}={{ b }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for c in 'ab☃' %}[{{ c }}]{% endfor %}",
    "{% for x in missing %}a{% else %}none{% endfor %}", "{% for x in n %}a{% endfor %}", "{% for x in 3 %}a{% endfor %}", "{% for x in [] %}a{% else %}empty{% endfor %}", "{% for x in numbers if x > 0 %}{{ loop.index }}:{{ x }} {% else %}no{% endfor %}",
    "{% for x in range(5) %}{{ x }}{% if x == 1 %}!{% continue %}{% endif %}.{% if x == 3 %}?{% break %}{% endif %}{% endfor %}", "{% for x in [1] %}a{% continue %}{% else %}b{% endfor %}", "{% for x in range(3) %}{% if y is defined %}seen{% endif %}{% set y = x %}{{ y }}{% endfor %}{{ y }}",
    "{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "{% set ns = namespace(x=1, y='a') %}{% for i in [1, 2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}{{ ns.y }}", "{% set a, b = [1, 2] %}{{ a }}{{ b }}", "{% set x %}[{{ t }}]{% endset %}{{ x }}{{ x|length }}",
    "{% if n %}a{% elif words %}b{% else %}c{% endif %}", "{% if missing %}a{% else %}b{% endif %}", "{% if x is defined %}{% set y = 1 %}{% endif %}{{ y }}", "{% if t %}{% set z = 1 %}{% endif %}{{ z }}",
    "{% macro m(a, b='x', c=none) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(1, c=t) }}", "{% macro m() %}{{ w }}{% endmacro %}{% for w in words %}{{ m() }}{% endfor %}", "{% macro m(x) %}{{ x }}{{ y }}{% endmacro %}{% set y = 5 %}{{ m(1) }}", "{% macro m(a) %}<{{ caller() }}{{ a }}>{% endmacro %}{% call m(1) %}in{{ t }}{% endcall %}",
    "{% macro r(n) %}{{ n }}{% if n > 0 %}{{ r(n - 1) }}{% endif %}{% endmacro %}{{ r(3) }}", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, a=2) }}", "{% filter upper %}a{{ text }}{% endfilter %}", "{% filter replace('a', 'b') %}aa{% endfilter %}",
    "{% raw %}{{ not }} {% if %}{% endraw %}", "a {%- raw -%} {{ x }} {%- endraw -%} b", "a\n  {% raw %}\n {{ x }}\n  {% endraw %}\nb", "{% raw %}{% endraw %}x", "{% raw %}a\"b\\n'☃{% endraw %}", "a {% raw %}x", "{% raw %} {# no #} {% endraw %}!\n",
    "{{ raise_exception('no') }}", "a{# comment #}b", "a\n{# c #}\nb", "  {% if t %}\n  x\n  {% endif %}\ny\n", "a  {%- if t -%}  b  {%- endif -%}  c", "  {{ one }}\n{{ one }}\n\n", "a\r\n{% if t %}\r\nb\r\n{% endif %}\r\nc", "{%- for m in messages -%}\n  {{- m.role }}\n{% endfor -%}\n", "a {{- ' b ' -}} c", "{% if t %}  {% endif %}|", "x  {% if t %}y{% endif %}",
    "{% generation %}a{{ one }}{% endgeneration %}b", "a\n{% generation %}\nb\n{% endgeneration %}\nc", "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content %}{% if c.type == 'image' %}<img>{% else %}{{ c.text }}{% endif %}{% endfor %}{% endif %}{% endfor %}",
    "{{ dict(a=1, b=t) }}", "{{ range(3)|list }}{{ range(1, 7, 2)|list }}{{ range(3, 0, -1)|list }}", "{{ '\\n' ~ \"\\t\" ~ '\\u2603' }}", "{{ [1, 2,] }}{{ {'a': [1], 'b': {'c': (1,)}} }}", "{{ {1: 2} }}", "{{ 1 if t else 2 if f else 3 }}", "{{ {'a': 1}.items()|list }}", "{{ d.b.c }}", "{{ 'a' 'b' }}", "{% set x = 'a' if n is none else 'b' %}{{ x }}", "{{ (1, 'a', none) }}", "{{ namespace(a=1).a }}", "{% nosuch %}", "{{ 1 +", "{% for x in words recursive %}{{ x }}{% endfor %}",
    "{{ loop is defined }}", "{%+ if t %}a{% endif %}", "{{ 'x'.join(['1', '2']) }}", "{% set content = '  a\n' %}{{ content | trim }}|", "{{ messages | tojson(indent=2) }}", "{{ not missing }}{{ missing is not none }}", "{% if 'a' in 'abc' and not 'z' in 'abc' %}y{% endif %}",
]

ARGUMENTS = ["'abca'|trim(chars='a')", "numbers|sum(start=1)", "words|unique(attribute='x')|list", "'5'|int(0, 16)", "'5'|int(default=1)", "'a'|upper(1)", "'a'.upper(1)", "'a b'.split(sep=' ')", "'a b'.split(sep=' ', maxsplit=0)", "'a b'.split(x=1)",
             "'aa'.replace('a', 'b', count=1)", "'aa'|replace('a', 'b', count=1)", "'aa'|replace(old='a', new='b')", "words|join(d='-')", "words|join('-', d='+')", "words|first(1)", "d.get('b', default=1)", "d.get(key='b')", "'a'.strip(chars='a')", "missing|default(default_value='x', boolean=true)",
             "lines.splitlines(true)", "words|sort(false, true)", "d|tojson(false, 2)", "d|tojson(x=1)", "d|dictsort(by='value')", "d|dictsort(by='x')", "messages|selectattr(attribute='role')|list", "messages|map(attribute='role', x=1)|list", "'a'|indent(first=true, width=1)", "missing is defined(1)"]
SILENT = ["'%.1f' % 0.25", "'%e' % 12345.675", "3 > 2 > 1", "1 < 2 == true", "'a' in 'ab' in ['ab']", "(3 > 2) == true", "1 == 1 and 2 == 2", "[1 == 1, 2 == 2]", "{'a': 1 == 1, 'b': 2 == 2}", "1 == 1 if 2 == 2 else 3 == 3", "not 1 == 2",
          "['ab', 'cd']|map(attribute=0)|list", "words[1.0]", "words[true]", "text[0.5]", "(10 ** 21)|tojson", "9007199254740993", "9007199254740991 + 1", "9007199254740992|tojson", "('a'|indent(2000, true))|length", "'²'.isdigit()", "'²'|int", "'１'|int", "'1_0'|int", "'inf'|int", "'inf'|float", "'1e3'|int", "missing|int",
          "'ß'|capitalize", "'ΑΣ'.capitalize()", "'İ'|lower", "'éa b'.title()", "'a\\x85b'|indent", "'a' < '😀' < 'b'", "'\\uffff' < '😀'", "{'😀': 1, '\\uffff': 2}|tojson(sort_keys=true)", "d|tojson(indent='\\t')", "[1] in d", "'a' in 5",
          "'<' + ('a'|safe)", "'<' ~ ('a'|safe)", "('a'|safe) is string", "('a'|safe)|upper", "('a'|safe) == 'a'", "words|map('upper')", "words|select|length", "words|select|last", "'x' if []|select else 'y'", "d.items()", "d.keys()|length", "d.items()[0]", "d|items", "range(3)", "range(3)[1]", "range(3) is sequence", "d.items() is sequence", "n|select|list", "3|select|list",
          "{'a': 1}.items", "words.append", "'a'.isupper", "text.nosuch", "loop", "namespace()", "namespace(a=1) == 1", "'x' if namespace() else 'y'", "'\\d\\x41\\101\\u2603\\a'", "'\\N{BULLET}'", "1_000", "0x10", "007", "'{} {}'.format(1, t)", "'{:>4}'.format(1)", "''*9", "[]|sort(attribute='a,b')", "messages|map(attribute='a.b')|list", "messages|map(attribute='a.b', default=1)|list", "[[[1]]]|map(attribute='0.0')|first"]
SPACING = ["{# use {% raw %} here #}x", "{{ '{% raw %}' }}x{{ '{% endraw %}' }}", "{% set x = '%}' %}{{ x }}", "{{ {'a': {'b': 1}}.a.b }}", "{{ '#}' }}{# }} %} #}y", "a\n  {#- c -#}  \n b", "a \n {%+ if t +%}\n b {% endif %}", "a\n  {%- raw -%}\n b \n {%- endraw +%}\nc", "  {% raw %}  {% endraw %}  {% if t %}", "{% raw +%}a{% endraw %}",
           "{#+ a +#}\nb", "{#-#}a", "{# a", "{{ 'a", "{{ [1 }}", "{{ (1] }}", "{% if t", "{% generation %}{% set x = 1 %}{% endgeneration %}[{{ x }}]", "{% generation %}a", "a{% endgeneration %}", "{% filter upper %}{% set x = 1 %}{% endfilter %}[{{ x }}]", "{% set a %}{% set x = 1 %}{% endset %}[{{ x }}]", "{% for i in [1] %}{% filter upper %}a{% break %}{% endfilter %}{% endfor %}", "{% break %}",
           "{% macro m() %}{% continue %}{% endmacro %}{% for i in [1] %}{{ m() }}{% endfor %}", "{% set m = words|map('upper') %}{% for x in m %}{{ x }}{% endfor %}{% for x in m %}{{ x }}{% endfor %}", "{% for x in words|select %}{{ loop.last }}{% endfor %}", "{% for x in [1] %}{% for y in [2] %}{{ loop.depth }}{% endfor %}{% endfor %}", "{% set ns = namespace(d) %}{% set ns.b = 2 %}{{ ns.b }}{{ d.b }}", "{% set d.b = 2 %}", "{{ raise_exception() }}", "\u2003{% if t %}\u2003a\u2003{%- endif %}"]


class Generation(Extension):
    """What transformers marks an assistant's words with; here it changes nothing."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])

    def raise_exception(message: str) -> None:
        raise ValueError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False) -> str:
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    return made


def rendered(template: str) -> dict:
    try:
        text = environment().from_string(template).render(**VARIABLES)
        return {"template": template, "text": re.sub(r"0x[0-9a-f]{8,}", "0x…", text)}  # where it lies in memory
    except Exception as error:  # whatever it is, the test wants a refusal
        return {"template": template, "error": type(error).__name__}


def main() -> None:
    expressions = [*PRINTED, *COMPUTED, *FILTERED, *TESTED, *METHODS, *ARGUMENTS, *SILENT]
    cases = [rendered("{{ " + expression + " }}") for expression in expressions] + [rendered(one) for one in [*STATEMENTS, *SPACING]]
    out = {"command": "python test/golden/chat-templates/constructs.py", "variables": VARIABLES, "cases": cases}
    (HERE / "constructs.json").write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
