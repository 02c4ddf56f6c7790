use sealyard_store::model::OnlineScoring;

use super::{Result, backend, one};
use crate::session::Session;
use crate::sql::Row;

pub(super) fn set(session: &Session<'_>, scoring: &OnlineScoring) -> Result<()> {
    let changed = session.execute(
        "INSERT INTO online_scoring (scorer, id, sample_rate, filter)
         SELECT number, ?2, ?3, ?4 FROM scorers WHERE id = ?1
         ON CONFLICT (scorer) DO UPDATE SET id = excluded.id, sample_rate = excluded.sample_rate, filter = excluded.filter",
        (&scoring.scorer_id, &scoring.id, scoring.sample_rate, &scoring.filter),
    )?;
    one(changed, "scorer", &scoring.scorer_id)
}

pub(super) fn list(session: &Session<'_>, scorers: &[String]) -> Result<Vec<OnlineScoring>> {
    let ids = serde_json::to_string(scorers).map_err(backend)?;
    let sql = format!(
        "SELECT o.id, c.id, c.experiment, o.sample_rate, o.filter FROM online_scoring o JOIN scorers c ON c.number = o.scorer
         WHERE c.id IN {} ORDER BY c.id",
        session.dialect().texts("?1")
    );
    session.all(&sql, [ids], read)
}

fn read(row: &Row<'_>) -> Result<OnlineScoring> {
    Ok(OnlineScoring {
        id: row.get(0)?,
        scorer_id: row.get(1)?,
        experiment_id: row.get::<i64>(2)?.to_string(),
        sample_rate: row.get(3)?,
        filter: row.get(4)?,
    })
}
