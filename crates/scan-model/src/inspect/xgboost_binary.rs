use sealyard_core::ReadAt;
use sealyard_scan::FactKind;

use super::unsupported;
use crate::context::Context;

/// Bytes of the first parameters, behind the four letters: numbers, and room for more.
const PARAMETERS: usize = 136;
/// What objectives and boosters begin with.
const OBJECTIVES: &[&str] = &["reg:", "binary:", "multi:", "rank:", "count:", "survival:"];
const BOOSTERS: &[&str] = &["gbtree", "gblinear", "dart"];

/// XGBoost's binary form from before 2.1: parameters, the names of the objective and the booster, trees as numbers.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let Some(head) = context.head(data, 4096) else { return "xgboost" };
    let names = head.strip_prefix(b"binf").and_then(|rest| rest.get(PARAMETERS..)).and_then(|rest| {
        let (objective, rest) = text(rest)?;
        let (booster, _) = text(rest)?;
        Some((objective, booster))
    });
    match names {
        Some((objective, booster))
            if OBJECTIVES.iter().any(|start| objective.starts_with(start)) && BOOSTERS.contains(&booster) =>
        {
            context.fact(FactKind::Framework, "xgboost", serde_json::Value::Null);
            context.fact(FactKind::Estimator, "booster", booster);
            context.fact(FactKind::Hyperparameter, "objective", objective);
            "xgboost"
        }
        _ => unsupported("xgboost", context),
    }
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok().filter(|length| *length < 64)?;
    Some((std::str::from_utf8(rest.get(..length)?).ok()?, rest.get(length..)?))
}
