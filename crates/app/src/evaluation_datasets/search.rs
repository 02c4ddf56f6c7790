use sealyard_identity::{Authorized, Effect, ExperimentId, Read};
use sealyard_store::model::{EvaluationDataset, EvaluationDatasetQuery, Page};

use super::access::dataset_id;
use crate::tracking::search::{self, Searched};
use crate::tracking::{Listing, PageToken, Query, experiment_id};
use crate::{App, AppError, Caller};

/// Data sets on one page.
const PER_PAGE: i64 = 1000;

/// A search for data sets, as clients write it.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SearchEvaluationDatasets {
    pub filter: String,
    pub order_by: Vec<String>,
    pub max_results: Option<i64>,
    pub from: PageToken,
}

impl App {
    /// Data sets that the caller may read: of the experiments that the proofs are for, or of all. Gives a page and the token
    /// of the next one.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Unauthenticated`].
    pub async fn search_evaluation_datasets(
        &self,
        caller: &Caller,
        may: &[Authorized<Read, ExperimentId>],
        search: SearchEvaluationDatasets,
    ) -> Result<Listing<EvaluationDataset>, AppError> {
        if caller.principal().is_none() {
            return Err(AppError::Unauthenticated);
        }
        let limit = search.max_results.filter(|asked| *asked != 0).unwrap_or(PER_PAGE);
        let limit =
            usize::try_from(limit).ok().filter(|limit| (1..=PER_PAGE as usize).contains(limit)).ok_or_else(|| {
                AppError::Invalid(format!(
                    "Invalid value {limit} for parameter 'max_results' supplied: It must be between 1 and {PER_PAGE}"
                ))
            })?;
        let filter = search::filter(Searched::EvaluationDatasets, &search.filter)?;
        let order = search::order(Searched::EvaluationDatasets, search.order_by.iter().map(String::as_str))?;
        let experiments: Vec<String> = may.iter().map(|may| may.resource().to_string()).collect();
        let mark = Query::of(&("evaluation datasets", &experiments, &filter, &order));
        let after = self.page_tokens().open_token(mark, &search.from)?;
        let mut query = EvaluationDatasetQuery { experiments, filter, order, limit: PER_PAGE as u32, after };
        let mut items = Vec::new();
        loop {
            let page = self.datasets_page(query.clone()).await?;
            let count = page.items.len();
            for (position, dataset) in page.items.into_iter().enumerate() {
                if !self.sees(caller, &dataset) {
                    continue;
                }
                items.push(dataset);
                if items.len() == limit {
                    let mut next = page.next;
                    if position + 1 < count {
                        query.limit = u32::try_from(position + 1).unwrap_or(u32::MAX);
                        next = self.datasets_page(query).await?.next;
                    }
                    return Ok(self.page_tokens().listing(mark, Page { items, next }));
                }
            }
            match page.next {
                // A backend that does not get on must not keep us here.
                Some(next) if count > 0 && Some(&next) != query.after.as_ref() => query.after = Some(next),
                _ => return Ok(Listing { items, next_page_token: None }),
            }
        }
    }

    async fn datasets_page(&self, query: EvaluationDatasetQuery) -> Result<Page<EvaluationDataset>, AppError> {
        self.store().read(move |tx| Ok(tx.search_evaluation_datasets(&query)?)).await
    }

    fn sees(&self, caller: &Caller, dataset: &EvaluationDataset) -> bool {
        let own = dataset_id(&dataset.id).and_then(|id| self.of_itself::<Read>(caller, &id, &dataset.experiment_ids));
        match own {
            Ok(Effect::Allows) => return true,
            Ok(Effect::Insufficient) => {}
            Ok(_) | Err(_) => return false,
        }
        if dataset.experiment_ids.is_empty() {
            return self.has_alone(caller, dataset);
        }
        dataset.experiment_ids.iter().any(|id| experiment_id(id).is_ok_and(|id| self.may(caller, Read, id)))
    }
}
