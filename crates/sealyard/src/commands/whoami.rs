use serde_json::Value;

use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Shows who the server thinks you are, and by what.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let Self {} = self;
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        let answer = remote::block_on(async { client.whoami().await.map_err(remote::failure) })?;
        if json {
            output::json(&answer)?;
        } else {
            output::data(&text(&answer, client.url()))?;
        }
        Ok(Exit::Fine)
    }
}

/// One line per fact, in the order of the server's names, the name first.
fn text(answer: &Value, url: &str) -> String {
    let mut text = format!("{} at {url}\n", name(answer));
    for (key, value) in answer.as_object().into_iter().flatten() {
        let shown = match value {
            Value::Null => continue,
            Value::String(value) => value.clone(),
            other => other.to_string(),
        };
        if key != "name" {
            text.push_str(&format!("  {:<10} {}\n", remote::plain(key), remote::plain(&shown)));
        }
    }
    text
}

/// The principal's name.
pub(crate) fn name(answer: &Value) -> String {
    remote::plain(answer.get("name").and_then(Value::as_str).unwrap_or("nobody"))
}
