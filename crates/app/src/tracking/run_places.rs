use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// So many runs are remembered at once; then all are forgotten.
const REMEMBERED: usize = 16_384;

/// Which experiment runs are in. A run never changes it, so that what was read once need not be asked before each request;
/// only runs that are there are remembered.
#[derive(Debug, Default)]
pub(crate) struct RunPlaces(Mutex<HashMap<u128, Box<str>>>);

impl RunPlaces {
    pub(crate) fn experiment_of(&self, run_id: &str) -> Option<String> {
        let key = key(run_id)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).map(|experiment| experiment.to_string())
    }

    pub(crate) fn learn(&self, run_id: &str, experiment: &str) {
        let Some(key) = key(run_id) else { return };
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= REMEMBERED && !places.contains_key(&key) {
            places.clear();
        }
        places.entry(key).or_insert_with(|| experiment.into());
    }
}

/// A run's id as a number. Capital letters and signs, which would name the same number, are in no id.
fn key(run_id: &str) -> Option<u128> {
    if super::runs::is_run_id(run_id) { u128::from_str_radix(run_id, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_id_is_known() {
        let places = RunPlaces::default();
        let id = "0123456789abcdef0123456789abcdef";
        places.learn(id, "7");
        assert_eq!(places.experiment_of(id).as_deref(), Some("7"));
        for other in [id.to_uppercase(), format!("+{}", &id[1..]), id[1..].to_owned(), format!("0{id}"), String::new()]
        {
            assert_eq!(places.experiment_of(&other), None, "{other}");
            places.learn(&other, "8");
        }
        assert_eq!(places.experiment_of(id).as_deref(), Some("7"));
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let places = RunPlaces::default();
        for number in 0..REMEMBERED + 10 {
            places.learn(&format!("{number:032x}"), "1");
        }
        assert!(places.0.lock().unwrap().len() <= REMEMBERED);
        assert_eq!(places.experiment_of(&format!("{:032x}", REMEMBERED + 9)).as_deref(), Some("1"));
    }
}
