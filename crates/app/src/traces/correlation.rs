use sealyard_identity::{Authorized, ExperimentId, Read};
use sealyard_store::model::TraceQuery;

use super::filter;
use crate::{App, AppError};

/// What is added to each count for the smoothed measure (Jeffreys' prior).
const PRIOR: f64 = 0.5;

/// How much two filters find the same traces: normalised pointwise mutual information, from -1 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct Correlation {
    /// `None` where a filter finds nothing.
    pub npmi: Option<f64>,
    pub npmi_smoothed: Option<f64>,
    pub filter1_count: u64,
    pub filter2_count: u64,
    pub joint_count: u64,
    pub total_count: u64,
}

impl App {
    /// Correlates two filters over the traces of the proofs' experiments that a third one finds.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn correlate_traces(
        &self,
        may: &[Authorized<Read, ExperimentId>],
        first: &str,
        second: &str,
        base: &str,
    ) -> Result<Correlation, AppError> {
        let base = filter::conditions(base)?;
        let with_base = |text: &str| {
            let mut conditions = base.clone();
            conditions.extend(filter::conditions(text)?);
            Ok::<_, AppError>(conditions)
        };
        let (first, second) = (with_base(first)?, with_base(second)?);
        let experiments: Vec<String> = may.iter().map(|may| may.resource().to_string()).collect();
        self.store()
            .read(move |tx| {
                let mut count = |filter, and_also| {
                    let query =
                        TraceQuery { experiments: experiments.clone(), filter, and_also, ..TraceQuery::default() };
                    Ok::<_, AppError>(tx.count_traces(&query)?)
                };
                let total_count = count(base, Vec::new())?;
                let filter1_count = count(first.clone(), Vec::new())?;
                let filter2_count = count(second.clone(), Vec::new())?;
                let joint_count = count(first, second)?;
                Ok(measure(joint_count, filter1_count, filter2_count, total_count))
            })
            .await
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of rows")]
fn measure(joint_count: u64, filter1_count: u64, filter2_count: u64, total_count: u64) -> Correlation {
    let mut correlation =
        Correlation { npmi: None, npmi_smoothed: None, filter1_count, filter2_count, joint_count, total_count };
    let only_first = filter1_count.checked_sub(joint_count);
    let only_second = filter2_count.checked_sub(joint_count);
    let neither = (total_count + joint_count).checked_sub(filter1_count + filter2_count);
    let (Some(only_first), Some(only_second), Some(neither)) = (only_first, only_second, neither) else {
        return correlation;
    };
    if filter1_count == 0 || filter2_count == 0 {
        return correlation;
    }
    let counts = [joint_count, only_first, only_second, neither].map(|count| count as f64);
    correlation.npmi = if joint_count == 0 { Some(-1.0) } else { npmi(counts, 0.0) };
    correlation.npmi_smoothed = npmi(counts, PRIOR);
    correlation
}

fn npmi(counts: [f64; 4], smoothing: f64) -> Option<f64> {
    let [_, only_first, only_second, neither] = counts;
    if only_first + only_second + neither == 0.0 {
        return Some(1.0);
    }
    let [joint, only_first, only_second, neither] = counts.map(|count| count + smoothing);
    let total = joint + only_first + only_second + neither;
    let (first, second) = (joint + only_first, joint + only_second);
    let mutual = joint.ln() + total.ln() - first.ln() - second.ln();
    let most = total.ln() - joint.ln();
    let value = mutual / most;
    value.is_finite().then(|| value.clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measure_is_mlflows() {
        // Computed by hand from the definition: ln(6·10 / (6·7)) / ln(10 / 6).
        let found = measure(6, 6, 7, 10).npmi.unwrap();
        assert!((found - (60.0f64 / 42.0).ln() / (10.0f64 / 6.0).ln()).abs() < 1e-12);
        assert_eq!(measure(0, 3, 4, 10).npmi, Some(-1.0));
        assert_eq!(measure(0, 0, 4, 10).npmi, None);
        assert_eq!(measure(5, 5, 5, 5).npmi, Some(1.0));
        assert_eq!(measure(0, 0, 0, 0).npmi_smoothed, None);
        assert!(measure(3, 4, 3, 10).npmi_smoothed.unwrap() > 0.3);
    }
}
