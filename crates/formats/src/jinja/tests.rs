use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Template {
    Template::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn texts(text: &str) -> Vec<String> {
    let template = parse(text);
    let bindings = Bindings::of(&template);
    let Some(Tag { statement: Statement::Use(all), .. }) = template.tags.last() else { panic!("{text}") };
    bindings.texts(&all[0])
}

#[test]
fn what_chat_templates_say_is_read() {
    for text in [
        "{%- if messages[0]['role'] == 'system' -%}{% set loop_messages = messages[1:] %}{% endif %}",
        "{{- '<|im_start|>' + message.role + '\n' + message.content|trim + '<|im_end|>' }}",
        "{%- set ns = namespace(a=true, last=messages|length - 1) %}{%- for m in messages[::-1] %}{% set ns.a = false %}{% endfor %}",
        "{% for key, value in tool.items() if value is not none and not(key in ['a', 'b']) recursive %}{{ loop(value) }}{% endfor %}",
        "{% macro f(x, y=none) -%}{{ x.split('</think>')[-1].lstrip('\\n') if x is string else y }}{%- endmacro %}{{ f(1, y={'a': 1}) }}",
        "{% raw %}{{ not a tag }}{% endraw %}{# {{ nor this #}{{ messages[0].content }}",
        "{% generation %}{{ a }}{% endgeneration %}{% break %}{% continue %}",
        "{{ x is divisibleby 3 }}{{ x is not in [1] or x is defined and y is mapping }}{{ {'a': {'b': 1}}['a'] }}",
        "{%+ set a, b = 1, 2 +%}{% set text %}...{% endset %}{% set text | trim %} a {% endset %}{{- raise_exception('no' ~ 1.5e3) -}}",
        "{% call(user) list(users) %}{{ user }}{% endcall %}{% filter upper | indent(2) %}a{% endfilter %}",
        "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list | last }}",
        "{% if (not a) and -1 < b ** 2 <= 0x1F // 2 %}{% elif x[1:,] %}{% else %}{% endif %}{{ 'a' 'b' }}{{ () }}{{ a.0 }}",
        "{% with a = 1, b = x %}{% endwith %}{% block b scoped %}{% endblock b %}{{ f(*a, **b) }}",
        "a { b } {c {{ '}}' }} %}",
    ] {
        assert!(!parse(text).tags.is_empty(), "{text}");
    }
}

#[test]
fn what_is_no_template_is_an_error_with_its_place() {
    for (text, offset) in [
        ("{{ a", 0),
        ("ab{{ 'a }}", 5),
        ("{# a", 0),
        ("{% raw %}{{", 0),
        ("{{ a b }}", 5),
        ("{{ a ? }}", 5),
        ("{% load x %}", 3),
        ("{{ a) }}", 4),
        ("{{ }}", 0),
    ] {
        assert_eq!(Template::parse(text).map_err(|error| error.offset), Err(offset), "{text}");
    }
}

#[test]
fn escapes_are_those_of_python() {
    for (text, value) in [
        (r"{{ '\x5f\137\u005f\U0000005f\N{LOW LINE}' }}", "_____"),
        (r"{{ '\n\t\\\'\q\x5' }}", "\n\t\\'\\q\\x5"),
        ("{{ 'a\\\nb' }}", "ab"),
    ] {
        assert_eq!(texts(text), [value], "{text}");
    }
}

#[test]
fn texts_are_followed_however_they_are_put_together() {
    for text in [
        "{{ '__cl' + 'ass__' }}",
        "{{ '__cl' ~ 'ass__' }}",
        "{{ '__cl' 'ass__' }}",
        "{{ ['__cl', 'ass__'] | join }}",
        "{{ ''.join(['__cl', 'ass__']) }}",
        "{{ '%s%s' % ('__cl', 'ass__') }}",
        "{{ '%sclass%s' | format('__', '__') }}",
        "{{ '{}class{}'.format('__', '__') }}",
        "{{ '%c%cclass__' % (95, 95) }}",
        "{{ '__ssalc__' | reverse }}",
        "{{ '__ssalc__'[::-1] }}",
        "{{ 'xxclassxx'.replace('x', '_') }}",
        "{{ 'XXCLASSXX' | replace('X', '_') | lower }}",
        "{{ dict(__cl=1, ass__=2) | join }}",
        "{{ ('_' * 2) ~ 'class' ~ '_' * 2 }}",
        "{% set a = '__cl' %}{% set b = a ~ 'ass__' %}{{ b }}",
        "{% set ns = namespace(a='__cl') %}{{ ns.a ~ 'ass__' }}",
        "{% set a = '__cl' %}{% set b = a ~ 'ass__' %}{% set a = b %}{{ b }}",
        "{% for a in ['__class__'] %}{{ a }}{% endfor %}",
        "{% for a, b in [['x', '__class__']] %}{{ b }}{% endfor %}",
        "{% macro f(x) %}{% endmacro %}{% set y = f('__class__') %}{{ x }}",
        "{% with x = '__class__' %}{{ x }}",
        "{{ 'a__class__b'[1:-1] }}",
        "{{ x | default('__class__') }}",
        "{{ ('a', '__class__')[1] }}",
        "{{ 'class'.center(9, '_') }}",
        "{{ 'class__'.rjust(9, '_') }}",
        "{{ '__class'.ljust(9, '_') }}",
        r"{{ '_\t_class_\t_'.expandtabs(0) }}",
        r"{{ 'a\tb\tc'.expandtabs(4) | replace('a   b   c', '__class__') }}",
        "{{ '&#95;&#x5f;class&#95_' | striptags }}",
        "{{ '&lowbar;_class<!-- > --><b>_</b>&UnderBar;' | striptags }}",
        "{{ ['__cl', 'ass__'] | sum(start='') }}",
        "{{ [['__cl'], ['ass__']] | sum(start=[]) | join }}",
        "{{ 'x.__class__.y'.partition('.')[2].rpartition('.')[0] }}",
    ] {
        // The last one is what is asked for where there are several.
        assert_eq!(texts(text).last().map(String::as_str), Some("__class__"), "{text}");
    }
    assert!(texts("{{ a ~ 'b' }}").is_empty());
}

#[test]
fn names_are_told_by_what_binds_them() {
    let template = parse(
        "{% macro f(p) %}{% endmacro %}{% macro g() %}{% endmacro %}{% set g = x %}{% set k = bos %}{% set ns.a = k %}{{ f(ns.a) }}{{ ns.b }}",
    );
    let bindings = Bindings::of(&template);
    assert_eq!(["f", "g", "p", "k", "x"].map(|name| bindings.is_macro(name)), [true, false, false, false, false]);
    let reached = template.tags.iter().rev().flat_map(|tag| tag.statement.expressions());
    let reached: Vec<_> = reached.map(|expression| bindings.reaches(expression, |name| name == "bos")).collect();
    // From the last tag to the first: `ns.b`, the call, what `ns.a` gets and itself, and so on.
    assert_eq!(reached, [false, true, true, true, true, true, false, false], "{:?}", template.tags);
}

#[test]
fn nothing_grows_without_bound() {
    for text in [
        "{{ 'a' * 1000000000 }}".to_owned(),
        "{{ 'a'.center(99999999999999) }}{{ 'a'.rjust(9999999999) }}".to_owned(),
        format!("{{{{ '{}'.expandtabs(999999999999) }}}}", "\\t".repeat(1000)),
        "{% set a = a ~ a %}{{ a }}".to_owned(),
        format!(
            "{}{{{{ a9 }}}}",
            (0..10).map(|n| format!("{{% set a{n} = 'aaaaaaaa' ~ a{} ~ a{} %}}", n - 1, n - 1)).collect::<String>()
        ),
        format!("{{{{ {}1 }}}}", "1+".repeat(100_000)),
        format!("{{{{ [{}] | join }}}}", "'a',".repeat(100_000)),
    ] {
        let template = parse(&text);
        let bindings = Bindings::of(&template);
        for expression in template.tags.iter().flat_map(|tag| tag.statement.expressions()) {
            assert!(bindings.texts(expression).iter().all(|text| text.len() <= 5000));
        }
    }
    // Each of many names stands for all of them.
    let all = (0..200).map(|n| format!("a{n}")).collect::<Vec<_>>().join(" ~ ");
    let wide: String = (0..200).map(|n| format!("{{% set a{n} = 'x' %}}{{% set a{n} = {all} %}}")).collect();
    let template = parse(&wide);
    let bindings = Bindings::of(&template);
    for expression in template.tags.iter().flat_map(|tag| tag.statement.expressions()) {
        let _ = bindings.values(expression);
    }
    assert!(!bindings.is_exhausted());
    // Each of many is short to write and long to have.
    let template = parse(&"{{ 'a' * 4000 }}".repeat(100_000));
    let bindings = Bindings::of(&template);
    for expression in template.tags.iter().flat_map(|tag| tag.statement.expressions()) {
        let _ = bindings.values(expression);
    }
    assert!(bindings.is_exhausted());
    // As deep as it may be, on the stack of a thread.
    let deep = format!("{{{{ {}a{} }}}}", "(".repeat(40), format!("){}", ".b".repeat(35)).repeat(40));
    let template = parse(&deep);
    template.tags[0].statement.expressions()[0].walk(&mut |_| {});
    for text in ["(", "[", "{1:", "not ", "-", "a[", "1 if "] {
        assert!(Template::parse(&format!("{{{{ {}", text.repeat(100_000))).is_err());
    }
    for text in [".a", "|a", "()", "[1]", " is a"] {
        assert!(Template::parse(&format!("{{{{ a{} }}}}", text.repeat(100_000))).is_err());
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r"(\{\{|\}\}|\{%|%\}|\{#|#\}|set |for |in |if |macro |[a-z_]{1,3}|[0-9]|'[^']{0,4}'|[-+*/%~|.,:(){}\[\]=<> ]|\\|é){0,40}") {
        if let Ok(template) = Template::parse(&text) {
            let bindings = Bindings::of(&template);
            for expression in template.tags.iter().flat_map(|tag| tag.statement.expressions()) {
                let _ = bindings.values(expression);
            }
        }
    }
}
