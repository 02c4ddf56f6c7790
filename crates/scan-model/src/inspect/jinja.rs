use sealyard_core::ReadAt;
use sealyard_formats::jinja::{Bindings, MAX_TEMPLATE, Template};
use sealyard_scan::FactKind;

use super::text;
use crate::context::Context;
use crate::rules::jinja::{self, Artifact};

/// Whether the name is that of a template.
pub(super) fn is_named(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [".jinja", ".jinja2", ".j2"].iter().any(|ending| path.ends_with(ending))
}

/// A template of Jinja, such as that of a chat.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let kind = text::inspect_as("jinja", data, context);
    if let Some(bytes) = context.read(data, MAX_TEMPLATE as u64) {
        template(&String::from_utf8_lossy(&bytes), context);
    }
    kind
}

/// Looks at a template wherever it was found.
pub(super) fn template(text: &str, context: &mut Context) {
    if !context.step(text.len() as u64 / 16 + 1) {
        return;
    }
    match Template::parse(text) {
        Ok(template) => {
            let bindings = Bindings::of(&template);
            let artifact = Artifact { template: &template, bindings };
            jinja::run(&artifact, context.sink());
            if artifact.bindings.is_exhausted() {
                context.miss("there is more in the template than is looked at");
            }
            context.fact(FactKind::Property, "template tags", template.tags.len());
        }
        // Readers that take more than Jinja does may still run it.
        Err(error) => {
            jinja::unread(text, context.sink());
            context.miss(format!("the template can't be read: {error}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use super::*;

    fn look(text: &str) -> (Verdict, Vec<String>) {
        let mut context = Context::new("chat_template.jinja");
        let kind = crate::inspect::content(&text.as_bytes(), &mut context);
        let report = context.finish("chat_template.jinja", kind);
        (report.verdict, report.findings.into_iter().map(|finding| finding.rule).collect())
    }

    #[test]
    fn what_leaves_the_template_is_found() {
        for text in [
            "{{ ''.__class__.__mro__[1].__subclasses__() }}",
            "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
            "{{ lipsum.__globals__['os'].popen('id').read() }}",
            "{{ self.__init__.__globals__.__builtins__.__import__('os').popen('id').read() }}",
            "{{ self._TemplateReference__context.cycler.__init__.__globals__.os.popen('id').read() }}",
            "{{ request.application.__globals__.__builtins__.__import__('os').popen('id').read() }}",
            r#"{{ request|attr('application')|attr('\x5f\x5fglobals\x5f\x5f')|attr('\x5f\x5fgetitem\x5f\x5f')('\x5f\x5fbuiltins\x5f\x5f') }}"#,
            "{{ ''['__cl'+'ass__'] }}",
            "{{ ''|attr('__cla'~'ss__') }}",
            "{{ ''|attr(['__','class','__']|join) }}",
            "{{ ''|attr('%sclass%s'|format('__','__')) }}",
            "{{ ''|attr('__ssalc__'|reverse) }}",
            r#"{{ ''["\u005f\u005fclass\u005f\u005f"] }}"#,
            "{{ ''|attr('X'.replace('X','__class__')) }}",
            "{% for x in ().__class__.__base__.__subclasses__() %}{% if 'warning' in x.__name__ %}{{ x()._module.__builtins__['__import__']('os').popen('id').read() }}{% endif %}{% endfor %}",
            "{% set a = '__cl' %}{% set b = 'ass__' %}{{ ''[a ~ b] }}",
            "{% set c = dict(__cl=1, ass__=2)|join %}{{ ''|attr(c) }}",
            "{% set u = (lipsum|string|list)[18] %}{{ ''|attr(u*2 ~ 'class' ~ u*2) }}",
            "{% set n = namespace(k='') %}{% for c in ['__cl','ass__'] %}{% set n.k = n.k ~ c %}{% endfor %}{{ ''[n.k] }}",
            "{% set p = ({}|select()|string|list).pop(24) %}{{ ''|attr(p ~ p ~ 'class' ~ p ~ p) }}",
            "{{ [''] | map('attr','__class__') | list }}",
            "{{ [''] | map(attribute='__class__') | list }}",
            "{{ [x]|selectattr('__class__') }}",
            "{{ ['']|groupby('__class__.__mro__') }}",
            "{% include '/etc/passwd' %}",
            "{% import 'os' as os %}{{ os.popen('id') }}",
            "{% from 'x' import y %}",
            "{% extends 'b' %}",
            "{{ config.items() }}",
            "{{ url_for.__globals__ }}",
            "{{ get_flashed_messages.__globals__ }}",
            "{{ g.pop.__globals__ }}",
            "{{ namespace.__init__.__globals__ }}",
            "{{ joiner.__init__.__globals__ }}",
            "{{ raise_exception.__globals__ }}",
            "{{ messages.__class__ }}",
            "{{ os.system('id') }}",
            "{{ eval('1') }}",
            "{{ __import__('os') }}",
            "{{ open('/etc/passwd').read() }}",
            "{{ '{0.__class__}'.format(1) }}",
            "{{ '{0[__class__]}'.format_map({}) }}",
            "{{ ('%c'*2)|format(95,95) }}",
            "{% for i in range(1000000000) %}a{% endfor %}",
            "{{ 'A' * 10000000000 }}",
            "{{ 9**9999999 }}",
            "{{ 'a'.rjust(99999999999) }}",
            "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}",
            "{{ m.func_globals }}",
            "{{ (1).__class__ }}",
            "{{ x.gi_frame.f_back.f_globals }}",
            "{{ ()|attr('mro') }}",
            "{% set x = ''['__class__'] %}",
            "{% if ''.__class__ %}{% endif %}",
            "{% with a=''.__class__ %}{% endwith %}",
            "{% filter attr('__class__') %}a{% endfilter %}",
            "{% call ''.__class__() %}{% endcall %}",
            "{% block a %}{{ self.a.__globals__ }}{% endblock %}",
            "{{ ''|attr(request.args.x) }}",
            "{{ ''[request.args.x] }}",
            "{{ messages|attr(x) }}",
            "{% do ''.__class__ %}",
            "{{ ''.__class__ is defined }}",
            "{{ 'a' if ''.__class__ else 'b' }}",
            "{{ {'a': ''.__class__} }}",
            "{% autoescape false %}{{ ''.__class__ }}{% endautoescape %}",
            "{{ ''.__class__ ",
            "{% foo %}{{ ''.__class__ }}",
            "{% trans %}{{ ''.__class__ }}{% endtrans %}",
            "{{ ''\n.__class__ }}",
            "{{ ''. __class__ }}",
            "{{- ''.__class__ -}}",
            "{{ ''|attr('_'*2+'class'+'_'*2) }}",
            "{{ ''|attr('__CLASS__'|lower) }}",
            "{{ ''|attr('class'|center(9)|replace(' ','_')) }}",
            "{{ ''|attr('__%s__' % 'class') }}",
            "{{ ''|attr('a__class__b'[1:-1]) }}",
            "{% set k='globals'.center(11,'_') %}{% set d=raise_exception[k] %}{% set f=d['os']['system'] %}{{ f('x') }}",
            "{{ x['globals'.center(11,'_')] }}",
            "{% set k='&#95;&#95;globals&#95;&#95;'|striptags %}{{ x[k] }}",
            "{% set d=raise_exception[bos_token] %}{% set o=d['os'] %}{% set f=o['system'] %}{{ f('x') }}",
            "{% set f=x['system'] %}{{ f('id') }}",
            "{% set range=x['system'] %}{{ range('id') }}",
            "{% macro f() %}{% endmacro %}{% set f=x['system'] %}{{ f('id') }}",
            "{% set ns=namespace(upper=x['system']) %}{{ ns.upper('id') }}",
            "{% set k=['_','_','globals','_','_']|sum(start='') %}{{ x[k] }}",
            r"{% set k='_\t_globals_\t_'.expandtabs(0) %}{{ x[k] }}",
            "{% macro f(a) %}{{ raise_exception[a] }}{% endmacro %}{{ f(x) }}",
            "{% macro f(a) %}{{ a[x] }}{% endmacro %}{{ f(raise_exception) }}",
            "{% macro f(a=raise_exception) %}{{ a[x] }}{% endmacro %}{{ f() }}",
            "{% macro f() %}{% endmacro %}{{ f[x] }}",
            "{% set r = raise_exception %}{{ r[x] }}",
            "{% set raise_exception = raise_exception %}{{ raise_exception[x] }}",
            "{{ (raise_exception or x)[y] }}",
            "{{ (strftime_now if x else tojson)[y] }}",
            "{% set k = bos_token %}{{ messages[k] }}",
            "{{ [raise_exception]|map(attribute=bos_token)|list }}",
            "{{ [x]|map(attribute=bos_token)|list }}",
            "{{ [x]|sort(attribute=y) }}",
            "{{ [x]|groupby(y) }}",
            "{{ [x]|selectattr(y) }}",
        ] {
            let (verdict, rules) = look(text);
            assert!(matches!(verdict, Verdict::Unsafe | Verdict::Suspicious), "{text}");
            assert!(rules.iter().all(|rule| rule.starts_with("jinja-")), "{text}: {rules:?}");
        }
    }

    #[test]
    fn what_chat_templates_do_is_safe() {
        for text in [
            "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{{ message['content'].strip() }}{% endfor %}",
            "{%- set ns = namespace(found=false) %}{%- for key, value in tool.function.parameters.properties.items() %}{{ key ~ ': ' ~ value.type | replace('_', ' ') }}{%- endfor %}{{ messages[loop.index0 - 1]['role'] }}",
            "{%- macro render(x, depth=0) -%}{{ x | tojson(indent=4) }}{%- if depth < 3 %}{{ render(x, depth + 1) }}{% endif %}{%- endmacro -%}{{ render(tools) }}{{ strftime_now('%d %b %Y') }}",
            "{{ messages[1:] | map(attribute='content') | join('\\n') | trim }}{{ content.split('</think>')[-1].lstrip('\\n') }}",
            "{% for x in range(messages | length) %}{{ messages[x].content }}{% endfor %}{{ {'a': 1}['a'] }}{{ '%s: %d' | format(name, 3) }}",
            "{% if strftime_now is defined and not raise_exception %}{% set date = strftime_now('%d') %}{% endif %}{{ table[spec.type] }}{% macro f(x) %}{{ x }}{% endmacro %}{{ f(table[date]) }}",
            "{{ messages | selectattr('role', 'equalto', role) | map(attribute='content') | join(eos_token) }}{{ bos_token + messages[index].content.split(eos_token)[0] }}",
            "A letter to {{ config_name }}, with {{ self_name }}. __class__ outside of a tag is a word.",
        ] {
            assert_eq!(look(text), (Verdict::Safe, vec![]), "{text}");
        }
    }

    #[test]
    fn what_can_not_be_read_is_not_assessed() {
        assert_eq!(look("{{ messages "), (Verdict::NotAssessed, vec![]));
    }
}
