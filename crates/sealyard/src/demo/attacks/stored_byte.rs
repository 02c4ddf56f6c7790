//! Somebody at the disk changes one byte of the stored model.

use reqwest::Method;

use super::versions::{download_path, stored_model};
use super::{Refusal, refused};
use crate::demo::context::Context;
use crate::exit::Result;

pub(super) async fn carry_out(demo: &Context) -> Result<Refusal> {
    let stored = stored_model(demo)?;
    let good = std::fs::read(&stored.file)?;
    let mut bad = good.clone();
    // Well behind the header, so that only the cipher can tell.
    let place = good.len() * 3 / 4;
    if let Some(byte) = bad.get_mut(place) {
        *byte ^= 0x40;
    }
    std::fs::write(&stored.file, bad)?;
    let answer = demo.admin.send(demo.admin.request(Method::GET, &download_path(demo, &stored.path)?)).await;
    let answer = match answer {
        // A change further on shows only while the bytes flow.
        Ok(answer) => answer.bytes().await.map(drop).map_err(sealyard_client::ClientError::Transport),
        Err(error) => Err(error),
    };
    std::fs::write(&stored.file, good)?;
    refused(answer, "the server gave out a changed model")
}
