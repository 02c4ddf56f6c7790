//! The stages after the server's start.

use sealyard_api::RouterConfig;
use sealyard_api::inference::{ModelHandle, ServingState};
use sealyard_core::{Digest, Rng, SystemRng};
use sealyard_env::{BuildRequest, Interpreter, Lock};
use sealyard_evidence::oms;
use sealyard_runner::Source;
use serde_json::{Value, json};

use super::context::{ALIAS, Context, MODEL, Release};
use super::report::Prediction;
use crate::commands::serve;
use crate::exit::{Failure, Result};
use crate::training::{self, Job, Trained};
use crate::{remote, verified};

/// What a stage leaves behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) evidence: Vec<Digest>,
    pub(crate) decision: String,
}

/// The request of the public example that the project is made after.
pub(crate) const REQUEST: &str = r#"{"dataframe_split": {"data":[[0.0199132142,0.0506801187,0.1048086895,0.0700725447,-0.0359677813,-0.0266789028,-0.0249926566,-0.002592262,0.0037117382,0.0403433716]]}}"#;

/// The project's data, hashed against what it pins.
pub(crate) async fn data(demo: &Context) -> Result<((), Outcome)> {
    let pinned: toml::Table = std::fs::read_to_string(demo.project().join("sealyard.toml"))?.parse()?;
    let text = |key: &str| {
        pinned
            .get("data")
            .and_then(|data| data.get("diabetes"))
            .and_then(|data| data.get(key))
            .and_then(toml::Value::as_str)
    };
    let (Some(path), Some(hex)) = (text("path"), text("sha256")) else {
        return Err(Failure::could_not(anyhow::anyhow!("sealyard.toml pins no data")));
    };
    let (found, size) = Digest::of_reader(std::fs::File::open(demo.project().join(path))?)?;
    if found != Digest::from_hex(hex)? {
        return Err(Failure::no(anyhow::anyhow!("{path} is not the pinned data [data.digest]")));
    }
    Ok(((), Outcome { evidence: vec![found], decision: format!("{path}, {size} bytes, is what sealyard.toml pins") }))
}

/// The environment, from the lock alone.
pub(crate) async fn environment(demo: &Context) -> Result<((), Outcome)> {
    let (project, progress) = (demo.project(), demo.progress.clone());
    let built = tokio::task::spawn_blocking(move || {
        let lock = Lock::read(&project.join("requirements.txt"))?;
        let interpreter = Interpreter::find(None)?;
        let cache = training::cache_directory();
        let request = BuildRequest {
            lock: &lock,
            interpreter: &interpreter,
            cache: &cache,
            prefix: sealyard_runner::ENVIRONMENT,
        };
        sealyard_env::build(&request, &mut |event| progress.now(&training::environment(&event)))
    })
    .await?
    .map_err(|error| {
        let hint = error.hint().map(str::to_owned);
        if error.rule().is_some_and(|rule| rule != "environment.interpreter") {
            Failure::no(error)
        } else {
            Failure::could_not(error)
        }
        .maybe_hint(hint)
    })?;
    let decision = format!(
        "{} wheels, each hash checked, Python {}{}",
        built.wheels.len(),
        built.interpreter.version,
        if built.reused { ", reused after hashing every file" } else { "" }
    );
    Ok(((), Outcome { evidence: vec![built.lock_digest, built.manifest_digest], decision }))
}

/// A job over the bundled project.
pub(crate) fn job(demo: &Context, entry_point: &str) -> Job {
    Job {
        project: demo.project(),
        entry_point: entry_point.to_owned(),
        parameters: std::collections::BTreeMap::new(),
        data: std::collections::BTreeMap::new(),
        cache: training::cache_directory(),
        invocation: (&SystemRng as &dyn Rng).hex_id(),
        limits: sealyard_sandbox::Limits { wall_seconds: 600, ..Default::default() },
    }
}

/// Training in the sandbox; then what arrived on the server is looked at.
pub(crate) async fn train(demo: &Context) -> Result<(Trained, Outcome)> {
    let certificate = demo.connection.certificate.as_deref();
    let trained =
        training::train(&demo.admin, certificate, &demo.experiment, job(demo, "main"), &demo.progress).await?;
    let missing = |what: &str| Failure::no(anyhow::anyhow!("{what} did not arrive on the server"));
    let data = trained.run.get("data").cloned().unwrap_or_default();
    let list = |name: &str| data.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let value = |pairs: &[Value], key: &str| {
        pairs
            .iter()
            .find(|pair| pair.get("key").and_then(Value::as_str) == Some(key))
            .and_then(|pair| pair.get("value").cloned())
    };
    if value(&list("params"), "alpha") != Some(json!("0.03")) {
        return Err(missing("the parameter alpha"));
    }
    if value(&list("metrics"), "rmse").is_none() {
        return Err(missing("the metric rmse"));
    }
    let commit = match &trained.record.source {
        Source::Git { commit, .. } => Some(commit.clone()),
        Source::Unversioned { .. } => None,
    };
    if demo.git
        && (commit.is_none() || value(&list("tags"), "mlflow.source.git.commit") != commit.clone().map(Value::from))
    {
        return Err(missing("the git commit"));
    }
    let pinned = trained.record.data.get("diabetes").ok_or_else(|| missing("the data's digest"))?;
    if value(&list("tags"), "sealyard.data.diabetes") != Some(json!(pinned.digest.to_string())) {
        return Err(missing("the data's digest"));
    }
    if trained.models.len() != 1 {
        return Err(missing("the model"));
    }
    let tokens = demo.admin.tokens(None).await.map_err(remote::failure)?;
    if tokens.iter().any(|token| !token.revoked && token.scopes.iter().any(|scope| scope.starts_with("experiment:"))) {
        return Err(Failure::no(anyhow::anyhow!("the run's token outlived the run")));
    }
    let held = &trained.record.sandbox;
    let decision = format!(
        "run {}: {} namespaces of its own, seccomp, no way out but the tracking server, commit {}",
        trained.run_id.chars().take(8).collect::<String>(),
        held.namespaces.len(),
        commit.as_deref().map_or("none (git is not installed)", |commit| commit.get(..8).unwrap_or(commit)),
    );
    let evidence = vec![trained.record.output.digest, trained.record.egress_digest(), pinned.digest];
    Ok((trained, Outcome { evidence, decision }))
}

/// The model becomes a version; the server freezes and scans it.
pub(crate) async fn register(demo: &Context) -> Result<(Release, Outcome)> {
    let trained = demo.trained()?;
    let source = format!("models:/{}", trained.models.first().map_or("", String::as_str));
    let version = demo.admin.register(MODEL, &source, Some(&trained.run_id)).await.map_err(remote::failure)?;
    let tree = training::own_tree(&demo.admin, MODEL, version).await?;
    let evidence = demo.admin.evidence(MODEL, version).await.map_err(remote::failure)?;
    let scan = evidence
        .iter()
        .find(|item| item.predicate_type.contains("/scan/"))
        .ok_or_else(|| Failure::no(anyhow::anyhow!("the server made no scan report")))?;
    let bundle = sealyard_evidence::Bundle::parse(scan.bundle.as_bytes())?;
    let verified = sealyard_evidence::verify(&bundle, demo.policy.policy.trusted_keys())?;
    let sealyard_evidence::Predicate::ScanReport(report) = verified.predicate() else {
        return Err(Failure::no(anyhow::anyhow!("the scan report is something else")));
    };
    let decision = format!(
        "models:/{MODEL}/{version}: {} files frozen, scan says {} ({} rules)",
        tree.entries().len(),
        report.effective_verdict(),
        report.ruleset.rules
    );
    let outcome = Outcome { evidence: vec![tree.digest(), scan.digest], decision };
    Ok((Release { version, tree }, outcome))
}

/// SLSA provenance, signed with the runner's key, which the training code never saw.
pub(crate) async fn provenance(demo: &Context) -> Result<((), Outcome)> {
    let (trained, release) = (demo.trained()?, demo.release()?);
    let bundle =
        training::attest(&demo.admin, &trained.record, MODEL, release.version, &release.tree, &demo.runner_key).await?;
    let dependencies = trained.record.provenance().build_definition.resolved_dependencies.len();
    let decision = format!("SLSA v1, {dependencies} resolved dependencies with digests, signed by the runner");
    Ok(((), Outcome { evidence: vec![bundle.digest()], decision }))
}

/// An OMS signature over the files as this side hashed them.
pub(crate) async fn sign(demo: &Context) -> Result<((), Outcome)> {
    let release = demo.release()?;
    let bundle = oms::sign(&release.tree, MODEL, &demo.release_key)?;
    demo.admin.add_evidence(MODEL, release.version, bundle.text()).await.map_err(remote::failure)?;
    let decision = format!("OpenSSF model signature over {} files, ECDSA P-256", release.tree.entries().len());
    Ok(((), Outcome { evidence: vec![bundle.digest()], decision }))
}

/// The publish gate, then the alias it protects.
pub(crate) async fn publish(demo: &Context) -> Result<((), Outcome)> {
    let version = demo.release()?.version;
    let decision = demo.admin.pass_gate("publish", MODEL, version).await.map_err(remote::failure)?;
    demo.admin.set_alias(MODEL, ALIAS, version).await.map_err(remote::failure)?;
    Ok(((), gate_outcome(&decision, &format!("models:/{MODEL}@{ALIAS}"))?))
}

/// The deployment gate.
pub(crate) async fn deploy(demo: &Context) -> Result<((), Outcome)> {
    let version = demo.release()?.version;
    let decision = demo.admin.pass_gate("deployments", MODEL, version).await.map_err(remote::failure)?;
    Ok(((), gate_outcome(&decision, &format!("models:/{MODEL}/{version}"))?))
}

fn gate_outcome(decision: &Value, what: &str) -> Result<Outcome> {
    let attestation = decision.get("attestation").and_then(Value::as_str);
    let attestation = attestation.ok_or_else(|| anyhow::anyhow!("the gate signed nothing"))?;
    let rules = decision.get("reasons").and_then(Value::as_array).map_or(0, Vec::len);
    Ok(Outcome { evidence: vec![attestation.parse()?], decision: format!("allow: all {rules} rules hold; {what}") })
}

/// The load gate on this side, a native evaluation, a real HTTP request.
pub(crate) async fn predict(demo: &Context) -> Result<(Prediction, Outcome)> {
    let uri = format!("models:/{MODEL}@{ALIAS}").parse()?;
    let fetched = verified::fetch(&demo.admin, &uri, &demo.policy, None).await?;
    let rules = fetched.model.decision().reasons().len();
    let subject = fetched.model.subject().digest;
    let model = serve::load(&fetched)?;
    let state = ServingState::new(ModelHandle::new(model), RouterConfig::loopback());
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let server = sealyard_server::InferenceServer::start(listen, None, sealyard_api::inference::router(state)).await?;
    let request = reqwest::Client::builder()
        .no_proxy()
        .build()?
        .post(format!("{}/invocations", server.url()))
        .header("content-type", "application/json")
        .body(REQUEST);
    let answer = request.send().await?.error_for_status()?.bytes().await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    server.stop().await;
    let ours = answer
        .pointer("/predictions/0")
        .and_then(Value::as_f64)
        .ok_or_else(|| anyhow::anyhow!("no prediction in the answer"))?;
    let reference = reference(demo)?;
    let prediction = Prediction { ours, reference };
    if !prediction.is_right() {
        return Err(Failure::no(anyhow::anyhow!("Sealyard answers {ours}, scikit-learn {reference}")));
    }
    let decision = format!("allow: all {rules} rules hold; {ours} is scikit-learn's number, no pickle was executed");
    Ok((prediction, Outcome { evidence: vec![subject], decision }))
}

/// What scikit-learn answered to the same row in the training run.
fn reference(demo: &Context) -> Result<f64> {
    let metrics = demo.trained()?.run.pointer("/data/metrics").and_then(Value::as_array).cloned().unwrap_or_default();
    let named = |metric: &&Value| metric.get("key").and_then(Value::as_str) == Some("example_prediction");
    let value = metrics.iter().find(named).and_then(|metric| metric.get("value")).and_then(Value::as_f64);
    Ok(value.ok_or_else(|| anyhow::anyhow!("the training run logged no example_prediction"))?)
}
