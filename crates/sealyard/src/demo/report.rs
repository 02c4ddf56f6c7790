use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, Color, ContentArrangement, Table};
use sealyard_core::Digest;
use serde::Serialize;

/// What the demo showed; `sealyard.demo/1`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    schema: &'static str,
    pub(crate) stages: Vec<Stage>,
    pub(crate) attacks: Vec<Attack>,
    pub(crate) prediction: Prediction,
    ok: bool,
    #[serde(skip)]
    pub(crate) go_on: String,
}

/// One stage of the pipeline.
#[derive(Debug, Serialize)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) ok: bool,
    /// Digests of what the stage left behind as proof.
    pub(crate) evidence: Vec<Digest>,
    pub(crate) seconds: f64,
    /// What was decided or found, for people.
    pub(crate) decision: String,
}

/// One attack that was carried out.
#[derive(Debug, Serialize)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// The rule that must refuse it.
    pub(crate) gate: &'static str,
    /// Whether that very rule did.
    pub(crate) refused: bool,
    /// What the one who attacks is told.
    pub(crate) reason: String,
}

/// Our answer beside scikit-learn's.
#[derive(Debug, Serialize, Clone, Copy)]
pub(crate) struct Prediction {
    pub(crate) ours: f64,
    pub(crate) reference: f64,
}

impl Prediction {
    /// Equal to what scikit-learn gives, and near what the public example prints.
    pub(crate) fn is_right(self) -> bool {
        (self.ours - self.reference).abs() <= 1e-9 && (self.ours - 235.1137).abs() <= 1e-3
    }
}

impl Report {
    pub(crate) fn new(stages: Vec<Stage>, attacks: Vec<Attack>, prediction: Prediction, go_on: String) -> Self {
        let ok = stages.iter().all(|stage| stage.ok)
            && attacks.iter().all(|attack| attack.refused)
            && !attacks.is_empty()
            && prediction.is_right();
        Self { schema: "sealyard.demo/1", stages, attacks, prediction, ok, go_on }
    }

    pub(crate) const fn ok(&self) -> bool {
        self.ok
    }

    /// Both tables and how to go on.
    pub(crate) fn table(&self) -> String {
        let mut stages = sheet(["stage", "", "evidence", "decision"]);
        for stage in &self.stages {
            let evidence: Vec<_> = stage.evidence.iter().map(short).collect();
            stages.add_row([
                Cell::new(stage.name),
                mark(stage.ok),
                Cell::new(evidence.join("\n")),
                Cell::new(&stage.decision),
            ]);
        }
        let mut attacks = sheet(["attack", "", "stopped by", "reason"]);
        for attack in &self.attacks {
            attacks.add_row([
                Cell::new(attack.name),
                mark(attack.refused),
                Cell::new(attack.gate),
                Cell::new(shorten(&attack.reason)),
            ]);
        }
        let stopped = self.attacks.iter().filter(|attack| attack.refused).count();
        let Prediction { ours, reference } = self.prediction;
        format!(
            "{stages}\nprediction: Sealyard {ours}, scikit-learn {reference}\n\n{attacks}\n{stopped} of {} attacks were \
             stopped by the rule meant for them\n\n{}",
            self.attacks.len(),
            self.go_on
        )
    }
}

/// A reason in at most 160 characters, cut between words.
fn shorten(reason: &str) -> String {
    const LONGEST: usize = 160;
    match reason.char_indices().nth(LONGEST) {
        None => reason.to_owned(),
        Some((end, _)) => {
            let cut = reason.get(..end).unwrap_or_default();
            format!("{} …", cut.rsplit_once(' ').map_or(cut, |(words, _)| words))
        }
    }
}

fn short(digest: &Digest) -> String {
    format!("sha256:{}…", digest.to_hex().chars().take(12).collect::<String>())
}

fn mark(ok: bool) -> Cell {
    if ok { Cell::new("✔").fg(Color::Green) } else { Cell::new("✘").fg(Color::Red) }
}

fn sheet<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    if table.width().is_none() {
        table.set_width(140);
    }
    table
}
