//! Data sets that runs used, for the pages that filter by them.

use sealyard_identity::{Authorized, ExperimentId, Read};
use sealyard_store::model::DatasetSummary;

use crate::{App, AppError};

/// So many are given at most.
const MOST_SUMMARIES: u32 = 1000;

impl App {
    /// The data sets of the experiments that the proofs are for.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn dataset_summaries(
        &self,
        may: &[Authorized<Read, ExperimentId>],
    ) -> Result<Vec<DatasetSummary>, AppError> {
        let mut experiments: Vec<String> = may.iter().map(|may| may.resource().to_string()).collect();
        experiments.sort();
        experiments.dedup();
        self.store().read(move |tx| Ok(tx.dataset_summaries(&experiments, MOST_SUMMARIES)?)).await
    }
}
