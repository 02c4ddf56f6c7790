use serde_json::Value;
use zeroize::Zeroizing;

/// A text that shares so many bytes with a secret shows it.
const SHOWN: usize = 12;

/// The secrets of a request: what its headers prove us by, and the key that shall be wrapped.
pub(crate) fn secrets(headers: &[(&'static str, String)], body: &[u8]) -> Vec<Zeroizing<String>> {
    let proves = |name: &str| {
        let names = ["authorization", "x-vault-token", "x-amz-security-token"];
        names.iter().any(|secret| name.eq_ignore_ascii_case(secret))
    };
    let mut secrets: Vec<_> =
        headers.iter().filter(|(name, _)| proves(name)).map(|(_, value)| Zeroizing::new(value.clone())).collect();
    if let Ok(Value::Object(fields)) = serde_json::from_slice(body) {
        let plain = fields.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case("plaintext"));
        secrets.extend(plain.filter_map(|(_, value)| match value {
            Value::String(text) => Some(Zeroizing::new(text)),
            _ => None,
        }));
    }
    secrets
}

/// Whether `text`, which came back, has a good part of one of `secrets`: services and what stands before them like to repeat
/// what they were asked.
pub(crate) fn shows(text: &[u8], secrets: &[Zeroizing<String>]) -> bool {
    secrets.iter().any(|secret| {
        let secret = secret.as_bytes();
        let length = secret.len().min(SHOWN);
        length > 0 && secret.windows(length).any(|part| text.windows(length).any(|there| there == part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(found: &[Zeroizing<String>]) -> Vec<&str> {
        found.iter().map(|text| text.as_str()).collect()
    }

    #[test]
    fn what_proves_us_and_the_key_are_the_secrets_of_a_request() {
        let headers = [
            ("Content-Type", "application/json".to_owned()),
            ("X-Vault-Token", "hvs.CAESIJlU9JMYEhOPYv4igdhm9PnZDrabYTobQ4Ymnlq1qY".to_owned()),
            ("authorization", "AWS4-HMAC-SHA256 Credential=AKID".to_owned()),
            ("X-Amz-Security-Token", "session".to_owned()),
        ];
        for name in ["plaintext", "Plaintext"] {
            let body = format!(r#"{{"{name}":"c2VjcmV0","KeyId":"alias/sealyard","other":{{}}}}"#);
            let found = secrets(&headers, body.as_bytes());
            assert_eq!(texts(&found), [&headers[1].1, &headers[2].1, "session", "c2VjcmV0"]);
        }
        assert!(texts(&secrets(&[], b"no JSON")).is_empty());
    }

    #[test]
    fn a_part_of_a_secret_is_enough_and_a_few_letters_are_not() {
        let secrets =
            [Zeroizing::new("hvs.CAESIJlU9JMYEhOPYv4igdhm9PnZ".to_owned()), Zeroizing::new("root".to_owned())];
        for text in
            ["no such token: hvs.CAESIJlU9JMYEhOPYv4igdhm9PnZ", "the token OPYv4igdhm9P... is bad", "root may not"]
        {
            assert!(shows(text.as_bytes(), &secrets), "{text}");
        }
        for text in ["permission denied", "", "hvs.CAES is how they begin"] {
            assert!(!shows(text.as_bytes(), &secrets), "{text}");
        }
        assert!(!shows(b"anything", &[Zeroizing::new(String::new())]));
    }
}
