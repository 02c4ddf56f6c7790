//! A database as each earlier schema left it, with rows in it, is brought to the present one: nothing is lost, and work goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealyard_core::{Digest, FixedClock, Timestamp, TreePath, Verdict};
use sealyard_store::model::{
    Artifact, ArtifactOwner, Comparison, Condition, EvidenceRecord, Field, NewExperiment, Operand, RunQuery,
};
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::{SqliteOptions, SqliteStore};

const RUN: &str = "0123456789abcdef0123456789abcdef";

fn files(database: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    files
}

/// The steps of a database's schema, in their order.
pub(crate) fn steps(database: &str) -> Vec<String> {
    files(database).iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// How many steps are before the one of this name.
fn before(database: &str, name: &str) -> usize {
    let end = format!("_{name}.sql");
    files(database).iter().position(|file| file.to_string_lossy().ends_with(&end)).unwrap()
}

/// Whether a database with so many steps has had the one of this name.
fn had(database: &str, steps: usize, name: &str) -> bool {
    steps > before(database, name)
}

/// SQL that writes rows as a release with so many steps would have.
pub(crate) fn rows(database: &str, steps: usize, bytes: impl Fn(&str) -> String) -> String {
    let had = |name| had(database, steps, name);
    let digest = |text: &str| bytes(&Digest::of(text.as_bytes()).to_hex());
    let (more, values) = if had("search") { (", experiment, started", ", 700, 5") } else { ("", "") };
    // From then on a name has its workspace's number before it, in a column of its own.
    let key = |name: &str| if had("workspaces") { format!("'0/{name}', '{name}'") } else { format!("'{name}'") };
    let name = if had("workspaces") { "key, name" } else { "name" };
    let (workspace, first) = if had("workspaces") { (", workspace", ", 0") } else { ("", "") };
    let mut sql = format!(
        "INSERT INTO experiments (number, {name}, created, updated) VALUES (0, {}, 1, 1), (700, {}, 2, 3);
         INSERT INTO runs (number, id, experiment, name, \"user\", created_by, status, started)
             VALUES (40, '{RUN}', 700, 'training', 'ada', 'ada', 'FINISHED', 5);
         INSERT INTO run_params (run, key, value{more}) VALUES (40, 'alpha', '0.5'{values});
         INSERT INTO registered_models (number, {name}, description, created, updated, created_by, last_version)
             VALUES (30, {}, 'of cards', 6, 7, 'ada', 2);
         INSERT INTO evidence (number, digest, subject, predicate_type, bundle, added, added_by{workspace})
             VALUES (20, {}, {}, 'scan', '{{}}', 8, 'ada'{first});
         INSERT INTO artifacts (owner_kind, owner, path, object, digest, size, verdict, created, created_by) VALUES
             ('run', '{RUN}', 'a/b.txt', 'object-a', {a}, 3, 'safe', 9, 'ada'),
             ('model', 'm-1', 'model.pkl', 'object-b', {b}, 4, 'suspicious', 10, 'bob');",
        key("Default"),
        key("old"),
        key("fraud"),
        digest("{}"),
        digest("subject"),
        a = digest("a"),
        b = digest("b"),
    );
    if database == "postgres" {
        // As if that release had given the number itself.
        sql += "SELECT setval(pg_get_serial_sequence('evidence', 'number'), 20);";
    }
    if had("vault") {
        sql += &format!(
            "INSERT INTO stored_objects (object, digest, size, state, changed) VALUES
                 ('object-a', {}, 3, 'kept', 9), ('object-b', {}, 4, 'kept', 10);",
            digest("a"),
            digest("b"),
        );
    }
    if had("traces") {
        sql += &format!(
            "INSERT INTO artifacts (owner_kind, owner, path, object, digest, size, verdict, created, created_by)
                 VALUES ('trace', 'tr-1', 'traces.json', 'object-a', {}, 3, 'safe', 11, 'ada');",
            digest("a"),
        );
    }
    sql
}

/// That all of it is there, and that more can be written.
pub(crate) async fn check(store: &Arc<dyn Store>, database: &str, steps: usize) {
    let (had_objects, had_traces) = (had(database, steps, "vault"), had(database, steps, "traces"));
    store
        .write(move |tx| {
            let found = tx.experiment_by_name("old")?.unwrap();
            assert_eq!((found.id.as_str(), found.created), ("700", Timestamp::from_millis(2)));
            assert_eq!(tx.experiment_by_name("Default")?.unwrap().created, Timestamp::from_millis(1));
            let again = NewExperiment { name: "old".into(), created: Timestamp::from_millis(50), tags: Vec::new() };
            assert!(matches!(tx.create_experiment(&again), Err(StoreError::AlreadyExists { .. })));
            let query = RunQuery {
                experiments: vec!["700".into()],
                filter: vec![Condition {
                    field: Field::Parameter("alpha".into()),
                    comparison: Comparison::Equal,
                    operand: Operand::Text("0.5".into()),
                }],
                limit: 5,
                ..RunQuery::default()
            };
            let runs = tx.search_runs(&query)?.items;
            assert_eq!(runs.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), [RUN]);
            let model = tx.registered_model("fraud")?.unwrap();
            assert_eq!((model.description.as_str(), model.created), ("of cards", Timestamp::from_millis(6)));

            let mut owners = vec![
                (ArtifactOwner::Run(RUN.into()), "a/b.txt", "object-a", "a", 3, Verdict::Safe, "ada"),
                (ArtifactOwner::LoggedModel("m-1".into()), "model.pkl", "object-b", "b", 4, Verdict::Suspicious, "bob"),
            ];
            if had_traces {
                owners.push((
                    ArtifactOwner::Trace("tr-1".into()),
                    "traces.json",
                    "object-a",
                    "a",
                    3,
                    Verdict::Safe,
                    "ada",
                ));
            }
            for (owner, path, object, content, size, verdict, created_by) in owners {
                let found = tx.artifact(&owner, path)?.unwrap();
                assert_eq!((found.object.as_str(), found.size, found.verdict), (object, size, verdict), "{owner:?}");
                assert_eq!((found.digest, found.created_by.as_str()), (Digest::of(content.as_bytes()), created_by));
                assert!(tx.object_is_referenced(object)?);
            }
            // What had no row of its own has one now, to be compared with others.
            let fresh = tx.new_objects(10)?.len();
            assert_eq!(fresh, if had_objects { 0 } else { 2 });

            let known = tx.evidence_for(&Digest::of(b"subject"))?;
            assert_eq!(known.iter().map(|record| record.bundle.as_str()).collect::<Vec<_>>(), ["{}"]);
            let record = EvidenceRecord { digest: Digest::of(b"new"), bundle: "new".into(), ..known[0].clone() };
            tx.add_evidence(&record)?;
            let known = tx.evidence_for(&Digest::of(b"subject"))?;
            assert_eq!(known.iter().map(|record| record.bundle.as_str()).collect::<Vec<_>>(), ["{}", "new"]);
            let loose = Artifact {
                owner: ArtifactOwner::Loose,
                path: TreePath::new("loose.txt").unwrap(),
                object: "object-c".into(),
                digest: Digest::of(b"c"),
                size: 5,
                verdict: Verdict::Safe,
                created: Timestamp::from_millis(60),
                created_by: "root".into(),
            };
            assert_eq!(tx.put_artifact(&loose)?, None);
            assert_eq!(tx.artifact(&ArtifactOwner::Loose, "loose.txt")?.as_ref(), Some(&loose));
            tx.create_workspace("team", None, Timestamp::from_millis(70))?;
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn every_earlier_sqlite_database_is_upgraded() {
    let steps = steps("sqlite");
    for count in 1..steps.len() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("catalog.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        for step in &steps[..count] {
            connection.execute_batch(step).unwrap();
        }
        connection.execute_batch(&rows("sqlite", count, |hex| format!("x'{hex}'"))).unwrap();
        connection.pragma_update(None, "application_id", 0x5359_5244).unwrap();
        connection.pragma_update(None, "user_version", count as i64).unwrap();
        drop(connection);
        let options = SqliteOptions::new(Arc::new(FixedClock::at(Timestamp::from_millis(99))));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, options).unwrap());
        check(&store, "sqlite", count).await;
    }
}
