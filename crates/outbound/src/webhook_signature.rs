use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::Redacted;

/// What MLflow's webhooks have in `X-MLflow-Signature`: HMAC-SHA256 of delivery id, timestamp and body.
#[must_use]
pub fn webhook_signature(secret: &Redacted<String>, id: &str, timestamp: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python's hmac and base64, as MLflow's documentation has receivers check it.
    #[test]
    fn the_signature_is_mlflows() {
        let found = webhook_signature(&Redacted::new("my_secret".to_owned()), "3f8a", "1700000000", "{\"a\":1}");
        assert_eq!(found, "v1,eASx9AuBaS92FjDeoMhnnHZRw1ocH6EDClum4GFgImQ=");
    }
}
