//! What a model is once nothing of its framework is left: numbers and how they are combined.

/// A model that is evaluated here.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Estimator {
    /// One or more weighted sums.
    Linear(Linear),
    /// Weighted sums that choose a class.
    LinearClassifier(LinearClassifier),
}

/// `coefficients · x + intercept` for each target.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// One row of weights a target.
    pub coefficients: Vec<Vec<f64>>,
    /// One number a target.
    pub intercepts: Vec<f64>,
    /// Whether a row's prediction is a list of targets, even if there is only one.
    pub listed: bool,
}

/// A linear model whose sums are scores of classes: of each class, or of the second of two.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearClassifier {
    /// The scores.
    pub scores: Linear,
    /// The classes.
    pub classes: Classes,
}

/// Labels of classes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Classes {
    /// Integers.
    Int(Vec<i64>),
    /// Floating-point numbers.
    Float(Vec<f64>),
    /// Text.
    Text(Vec<String>),
    /// Booleans.
    Bool(Vec<bool>),
}

impl Classes {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Int(labels) => labels.len(),
            Self::Float(labels) => labels.len(),
            Self::Text(labels) => labels.len(),
            Self::Bool(labels) => labels.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn label(&self, place: usize) -> Option<Prediction> {
        match self {
            Self::Int(labels) => labels.get(place).map(|label| Prediction::Int(*label)),
            Self::Float(labels) => labels.get(place).map(|label| Prediction::Float(*label)),
            Self::Text(labels) => labels.get(place).map(|label| Prediction::Text(label.clone())),
            Self::Bool(labels) => labels.get(place).map(|label| Prediction::Bool(*label)),
        }
    }
}

/// What a model says about one row.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Prediction {
    /// A number.
    Float(f64),
    /// One number a target.
    Floats(Vec<f64>),
    /// A class.
    Int(i64),
    /// A class.
    Text(String),
    /// A class.
    Bool(bool),
}

/// A row that can't be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// Too few or too many features.
    #[error("a row has {found} features, the model takes {expected}")]
    Features {
        /// What the model takes.
        expected: usize,
        /// What the row has.
        found: usize,
    },
    /// The sum overflowed or a feature is no finite number.
    #[error("a prediction is not a finite number")]
    NotFinite,
}

impl Estimator {
    /// How many features a row has.
    #[must_use]
    pub fn features(&self) -> usize {
        let linear = match self {
            Self::Linear(linear) => linear,
            Self::LinearClassifier(classifier) => &classifier.scores,
        };
        linear.coefficients.first().map_or(0, Vec::len)
    }

    /// Evaluates one row.
    ///
    /// # Errors
    /// [`EvaluateError`] when the row has another number of features, or a result is not finite.
    pub fn predict(&self, row: &[f64]) -> Result<Prediction, EvaluateError> {
        match self {
            Self::Linear(linear) => {
                let sums = linear.sums(row)?;
                match sums.as_slice() {
                    [only] if !linear.listed => Ok(Prediction::Float(*only)),
                    _ => Ok(Prediction::Floats(sums)),
                }
            }
            Self::LinearClassifier(LinearClassifier { scores, classes }) => {
                let sums = scores.sums(row)?;
                let place = match sums.as_slice() {
                    [only] => usize::from(*only > 0.0),
                    many => first_largest(many),
                };
                classes.label(place).ok_or(EvaluateError::NotFinite)
            }
        }
    }
}

impl Linear {
    fn sums(&self, row: &[f64]) -> Result<Vec<f64>, EvaluateError> {
        let sum = |(weights, intercept): (&Vec<f64>, &f64)| {
            if weights.len() != row.len() {
                return Err(EvaluateError::Features { expected: weights.len(), found: row.len() });
            }
            let dot: f64 = weights.iter().zip(row).map(|(weight, feature)| weight * feature).sum();
            let sum = dot + intercept;
            if sum.is_finite() { Ok(sum) } else { Err(EvaluateError::NotFinite) }
        };
        self.coefficients.iter().zip(&self.intercepts).map(sum).collect()
    }
}

/// The place of the largest number, the first of them if there are several, as `argmax` has it.
fn first_largest(scores: &[f64]) -> usize {
    let mut best = 0;
    let mut largest = f64::NEG_INFINITY;
    for (place, score) in scores.iter().enumerate() {
        if *score > largest {
            (best, largest) = (place, *score);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_another_width_and_overflows_are_refused() {
        let linear = Linear { coefficients: vec![vec![1e308, 1e308]], intercepts: vec![0.0], listed: false };
        let estimator = Estimator::Linear(linear);
        assert_eq!(estimator.predict(&[1.0]), Err(EvaluateError::Features { expected: 2, found: 1 }));
        assert_eq!(estimator.predict(&[1.0, 1.0]), Err(EvaluateError::NotFinite));
        assert_eq!(estimator.predict(&[1.0, -1.0]), Ok(Prediction::Float(0.0)));
    }
}
