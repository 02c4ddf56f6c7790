use crate::model::{
    Aggregation, Artifact, ArtifactOwner, Assessment, AssessmentKind, Comparison, Measure, MetricFilter, MetricView,
    NewTrace, Operand, Pair, SortValue, Span, SpanAttribute, SpanBatch, Trace, TraceCondition, TraceDeletion,
    TraceField, TraceMetricQuery, TraceOrder, TraceQuery, TraceState,
};
use crate::{StoreError, Transaction};
use sealyard_core::{Digest, Verdict};

use super::{new_run, path, time};

pub(super) fn trace(id: &str, started: i64) -> NewTrace {
    NewTrace {
        trace: Trace {
            id: id.into(),
            experiment_id: "0".into(),
            client_request_id: None,
            started,
            duration: Some(10),
            state: TraceState::Ok,
            request_preview: None,
            response_preview: None,
            metadata: vec![Pair::new("mlflow.sourceRun", "r1")],
            tags: vec![Pair::new("env", "prod"), Pair::new("mlflow.traceName", id)],
            assessments: vec![],
            spans: 0,
        },
        created_by: "ada".into(),
        finalised: true,
        metrics: vec![Measure { key: "input_tokens".into(), value: started as f64 }],
    }
}

pub(super) fn span(id: &str, parent: Option<&str>, name: &str) -> Span {
    Span {
        id: id.into(),
        parent: parent.map(Into::into),
        name: name.into(),
        kind: Some("LLM".into()),
        status: "OK",
        started: 5_000_000,
        ended: Some(9_000_000),
        content: format!("{{\"name\":\"{name}\"}}"),
        attributes: vec![SpanAttribute { key: "fruit".into(), value: name.into(), cut: false }],
        model: Some("m".into()),
        provider: None,
        metrics: vec![
            Measure { key: "input_tokens".into(), value: 3.0 },
            Measure { key: "input_cost".into(), value: 0.5 },
        ],
    }
}

fn batch(trace_id: &str, spans: Vec<Span>) -> SpanBatch {
    SpanBatch {
        trace_id: trace_id.into(),
        experiment_id: "0".into(),
        created_by: "ada".into(),
        spans,
        started: 5,
        ended: Some(9),
        state: None,
        request_preview: None,
        response_preview: None,
        metadata: vec![Pair::new("mlflow.trace.session", "s1")],
    }
}

pub(super) fn assessment(trace_id: &str, id: &str, value: &str) -> Assessment {
    Assessment {
        id: id.into(),
        trace_id: trace_id.into(),
        name: "quality".into(),
        kind: AssessmentKind::Feedback,
        value: value.into(),
        error: None,
        created: 1,
        updated: 1,
        source_type: "HUMAN".into(),
        source_id: Some("ada".into()),
        run_id: None,
        span_id: None,
        rationale: None,
        overrides: None,
        valid: true,
        metadata: vec![],
        created_by: "ada".into(),
    }
}

fn query(filter: Vec<TraceCondition>) -> TraceQuery {
    TraceQuery { experiments: vec!["0".into()], filter, limit: 100, ..TraceQuery::default() }
}

fn condition(field: TraceField, comparison: Comparison, operand: &str) -> TraceCondition {
    let operand = match comparison {
        Comparison::IsNull | Comparison::IsNotNull => Operand::None,
        _ => Operand::Text(operand.into()),
    };
    TraceCondition { field, comparison, operand }
}

fn ids(tx: &mut dyn Transaction, filter: Vec<TraceCondition>) -> Vec<String> {
    let query = query(filter);
    let found: Vec<String> = tx.search_traces(&query).unwrap().items.into_iter().map(|trace| trace.id).collect();
    assert_eq!(tx.count_traces(&query).unwrap(), found.len() as u64);
    found
}

pub(super) fn lifecycle(tx: &mut dyn Transaction) {
    let made = tx.put_trace(&trace("tr-1", 100)).unwrap();
    assert_eq!((made.id.as_str(), made.state, made.duration), ("tr-1", TraceState::Ok, Some(10)));
    let location = made.tags.iter().find(|tag| tag.key == "mlflow.artifactLocation").unwrap();
    assert_eq!(location.value, "mlflow-artifacts:/0/traces/tr-1/artifacts");
    assert_eq!(tx.experiment_of_trace("tr-1").unwrap().as_deref(), Some("0"));
    assert_eq!(tx.trace("tr-2").unwrap(), None);
    tx.set_trace_tag("tr-1", "env", "dev").unwrap();
    assert!(tx.trace("tr-1").unwrap().unwrap().tags.contains(&Pair::new("env", "dev")));
    tx.delete_trace_tag("tr-1", "env").unwrap();
    assert!(matches!(tx.delete_trace_tag("tr-1", "env"), Err(StoreError::NotFound { .. })));
    let ended = tx.end_trace("tr-1", 150, TraceState::Error, &[Pair::new("m", "1")], &[Pair::new("t", "2")]).unwrap();
    assert_eq!((ended.duration, ended.state), (Some(50), TraceState::Error));
    assert!(ended.metadata.contains(&Pair::new("m", "1")) && ended.tags.contains(&Pair::new("t", "2")));
    assert!(matches!(tx.set_trace_tag("tr-2", "a", "b"), Err(StoreError::NotFound { .. })));
}

pub(super) fn a_trace_stays_in_its_experiment(tx: &mut dyn Transaction) {
    let other = tx.create_experiment(&crate::model::NewExperiment { name: "b".into(), tags: vec![], created: time(1) });
    let other = other.unwrap().id;
    tx.put_trace(&trace("tr-1", 100)).unwrap();
    let mut moved = trace("tr-1", 100);
    moved.trace.experiment_id = other.clone();
    assert!(matches!(tx.put_trace(&moved), Err(StoreError::AlreadyExists { .. })));
    let mut spans = batch("tr-1", vec![span("a", None, "root")]);
    spans.experiment_id = other;
    assert!(matches!(tx.put_spans(&spans), Err(StoreError::AlreadyExists { .. })));
}

pub(super) fn spans_make_and_complete_traces(tx: &mut dyn Transaction) {
    tx.put_spans(&batch("tr-1", vec![span("b", Some("a"), "child")])).unwrap();
    let open = tx.trace("tr-1").unwrap().unwrap();
    assert_eq!((open.state, open.started, open.duration, open.spans), (TraceState::InProgress, 5, Some(4), 1));
    let mut root = batch("tr-1", vec![span("a", None, "root"), span("b", Some("a"), "child again")]);
    (root.started, root.ended, root.state) = (2, Some(20), Some(TraceState::Error));
    root.request_preview = Some("ask".into());
    tx.put_spans(&root).unwrap();
    let done = tx.trace("tr-1").unwrap().unwrap();
    assert_eq!((done.state, done.started, done.duration, done.spans), (TraceState::Error, 2, Some(18), 2));
    assert_eq!(done.request_preview.as_deref(), Some("ask"));
    assert_eq!(tx.spans("tr-1").unwrap(), ["{\"name\":\"root\"}", "{\"name\":\"child again\"}"]);
    assert_eq!(tx.size_of_spans(&["tr-1".into(), "tr-2".into()]).unwrap(), 15 + 22);
    // Usage is summed up over the spans as they are now: one that came twice counts once.
    assert!(done.metadata.contains(&Pair::new("mlflow.trace.tokenUsage", "{\"input_tokens\":6}")));
    assert!(done.metadata.contains(&Pair::new("mlflow.trace.cost", "{\"input_cost\":1.0}")));
    assert!(done.metadata.contains(&Pair::new("mlflow.trace.session", "s1")));
    assert!(done.tags.contains(&Pair::new("mlflow.trace.spansLocation", "TRACKING_STORE")));
    let mut whole = trace("tr-1", 1);
    whole.trace.metadata.push(Pair::new("mlflow.trace.tokenUsage", "{\"input_tokens\":5}"));
    let whole = tx.put_trace(&whole).unwrap();
    assert_eq!((whole.started, whole.state, whole.spans), (1, TraceState::Ok, 2));
    assert_eq!(whole.request_preview.as_deref(), Some("ask"));
    tx.put_spans(&batch("tr-1", vec![span("c", Some("a"), "late")])).unwrap();
    let late = tx.trace("tr-1").unwrap().unwrap();
    assert_eq!((late.started, late.duration, late.spans), (1, Some(10), 3));
    assert!(late.metadata.contains(&Pair::new("mlflow.trace.tokenUsage", "{\"input_tokens\":5}")));
}

pub(super) fn search(tx: &mut dyn Transaction) {
    use Comparison::{Equal, ILike, IsNotNull, IsNull, Like, NotEqual, RLike};
    tx.create_run(&new_run("r1", 5)).unwrap();
    for (id, started) in [("tr-1", 100), ("tr-2", 200), ("tr-3", 300)] {
        let mut new = trace(id, started);
        if id != "tr-1" {
            new.trace.tags.retain(|tag| tag.key != "env");
            new.trace.metadata.clear();
        }
        tx.put_trace(&new).unwrap();
    }
    tx.put_spans(&batch("tr-2", vec![span("a", None, "apple"), span("b", Some("a"), "pear")])).unwrap();
    assert_eq!(ids(tx, vec![]), ["tr-3", "tr-2", "tr-1"]);
    let attribute = TraceField::Attribute;
    let tag = |key: &str| TraceField::Tag(key.into());
    assert_eq!(ids(tx, vec![condition(tag("env"), Equal, "prod")]), ["tr-1"]);
    assert!(ids(tx, vec![condition(tag("env"), NotEqual, "prod")]).is_empty());
    assert_eq!(ids(tx, vec![condition(tag("env"), IsNull, "")]), ["tr-3", "tr-2"]);
    assert_eq!(ids(tx, vec![condition(tag("env"), IsNotNull, "")]), ["tr-1"]);
    assert_eq!(ids(tx, vec![condition(tag("env"), Like, "pr%")]), ["tr-1"]);
    assert_eq!(ids(tx, vec![condition(tag("env"), ILike, "PR%")]), ["tr-1"]);
    assert_eq!(ids(tx, vec![condition(tag("env"), RLike, "^p.o")]), ["tr-1"]);
    assert_eq!(ids(tx, vec![condition(tag("env"), RLike, r"\bprod\b")]), ["tr-1"]);
    assert!(matches!(tx.search_traces(&query(vec![condition(tag("env"), RLike, "(")])), Err(StoreError::Invalid(_))));
    // A whole number compared with one that is none.
    for (comparison, number, found) in
        [(Comparison::Greater, 199.5, 2), (Comparison::LessOrEqual, 100.5, 1), (Equal, 100.5, 0)]
    {
        let (field, operand) = (attribute("timestamp_ms"), Operand::Number(number));
        assert_eq!(ids(tx, vec![TraceCondition { field, comparison, operand }]).len(), found, "{number}");
    }
    assert_eq!(ids(tx, vec![condition(attribute("request_id"), Equal, "tr-2")]), ["tr-2"]);
    assert_eq!(ids(tx, vec![condition(attribute("status"), Equal, "OK")]).len(), 3);
    let later = TraceCondition {
        field: attribute("timestamp_ms"),
        comparison: Comparison::Greater,
        operand: Operand::Number(150.0),
    };
    assert_eq!(ids(tx, vec![later]), ["tr-3", "tr-2"]);
    let among = TraceCondition {
        field: attribute("request_id"),
        comparison: Comparison::In,
        operand: Operand::List(vec!["tr-1".into(), "tr-9".into()]),
    };
    assert_eq!(ids(tx, vec![among]), ["tr-1"]);
    // A run finds what was made in it and what was linked to it, also before it came.
    assert_eq!(ids(tx, vec![condition(TraceField::Run, Equal, "r1")]), ["tr-1"]);
    tx.link_traces_to_run(&["tr-3".into(), "tr-3".into(), "tr-9".into()], "r1").unwrap();
    assert_eq!(ids(tx, vec![condition(TraceField::Run, Equal, "r1")]), ["tr-3", "tr-1"]);
    tx.link_prompts_to_trace("tr-2", &[("p".into(), "1".into()), ("p".into(), "1".into())]).unwrap();
    assert_eq!(ids(tx, vec![condition(TraceField::Prompt, Equal, "p/1")]), ["tr-2"]);
    // Conditions on spans hold for one span together.
    let name = |text| condition(TraceField::Span("name"), Equal, text);
    let fruit = |comparison, text| condition(TraceField::SpanAttribute("fruit".into()), comparison, text);
    assert_eq!(ids(tx, vec![name("apple"), fruit(Equal, "apple")]), ["tr-2"]);
    assert!(ids(tx, vec![name("apple"), fruit(Equal, "pear")]).is_empty());
    assert_eq!(ids(tx, vec![fruit(Like, "%ear")]), ["tr-2"]);
    assert_eq!(ids(tx, vec![fruit(NotEqual, "apple")]), ["tr-2"]);
    assert_eq!(ids(tx, vec![condition(TraceField::Span("type"), Equal, "LLM")]), ["tr-2"]);
    assert_eq!(ids(tx, vec![condition(TraceField::SpanContent, Like, "%pear%")]), ["tr-2"]);
    // Text of a caller is never SQL.
    assert!(ids(tx, vec![condition(tag("' OR 1=1 --"), Equal, "?1 '; DROP TABLE traces; --")]).is_empty());
    assert!(tx.search_traces(&query(vec![condition(attribute("password"), Equal, "x")])).is_err());
}

pub(super) fn pages(tx: &mut dyn Transaction) {
    for number in 0..7 {
        let mut new = trace(&format!("tr-{number}"), 100 + number / 2);
        if number % 3 == 0 {
            new.trace.tags.retain(|tag| tag.key != "env");
        }
        new.trace.duration = (number % 2 == 0).then_some(number);
        tx.put_trace(&new).unwrap();
    }
    let orders: Vec<Vec<TraceOrder>> = vec![
        vec![],
        vec![TraceOrder { field: TraceField::Attribute("timestamp_ms"), ascending: true }],
        vec![TraceOrder { field: TraceField::Attribute("execution_time_ms"), ascending: false }],
        vec![TraceOrder { field: TraceField::Tag("env".into()), ascending: true }],
        vec![TraceOrder { field: TraceField::Tag("mlflow.traceName".into()), ascending: false }],
    ];
    for order in orders {
        let whole = TraceQuery { order: order.clone(), ..query(vec![]) };
        let whole: Vec<String> = tx.search_traces(&whole).unwrap().items.into_iter().map(|trace| trace.id).collect();
        assert_eq!(whole.len(), 7);
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let query = TraceQuery { order: order.clone(), limit: 2, after, ..query(vec![]) };
            let page = tx.search_traces(&query).unwrap();
            assert!(page.items.len() <= 2);
            paged.extend(page.items.into_iter().map(|trace| trace.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paged, whole, "{order:?}");
    }
    let strange = TraceQuery { after: Some(vec![SortValue::Integer(1)]), ..query(vec![]) };
    assert!(matches!(tx.search_traces(&strange), Err(StoreError::Invalid(_))));
}

pub(super) fn assessments(tx: &mut dyn Transaction) {
    use Comparison::{Equal, IsNotNull, IsNull, NotEqual};
    for (id, session) in [("tr-1", "s"), ("tr-2", "s"), ("tr-3", "other")] {
        let mut new = trace(id, 100);
        new.trace.metadata = vec![Pair::new("mlflow.trace.session", session)];
        tx.put_trace(&new).unwrap();
    }
    assert_eq!(tx.size_of_assessments("tr-1").unwrap(), (0, 0));
    tx.create_assessment(&assessment("tr-1", "a-1", "\"good\"")).unwrap();
    let (_, alone) = tx.size_of_assessments("tr-1").unwrap();
    tx.update_assessment(&Assessment { rationale: Some("é".repeat(50)), ..assessment("tr-1", "a-1", "\"good\"") })
        .unwrap();
    assert_eq!(tx.size_of_assessments("tr-1").unwrap(), (1, alone + 100), "bytes, not characters");
    tx.update_assessment(&assessment("tr-1", "a-1", "\"good\"")).unwrap();
    assert_eq!((tx.size_of_assessments("tr-2").unwrap(), tx.size_of_assessments("tr-9").unwrap()), ((0, 0), (0, 0)));
    assert!(matches!(tx.create_assessment(&assessment("tr-9", "a-1", "1")), Err(StoreError::NotFound { .. })));
    let better = Assessment { overrides: Some("a-1".into()), ..assessment("tr-1", "a-2", "5") };
    tx.create_assessment(&better).unwrap();
    assert!(!tx.assessment("tr-1", "a-1").unwrap().unwrap().valid);
    let nothing = Assessment { overrides: Some("a-9".into()), ..assessment("tr-1", "a-3", "5") };
    assert!(matches!(tx.create_assessment(&nothing), Err(StoreError::NotFound { .. })));
    let quality = || TraceField::Assessment("feedback", "quality".into());
    assert_eq!(ids(tx, vec![condition(quality(), Equal, "5")]), ["tr-1"]);
    assert!(ids(tx, vec![condition(quality(), Equal, "good")]).is_empty());
    assert!(tx.delete_assessment("tr-1", "a-2").unwrap());
    assert!(!tx.delete_assessment("tr-1", "a-2").unwrap());
    assert_eq!(ids(tx, vec![condition(quality(), Equal, "good")]), ["tr-1"]);
    assert_eq!(ids(tx, vec![condition(quality(), NotEqual, "bad")]), ["tr-1"]);
    assert_eq!(ids(tx, vec![condition(quality(), IsNull, "")]), ["tr-2", "tr-3"]);
    let changed = Assessment { value: "\"bad\"".into(), updated: 9, ..assessment("tr-1", "a-1", "") };
    tx.update_assessment(&changed).unwrap();
    assert_eq!(tx.assessment("tr-1", "a-1").unwrap(), Some(changed));
    assert!(tx.update_assessment(&assessment("tr-1", "a-9", "1")).is_err());
    // The same id on another trace is another assessment.
    assert_eq!(tx.assessment("tr-2", "a-1").unwrap(), None);
    // One of a session speaks of all traces of that session.
    let of_session =
        Assessment { metadata: vec![Pair::new("mlflow.trace.session", "s")], ..assessment("tr-1", "a-4", "true") };
    tx.create_assessment(&of_session).unwrap();
    assert_eq!(ids(tx, vec![condition(quality(), Equal, "true")]), ["tr-1", "tr-2"]);
    assert_eq!(ids(tx, vec![condition(quality(), IsNotNull, "")]), ["tr-1", "tr-2"]);
    assert_eq!(tx.trace("tr-1").unwrap().unwrap().assessments.len(), 2);
}

pub(super) fn deletion(tx: &mut dyn Transaction) {
    for (id, started) in [("tr-1", 100), ("tr-2", 200), ("tr-3", 300)] {
        tx.put_trace(&trace(id, started)).unwrap();
        tx.put_spans(&batch(id, vec![span("a", None, "root")])).unwrap();
    }
    let artifact = Artifact {
        owner: ArtifactOwner::Trace("tr-1".into()),
        path: path("traces.json"),
        object: "o".into(),
        digest: Digest::of(b"x"),
        size: 1,
        verdict: Verdict::Safe,
        created: time(1),
        created_by: "ada".into(),
    };
    tx.put_artifact(&artifact).unwrap();
    assert_eq!(tx.artifact(&artifact.owner, "traces.json").unwrap(), Some(artifact.clone()));
    let nowhere = Artifact { owner: ArtifactOwner::Trace("tr-9".into()), ..artifact };
    assert!(matches!(tx.put_artifact(&nowhere), Err(StoreError::NotFound { .. })));
    let all =
        TraceDeletion { experiment_id: "0".into(), max_timestamp: Some(250), limit: 10, ..TraceDeletion::default() };
    assert_eq!(tx.traces_to_delete(&all).unwrap(), ["tr-1", "tr-2"]);
    assert_eq!(tx.traces_to_delete(&TraceDeletion { limit: 1, ..all.clone() }).unwrap(), ["tr-1"]);
    let named = TraceDeletion { trace_ids: vec!["tr-3".into(), "tr-9".into()], ..all.clone() };
    assert!(tx.traces_to_delete(&named).unwrap().is_empty());
    let named = TraceDeletion { max_timestamp: None, ..named };
    assert_eq!(tx.traces_to_delete(&named).unwrap(), ["tr-3"]);
    assert!(tx.traces_to_delete(&TraceDeletion { experiment_id: "7".into(), ..all }).unwrap().is_empty());
    assert_eq!(tx.delete_traces(&["tr-1".into(), "tr-9".into()]).unwrap(), 1);
    assert!(tx.spans("tr-1").is_err());
    // What is made anew under the id has nothing of the old one.
    tx.put_trace(&trace("tr-1", 100)).unwrap();
    assert!(tx.spans("tr-1").unwrap().is_empty());
}

pub(super) fn metrics(tx: &mut dyn Transaction) {
    for (id, started) in [("tr-1", 100), ("tr-2", 200), ("tr-3", 1300)] {
        let mut new = trace(id, started);
        new.trace.state = if id == "tr-3" { TraceState::Error } else { TraceState::Ok };
        new.trace.duration = Some(started);
        tx.put_trace(&new).unwrap();
    }
    tx.put_spans(&batch("tr-1", vec![span("a", None, "root"), span("b", Some("a"), "child")])).unwrap();
    tx.create_assessment(&assessment("tr-1", "a-1", "\"yes\"")).unwrap();
    tx.create_assessment(&assessment("tr-1", "a-2", "0.5")).unwrap();
    tx.create_assessment(&assessment("tr-1", "a-3", "\"maybe\"")).unwrap();
    let query = |view, metric: &str, aggregations: &[Aggregation], dimensions: &[&str]| TraceMetricQuery {
        experiments: vec!["0".into()],
        view,
        metric: metric.into(),
        aggregations: aggregations.to_vec(),
        dimensions: dimensions.iter().map(|name| (*name).to_owned()).collect(),
        filters: vec![],
        interval: None,
        start: None,
        end: None,
        limit: 100,
        rows: 1000,
    };
    let mut ask = |query: &TraceMetricQuery| -> Vec<(Option<i64>, Vec<String>, Vec<f64>)> {
        let points = tx.trace_metrics(query).unwrap().into_iter();
        points
            .map(|point| (point.bucket, point.dimensions, point.values.iter().map(|value| value.value).collect()))
            .collect()
    };
    let by_status = query(MetricView::Traces, "trace_count", &[Aggregation::Count], &["trace_status"]);
    assert_eq!(ask(&by_status), [(None, vec!["ERROR".to_owned()], vec![1.0]), (None, vec!["OK".into()], vec![2.0])]);
    let latency = query(MetricView::Traces, "latency", &[Aggregation::Average, Aggregation::Percentile(50.0)], &[]);
    let filtered = TraceMetricQuery { filters: vec![MetricFilter::TraceStatus("OK".into())], ..latency.clone() };
    assert_eq!(ask(&filtered), [(None, vec![], vec![150.0, 150.0])]);
    let timed = TraceMetricQuery { interval: Some(1000), start: Some(0), end: Some(5000), ..latency };
    assert_eq!(ask(&timed), [(Some(0), vec![], vec![150.0, 150.0]), (Some(1000), vec![], vec![1300.0, 1300.0])]);
    let tokens = query(MetricView::Traces, "input_tokens", &[Aggregation::Sum], &["trace_name"]);
    assert_eq!(ask(&tokens).len(), 3);
    let spans = query(MetricView::Spans, "span_count", &[Aggregation::Count], &["span_name", "span_model_name"]);
    assert_eq!(
        ask(&spans),
        [(None, vec!["child".to_owned(), "m".into()], vec![1.0]), (None, vec!["root".into(), "m".into()], vec![1.0])]
    );
    let cost = query(MetricView::Spans, "input_cost", &[Aggregation::Sum], &[]);
    assert_eq!(ask(&cost), [(None, vec![], vec![1.0])]);
    let scores = query(MetricView::Assessments, "assessment_value", &[Aggregation::Average], &["assessment_name"]);
    assert_eq!(ask(&scores), [(None, vec!["quality".to_owned()], vec![0.75])]);
    assert!(tx.trace_metrics(&query(MetricView::Traces, "password", &[Aggregation::Count], &[])).is_err());
}
