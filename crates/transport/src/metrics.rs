use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the histogram's buckets in seconds.
const BOUNDS: [(f64, &str); 13] = [
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (1.0, "1"),
    (2.5, "2.5"),
    (10.0, "10"),
    (60.0, "60"),
];
/// Different series are bounded by the routes; should a label escape that, no more than these are kept.
const MOST_SERIES: usize = 20_000;

/// Counts of what was answered, written as Prometheus reads them (text format 0.0.4).
///
/// Labels are route templates, methods and statuses: nothing that a client can invent, and nobody's names.
#[derive(Debug, Default)]
pub struct Metrics {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    requests: BTreeMap<(&'static str, String, u16), u64>,
    seconds: BTreeMap<(&'static str, String), Histogram>,
    events: BTreeMap<(&'static str, &'static str), u64>,
}

#[derive(Debug, Default, Clone)]
struct Histogram {
    /// How many took up to each bound and longer than the one before; longer ones are only in `count`.
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

/// What is not counted but looked up when it is asked for.
#[derive(Debug, Default, Clone)]
pub struct Gauges {
    /// The version of this server.
    pub version: &'static str,
    /// The version of MLflow whose protocol it speaks.
    pub protocol: &'static str,
    /// Sessions of browsers that have not ended.
    pub sessions: Option<u64>,
    /// Entries of the ledger.
    pub ledger_entries: Option<u64>,
    /// The second at which each listener's certificate ends.
    pub certificates: Vec<(String, i64)>,
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let method = known(method);
        let mut inner = self.lock();
        let inner = &mut *inner;
        if inner.requests.len() >= MOST_SERIES {
            return;
        }
        *inner.requests.entry((method, route.to_owned(), status)).or_default() += 1;
        let histogram = inner.seconds.entry((method, route.to_owned())).or_default();
        let seconds = took.as_secs_f64();
        if let Some(place) = BOUNDS.iter().position(|(bound, _)| seconds <= *bound)
            && let Some(bucket) = histogram.buckets.get_mut(place)
        {
            *bucket += 1;
        }
        histogram.count += 1;
        histogram.sum += seconds;
    }

    /// Counts something that went wrong or was refused: `sealyard_{name}_total{reason="…"}`.
    pub fn event(&self, name: &'static str, reason: &'static str) {
        *self.lock().events.entry((name, reason)).or_default() += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it as text.
    #[must_use]
    pub fn text(&self, gauges: &Gauges) -> String {
        let mut text = String::new();
        let _ = self.write(&mut text, gauges);
        text
    }

    fn write(&self, text: &mut String, gauges: &Gauges) -> std::fmt::Result {
        let head = |text: &mut String, name: &str, kind: &str, help: &str| {
            writeln!(text, "# HELP {name} {help}")?;
            writeln!(text, "# TYPE {name} {kind}")
        };
        head(text, "sealyard_build_info", "gauge", "The version of this server; always 1.")?;
        let (version, protocol) = (escaped(gauges.version), escaped(gauges.protocol));
        writeln!(text, "sealyard_build_info{{version=\"{version}\",mlflow_protocol=\"{protocol}\"}} 1")?;
        if let Some(sessions) = gauges.sessions {
            head(text, "sealyard_sessions", "gauge", "Sessions of browsers that have not ended.")?;
            writeln!(text, "sealyard_sessions {sessions}")?;
        }
        if let Some(entries) = gauges.ledger_entries {
            head(text, "sealyard_ledger_entries", "gauge", "Entries of the ledger.")?;
            writeln!(text, "sealyard_ledger_entries {entries}")?;
        }
        if !gauges.certificates.is_empty() {
            let name = "sealyard_certificate_expiry_timestamp_seconds";
            head(text, name, "gauge", "When the certificate of a listener ends.")?;
            for (listener, at) in &gauges.certificates {
                writeln!(text, "{name}{{listener=\"{}\"}} {at}", escaped(listener))?;
            }
        }
        let inner = self.lock();
        head(text, "sealyard_http_requests_total", "counter", "Answers, by route template and status.")?;
        for ((method, route, status), count) in &inner.requests {
            let route = escaped(route);
            writeln!(
                text,
                "sealyard_http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
            )?;
        }
        let name = "sealyard_http_request_duration_seconds";
        head(text, name, "histogram", "Time from a request's head to the head of its answer.")?;
        for ((method, route), histogram) in &inner.seconds {
            let labels = format!("method=\"{method}\",route=\"{}\"", escaped(route));
            let mut so_far = 0;
            for ((_, bound), count) in BOUNDS.iter().zip(histogram.buckets) {
                so_far += count;
                writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {so_far}")?;
            }
            writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", histogram.count)?;
            writeln!(text, "{name}_sum{{{labels}}} {}", histogram.sum)?;
            writeln!(text, "{name}_count{{{labels}}} {}", histogram.count)?;
        }
        let mut last = "";
        for ((name, reason), count) in &inner.events {
            if *name != last {
                head(text, &format!("sealyard_{name}_total"), "counter", "How often it came to that.")?;
                last = name;
            }
            writeln!(text, "sealyard_{name}_total{{reason=\"{}\"}} {count}", escaped(reason))?;
        }
        Ok(())
    }
}

/// One of the methods that there are; a client may write what it likes.
fn known(method: &str) -> &'static str {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    METHODS.into_iter().find(|known| *known == method).unwrap_or("other")
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_route_and_status() {
        let metrics = Metrics::default();
        metrics.answered("GET", "/a/{b}", 200, Duration::from_millis(3));
        metrics.answered("GET", "/a/{b}", 200, Duration::from_secs(90));
        metrics.answered("BREW", "/a/{b}", 405, Duration::ZERO);
        metrics.event("refused", "rate");
        let gauges = Gauges { version: "1\"\n", sessions: Some(7), ledger_entries: Some(9), ..Gauges::default() };
        let text = metrics.text(&gauges);
        for line in [
            "sealyard_http_requests_total{method=\"GET\",route=\"/a/{b}\",status=\"200\"} 2",
            "sealyard_http_requests_total{method=\"other\",route=\"/a/{b}\",status=\"405\"} 1",
            "sealyard_http_request_duration_seconds_bucket{method=\"GET\",route=\"/a/{b}\",le=\"0.0025\"} 0",
            "sealyard_http_request_duration_seconds_bucket{method=\"GET\",route=\"/a/{b}\",le=\"0.005\"} 1",
            "sealyard_http_request_duration_seconds_bucket{method=\"GET\",route=\"/a/{b}\",le=\"60\"} 1",
            "sealyard_http_request_duration_seconds_bucket{method=\"GET\",route=\"/a/{b}\",le=\"+Inf\"} 2",
            "sealyard_http_request_duration_seconds_count{method=\"GET\",route=\"/a/{b}\"} 2",
            "sealyard_refused_total{reason=\"rate\"} 1",
            "sealyard_sessions 7",
            "sealyard_ledger_entries 9",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.contains("version=\"1\\\"\\n\""));
    }
}
