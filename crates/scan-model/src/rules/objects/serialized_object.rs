use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::{Artifact, Form};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports serialized objects of Java, Ruby, PHP, Torch 7 and MATLAB: all streams of Java, objects of classes of Ruby
    /// and PHP, functions and unknown classes of Torch 7, function handles and objects of MATLAB. Classes with which
    /// reading alone is known to run commands are unsafe.
    ///
    /// # Why it matters
    /// Whoever reads such a stream has methods of the classes called that it names, before anything can be checked.
    /// Plain numbers, texts, lists and tables of these languages are no news.
    ///
    /// # What to do
    /// Ask for the model as data: arrays, ONNX, PMML or JSON.
    id: "serialized-object",
    name: "Serialized objects of another language",
    severity: Medium,
    summary: "A stream makes objects of Java, Ruby, PHP, Torch 7 or MATLAB when it is read.",
    help: "Ask for the model as data: arrays, ONNX, PMML or JSON.",
    references: [
        "https://cwe.mitre.org/data/definitions/502.html",
        "https://docs.oracle.com/en/java/javase/21/core/serialization-filtering1.html",
    ],
}

/// Beginnings of classes of Java that chains of calls are made of.
const JAVA: &[&str] = &[
    "bsh.",
    "clojure.lang.PersistentArrayMap",
    "clojure.core$",
    "com.alibaba.fastjson.JSONArray",
    "com.mchange.v2.c3p0.",
    "com.sun.jndi.",
    "com.sun.org.apache.bcel.",
    "com.sun.org.apache.xalan.internal.xsltc.trax.TemplatesImpl",
    "com.sun.rowset.JdbcRowSetImpl",
    "com.vaadin.data.util.",
    "groovy.lang.Closure",
    "groovy.util.Expando",
    "java.lang.ProcessBuilder",
    "java.lang.ProcessImpl",
    "java.lang.Runtime",
    "java.rmi.server.",
    "java.rmi.MarshalledObject",
    "javax.management.BadAttributeValueExpException",
    "javax.script.ScriptEngineManager",
    "javassist.",
    "net.sf.json.JSONObject",
    "org.apache.click.control.Column$ColumnComparator",
    "org.apache.commons.beanutils.BeanComparator",
    "org.apache.commons.collections.functors.",
    "org.apache.commons.collections4.functors.",
    "org.apache.commons.collections.keyvalue.TiedMapEntry",
    "org.apache.commons.collections4.keyvalue.TiedMapEntry",
    "org.apache.commons.fileupload.disk.DiskFileItem",
    "org.apache.myfaces.",
    "org.apache.wicket.util.upload.DiskFileItem",
    "org.apache.xalan.xsltc.trax.TemplatesImpl",
    "org.aspectj.weaver.",
    "org.codehaus.groovy.runtime.",
    "org.hibernate.engine.spi.TypedValue",
    "org.jboss.interceptor.",
    "org.jboss.weld.",
    "org.mozilla.javascript.",
    "org.python.core.",
    "org.springframework.beans.factory.",
    "org.springframework.core.SerializableTypeWrapper",
    "sun.reflect.annotation.AnnotationInvocationHandler",
    "sun.rmi.",
];
/// The same of Ruby and PHP.
const RUBY: &[&str] = &[
    "ActionDispatch::",
    "ActiveModel::AttributeMethods::",
    "ActiveSupport::Deprecation::",
    "ERB",
    "Gem::",
    "Kernel",
    "Net::",
    "Process",
    "Sprockets::",
    "TarHeader",
    "UncaughtThrowError",
];
const PHP: &[&str] = &[
    "Composer\\",
    "Doctrine\\",
    "Faker\\",
    "GuzzleHttp\\",
    "Illuminate\\",
    "Monolog\\",
    "Phar",
    "PHPUnit\\",
    "SoapClient",
    "SplFileObject",
    "Swift_",
    "Symfony\\",
    "Zend\\",
    "Zend_",
];
/// What Torch 7's own libraries have: tables of numbers and names.
const TORCH7: &[&str] = &["torch.", "nn.", "cudnn.", "cunn.", "nngraph.", "graph.", "inn.", "tds.", "stn."];

pub(super) fn check(objects: &Artifact, sink: &mut Sink) {
    let mut find = |offset: u64, severity: Severity, message: String| {
        sink.push(Finding::new(&METADATA, sink.at(offset), message).severity(severity));
    };
    let (language, chains): (_, &[&str]) = match objects.form {
        Form::Java => ("Java", JAVA),
        Form::Ruby => ("Ruby", RUBY),
        Form::Php => ("PHP", PHP),
        Form::Torch7 => ("Torch 7", &[]),
        Form::Matlab => ("MATLAB", &[]),
    };
    for (offset, class) in &objects.classes {
        // An array of objects names their class too.
        let name = class.trim_start_matches('[').strip_prefix('L').filter(|_| class.starts_with('[')).unwrap_or(class);
        if chains.iter().any(|chain| name.starts_with(chain)) {
            find(*offset, Severity::Critical, format!("it holds an object of {language} that runs commands: {class}"));
        } else if objects.form != Form::Java
            && !(objects.form == Form::Torch7 && TORCH7.iter().any(|known| class.starts_with(known)))
        {
            find(*offset, Severity::Medium, format!("it holds an object of {language}: {class}"));
        }
    }
    if objects.form == Form::Java {
        let names: Vec<&str> = objects.classes.iter().take(8).map(|(_, class)| class.as_str()).collect();
        find(0, Severity::Medium, format!("it holds objects of Java: {}", names.join(", ")));
    }
    for offset in &objects.functions {
        find(*offset, Severity::Medium, format!("it holds a function of {language}"));
    }
}
