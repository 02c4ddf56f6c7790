use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sealyard_identity::{Authorized, ExperimentId, Read};
use sealyard_store::model::{SortValue, TracePage, TraceQuery};

use super::{filter, limits};
use crate::{App, AppError};

/// Bytes of a page token.
const MAX_TOKEN: usize = 32 * 1024;
/// What a page token of this search begins with.
const PREFIX: &str = "t-";
/// Traces on a page that nobody asked a number for.
const DEFAULT_PAGE: i64 = 100;

/// A search for traces, as clients write it.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct SearchTraces {
    pub filter: String,
    pub order_by: Vec<String>,
    pub max_results: Option<i64>,
    pub page_token: String,
}

impl App {
    /// Traces of the experiments that the proofs are for, and the token of the next page.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn search_traces(
        &self,
        may: &[Authorized<Read, ExperimentId>],
        search: SearchTraces,
    ) -> Result<(TracePage, Option<String>), AppError> {
        let asked = search.max_results.unwrap_or(DEFAULT_PAGE);
        if !(1..=limits::TRACES_PER_PAGE).contains(&asked) {
            let most = limits::TRACES_PER_PAGE;
            return Err(AppError::Invalid(format!(
                "Invalid value {asked} for parameter 'max_results' supplied: It must be between 1 and {most}"
            )));
        }
        let experiments: Vec<String> = may.iter().map(|may| may.resource().to_string()).collect();
        let query = TraceQuery {
            experiments,
            filter: filter::conditions(&search.filter)?,
            and_also: Vec::new(),
            order: filter::order(&search.order_by)?,
            limit: u32::try_from(asked).unwrap_or(1),
            after: read_token(&search.page_token)?,
        };
        if query.experiments.is_empty() {
            return Ok((TracePage { items: Vec::new(), next: None }, None));
        }
        let page = self.store().read(move |tx| Ok::<_, AppError>(tx.search_traces(&query)?)).await?;
        let token = page.next.as_ref().map(|values| write_token(values)).transpose()?;
        Ok((page, token))
    }
}

fn write_token(values: &[SortValue]) -> Result<String, AppError> {
    let json = serde_json::to_vec(values).map_err(|error| AppError::internal("a page token", error))?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json)))
}

/// A token holds where the last page ended: values that its reader saw. Changed, it only names another place in what its
/// reader may see.
fn read_token(text: &str) -> Result<Option<Vec<SortValue>>, AppError> {
    if text.is_empty() {
        return Ok(None);
    }
    let invalid = || AppError::Invalid("Invalid page token".to_owned());
    let encoded = text.strip_prefix(PREFIX).filter(|rest| rest.len() <= MAX_TOKEN).ok_or_else(invalid)?;
    let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| invalid())?;
    let values: Vec<SortValue> = serde_json::from_slice(&json).map_err(|_| invalid())?;
    Ok(Some(values))
}

/// `bytes` as what a client sent, and as what is inside of a token.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_token(bytes: &[u8]) {
    let _ = read_token(&String::from_utf8_lossy(bytes));
    let inside = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    if let Ok(Some(values)) = read_token(&inside) {
        let again = write_token(&values).ok().and_then(|token| read_token(&token).ok().flatten());
        assert_eq!(again, Some(values), "a token gives back its values");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_others_are_refused() {
        let values = vec![SortValue::None, SortValue::Integer(-5), SortValue::Text("é".into())];
        assert_eq!(read_token(&write_token(&values).unwrap()).unwrap(), Some(values));
        assert_eq!(read_token("").unwrap(), None);
        let long = format!("t-{}", "A".repeat(MAX_TOKEN + 1));
        for text in ["x", "t-", "t-!!", "o-5", "t-e30", "t-W1tdXQ", long.as_str()] {
            assert!(read_token(text).is_err(), "{text}");
        }
    }
}
