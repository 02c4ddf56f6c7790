//! Linear models of scikit-learn.

use sealyard_formats::numeric::{Dense, Values};

use super::{Attribute, LoadError, Loaded, Object};
use crate::ir::{Classes, Estimator, Linear, LinearClassifier};

/// Sums beyond this many are no classic linear model.
const MAX_TARGETS: usize = 100_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Regressor,
    Classifier,
}

/// The class of a linear model whose `predict` is `X · coef_ + intercept_`, or the class with the largest such sum.
/// Modules are those before and since scikit-learn 0.22.
fn kind(module: &str, class: &str) -> Option<Kind> {
    let module = module.strip_prefix("sklearn.linear_model.")?;
    let kind = match (module.trim_start_matches('_'), class) {
        ("base", "LinearRegression")
        | ("ridge", "Ridge" | "RidgeCV")
        | ("coordinate_descent", "Lasso" | "LassoCV" | "ElasticNet" | "ElasticNetCV") => Kind::Regressor,
        ("logistic", "LogisticRegression" | "LogisticRegressionCV")
        | ("ridge", "RidgeClassifier" | "RidgeClassifierCV") => Kind::Classifier,
        _ => return None,
    };
    Some(kind)
}

/// What `predict` calls on the estimator itself: an attribute of such a name would be called instead.
const METHODS: &[&str] = &[
    "predict",
    "decision_function",
    "_decision_function",
    "_validate_data",
    "_check_feature_names",
    "_check_n_features",
    "_get_tags",
    "_more_tags",
];

/// Builds the estimator of a known class; any other class is [`Loaded::NotNative`].
pub(super) fn build(object: &dyn Object) -> Result<Loaded, LoadError> {
    let (module, class) = object.class();
    let path = format!("{module}.{class}");
    let Some(kind) = kind(&module, &class) else { return Ok(Loaded::NotNative { class: path }) };
    for name in METHODS {
        if !matches!(object.attribute(name), Ok(Attribute::Absent)) {
            return Err(wrong(name, "hides the method of that name"));
        }
    }
    let coefficients = numbers(object, "coef_")?;
    let intercepts = numbers(object, "intercept_")?;
    let linear = linear(coefficients, intercepts)?;
    let features = linear.coefficients.first().map_or(0, Vec::len);
    check_features(object, features)?;
    let feature_names = feature_names(object, features)?;
    let estimator = match kind {
        Kind::Regressor => Estimator::Linear(linear),
        Kind::Classifier => match classes(object)? {
            Some(classes) => classifier(linear, classes)?,
            None => return Ok(Loaded::NotNative { class: path }),
        },
    };
    Ok(Loaded::Native { estimator, class: path, feature_names })
}

fn wrong(name: &'static str, why: impl Into<String>) -> LoadError {
    LoadError::Attribute { name, why: why.into() }
}

fn dense(object: &dyn Object, name: &'static str) -> Result<Option<Dense>, LoadError> {
    match object.attribute(name).map_err(|why| wrong(name, why))? {
        Attribute::Dense(dense) => Ok(Some(dense)),
        Attribute::Absent => Ok(None),
        Attribute::Text(_) | Attribute::Other => Err(wrong(name, "is neither a number nor an array")),
    }
}

/// Shape and finite numbers of a required attribute.
fn numbers(object: &dyn Object, name: &'static str) -> Result<(Vec<usize>, Vec<f64>), LoadError> {
    let dense = dense(object, name)?.ok_or_else(|| wrong(name, "is missing: is the model fitted?"))?;
    let values = dense.values.to_f64().ok_or_else(|| wrong(name, "holds no plain numbers"))?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err(wrong(name, "holds a number that is not finite"));
    }
    Ok((dense.shape, values))
}

fn linear(coefficients: (Vec<usize>, Vec<f64>), intercepts: (Vec<usize>, Vec<f64>)) -> Result<Linear, LoadError> {
    let (shape, values) = coefficients;
    let (rows, features, listed) = match shape.as_slice() {
        [features] => (1, *features, false),
        [rows, features] => (*rows, *features, true),
        _ => return Err(wrong("coef_", "has neither one nor two dimensions")),
    };
    if rows == 0 || features == 0 || rows > MAX_TARGETS || values.len() != rows.saturating_mul(features) {
        return Err(wrong("coef_", "is empty or too large"));
    }
    let coefficients = values.chunks_exact(features).map(<[f64]>::to_vec).collect();
    let (shape, values) = intercepts;
    let intercepts = match (shape.as_slice(), values.as_slice()) {
        ([], [only]) => vec![*only; rows],
        // A list of one is added to every target, as numpy spreads it.
        ([1], [only]) => vec![*only; rows],
        ([count], values) if *count == rows && listed => values.to_vec(),
        _ => return Err(wrong("intercept_", "has another shape than coef_ asks for")),
    };
    Ok(Linear { coefficients, intercepts, listed })
}

fn check_features(object: &dyn Object, features: usize) -> Result<(), LoadError> {
    // Before scikit-learn 0.24 there is no such attribute.
    let Some(dense) = dense(object, "n_features_in_")? else { return Ok(()) };
    match dense.values {
        Values::Int(values) if values == [i64::try_from(features).unwrap_or(i64::MAX)] => Ok(()),
        _ => Err(wrong("n_features_in_", "differs from the width of coef_")),
    }
}

fn feature_names(object: &dyn Object, features: usize) -> Result<Option<Vec<String>>, LoadError> {
    match dense(object, "feature_names_in_")? {
        None => Ok(None),
        Some(Dense { values: Values::Text(names), .. }) if names.len() == features => Ok(Some(names)),
        Some(_) => Err(wrong("feature_names_in_", "differs from the width of coef_")),
    }
}

/// The labels; `None` if the classifier gives several labels a row.
fn classes(object: &dyn Object) -> Result<Option<Classes>, LoadError> {
    let has_binarizer = object.class().1.starts_with("RidgeClassifier");
    let binarizer = if has_binarizer { object.object("_label_binarizer") } else { None };
    if has_binarizer && binarizer.is_none() {
        return Err(wrong("_label_binarizer", "is missing"));
    }
    if let Some(binarizer) = &binarizer {
        match binarizer.attribute("y_type_") {
            Ok(Attribute::Text(text)) if text.starts_with("multilabel") => return Ok(None),
            Ok(Attribute::Text(_)) => {}
            _ => return Err(wrong("_label_binarizer", "does not say of which kind the labels are")),
        }
    }
    let found = match &binarizer {
        // There `classes_` is a property, which no attribute of the same name can hide.
        Some(binarizer) => dense(&**binarizer, "classes_")?,
        None => dense(object, "classes_")?,
    };
    let Dense { shape, values } = found.ok_or_else(|| wrong("classes_", "is missing"))?;
    if shape.len() != 1 {
        return Err(wrong("classes_", "is not a plain list"));
    }
    match values {
        Values::Int(labels) => Ok(Some(Classes::Int(labels))),
        Values::Float(labels) if labels.iter().all(|label| label.is_finite()) => Ok(Some(Classes::Float(labels))),
        Values::Text(labels) => Ok(Some(Classes::Text(labels))),
        Values::Bool(labels) => Ok(Some(Classes::Bool(labels))),
        _ => Err(wrong("classes_", "holds a label that is not finite")),
    }
}

fn classifier(scores: Linear, classes: Classes) -> Result<Estimator, LoadError> {
    let expected = match scores.coefficients.len() {
        1 => 2,
        many => many,
    };
    if classes.len() != expected {
        return Err(wrong("classes_", "does not fit the rows of coef_"));
    }
    Ok(Estimator::LinearClassifier(LinearClassifier { scores, classes }))
}
