use super::super::facts::Facts;
use super::super::{Check, Findings};

/// A certificate that ends sooner is to be renewed.
const RENEW_SECONDS: i64 = 14 * 24 * 60 * 60;

pub(super) const CHECK: Check =
    Check { id: "transport", title: "Everything travels over TLS", controls: &["A1", "C6"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    let Some(deployment) = &facts.deployment else {
        return findings.unknown("how the server listens is not known", "ask the server that is running");
    };
    for listener in &deployment.listeners {
        let name = format!("{} ({})", listener.address, listener.kind);
        if listener.tls {
            findings.good(format!("{name} speaks TLS 1.2 and 1.3, and nothing older"));
        } else {
            let advice = "start it without --tls off; behind a proxy, let the proxy be on the same machine";
            findings.bad(format!("{name} speaks plain HTTP"), advice);
        }
    }
    if let Some(ends) = deployment.certificate_ends {
        let left = ends.as_millis().saturating_sub(facts.now.as_millis()) / 1000;
        let text = format!("the certificate ends {}", ends.to_rfc3339());
        if left < RENEW_SECONDS {
            findings.bad(text, "renew it; a file that changes is read anew, and ACME renews by itself");
        } else {
            findings.good(text);
        }
    }
    if deployment.self_signed {
        let advice = "use a certificate of your own authority, or ACME; until then give keys/tls.crt to each client";
        findings.bad("the certificate is self-signed: clients that were not given it must not believe it", advice);
    }
}
