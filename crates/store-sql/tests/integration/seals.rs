//! Every byte that decides something, changed behind the server's back, is known; what is damaged decides nothing; the rest goes on.

use std::path::Path;
use std::sync::Arc;

use sealyard_core::{Digest, FileEntry, FileTree, Timestamp, TreePath, Verdict};
use sealyard_identity::{Grant, Right};
use sealyard_store::model::{
    Artifact, ArtifactOwner, EvidenceRecord, ExternalIdentityRecord, GroupRole, NewModelVersion, NewVersionRecord,
    RolePermissionRecord, SecondFactorRecord, SessionRecord, TokenRecord, UserKind, UserRecord, VersionFile,
};
use sealyard_store::{DamagedRow, SEAL_FORM, Store, StoreError, Transaction};
use sealyard_store_sql::{SqliteOptions, SqliteStore};

const KEY: [u8; 32] = [7; 32];

fn open(directory: &Path) -> Arc<dyn Store> {
    let options = SqliteOptions::default();
    options.seals.set(&KEY);
    Arc::new(SqliteStore::open(&directory.join("catalog.db"), options).unwrap())
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn grant(grantee: &str, right: &str) -> Grant {
    Grant { grantee: grantee.parse().unwrap(), pattern: "experiment:1".parse().unwrap(), right: right.parse().unwrap() }
}

/// One row in each table.
fn fill(tx: &mut dyn Transaction) {
    let (kind, created) = (UserKind::Person, time(1));
    let user = |name: &str| UserRecord {
        id: 0,
        name: name.into(),
        password: Some("hash".into()),
        admin: false,
        kind,
        disabled: false,
        created,
    };
    let ada = tx.create_user(&user("ada")).unwrap().id;
    tx.create_token(&TokenRecord {
        id: "t1".into(),
        owner: "ada".into(),
        hash: "token hash".into(),
        scopes: vec!["read".into()],
        created,
        expires: Some(time(99)),
        revoked: false,
        used: None,
    })
    .unwrap();
    tx.create_session(&SessionRecord {
        id: "s1".into(),
        owner: "ada".into(),
        hash: "session hash".into(),
        created,
        seen: created,
        expires: time(99),
        provider: Some("corp".into()),
        external: Some("x".into()),
    })
    .unwrap();
    tx.set_grant(&grant("principal:u1", "READ")).unwrap();
    let role = tx.create_role("default", "trainers", None, created).unwrap().id;
    let (resource_type, resource_pattern) = ("experiment".into(), "2".into());
    let permission = RolePermissionRecord { id: 0, role, resource_type, resource_pattern, permission: "READ".into() };
    tx.add_role_permission(&permission).unwrap();
    tx.assign_role(ada, role).unwrap();
    let group = tx.create_group("corp", "ml", created).unwrap().id;
    tx.add_group_member(group, ada).unwrap();
    tx.add_group_role(&GroupRole { group, role, declared: false }).unwrap();
    let (provider, subject) = ("corp".into(), "1".into());
    tx.create_external_identity(&ExternalIdentityRecord { provider, subject, user: ada, created, seen: created })
        .unwrap();
    tx.create_registered_model("fraud", "", &[], "ada", created).unwrap();
    tx.record_model_version(&NewVersionRecord {
        name: "fraud".into(),
        description: String::new(),
        source: "s3://elsewhere".into(),
        location: Some("s3://elsewhere".into()),
        run_id: Some("r".into()),
        model_id: Some("m".into()),
        created,
        created_by: "ada".into(),
        placeholder: Digest::of(b"x"),
        tags: vec![],
    })
    .unwrap();
    tx.mark_published("fraud", 1, Digest::of(b"attestation"), created).unwrap();
    tx.set_alias("fraud", "champion", 1, created).unwrap();
    let file = |path: &str, object: &str| Artifact {
        owner: ArtifactOwner::Loose,
        path: TreePath::new(path).unwrap(),
        object: object.into(),
        digest: Digest::of(b"content"),
        size: 7,
        verdict: Verdict::Safe,
        created,
        created_by: "ada".into(),
    };
    tx.put_artifact(&file("copy", "object-b")).unwrap();
    tx.put_artifact(&file("model.skops", "object-a")).unwrap();
    tx.keep_object("object-a").unwrap();
    assert!(tx.share_object("object-b", "object-a", created).unwrap());
    assert_eq!(tx.delete_artifacts_below(&ArtifactOwner::Loose, "copy").unwrap(), 1);
    let path = TreePath::new("model.skops").unwrap();
    let entry = FileEntry { path: path.clone(), digest: Digest::of(b"content"), size: 7, executable: false };
    tx.create_model_version(&NewModelVersion {
        name: "fraud".into(),
        description: String::new(),
        source: String::new(),
        location: None,
        run_id: None,
        model_id: None,
        experiment_id: "0".into(),
        tree: FileTree::new(vec![entry]).unwrap(),
        files: vec![VersionFile { path, object: "object-b".into() }],
        verdict: Verdict::Safe,
        created,
        created_by: "ada".into(),
        tags: vec![],
    })
    .unwrap();
    tx.create_workspace("team", None, created).unwrap();
    tx.put_second_factor(&SecondFactorRecord { user: ada, secret: vec![1], confirmed: false, used_step: 0, created })
        .unwrap();
    tx.confirm_second_factor(ada, 5, &["code hash".into()]).unwrap();
    tx.add_evidence(&EvidenceRecord {
        digest: Digest::of(b"bundle"),
        subject: Digest::of(b"x"),
        predicate_type: "scan".into(),
        bundle: "{}".into(),
        added: created,
        added_by: "ada".into(),
    })
    .unwrap();
}

/// The sealed columns of each table, as the schema has them, and what each is changed to.
const COLUMNS: &[(&str, &[&str])] = &[
    ("users", &["name", "password", "admin", "created", "kind", "disabled"]),
    ("tokens", &["id", "user", "hash", "scopes", "created", "expires", "revoked"]),
    ("sessions", &["id", "user", "hash", "created", "expires", "provider", "external"]),
    ("grants", &["grantee", "pattern", "slot", "permission"]),
    ("roles", &["workspace", "name"]),
    ("role_permissions", &["number", "role", "resource_type", "resource_pattern", "permission"]),
    ("role_members", &["number", "member", "role"]),
    ("groups", &["source", "name"]),
    ("group_members", &["group_number", "member"]),
    ("group_roles", &["group_number", "role", "declared"]),
    ("external_identities", &["provider", "subject", "member"]),
    (
        "model_versions",
        &[
            "model",
            "version",
            "source",
            "run_id",
            "model_id",
            "experiment",
            "status",
            "stage",
            "created_by",
            "tree",
            "verdict",
            "published",
            "location",
        ],
    ),
    ("aliases", &["model", "alias", "version"]),
    ("evidence", &["number", "digest", "subject", "predicate_type", "bundle", "added_by", "workspace"]),
    ("registered_models", &["number", "key", "name", "workspace", "created_by", "last_version"]),
    ("workspaces", &["number", "name"]),
    ("artifacts", &["owner_kind", "owner", "path", "object", "digest", "size", "verdict", "created_by"]),
    ("version_files", &["version", "path", "object", "digest", "size", "executable"]),
    ("second_factors", &["member", "id", "secret", "confirmed", "used_step"]),
    ("recovery_codes", &["member", "hash"]),
    ("stored_objects", &["object", "bytes"]),
];

fn changed(table: &str, column: &str) -> &'static str {
    match (table, column) {
        (_, "digest" | "subject" | "tree" | "published") if table != "external_identities" => "zeroblob(32)",
        (_, "secret") => "x'02'",
        (_, "confirmed") => "0",
        ("artifacts", "owner_kind") => "'run'",
        ("registered_models" | "evidence", "workspace") | (_, "last_version" | "used_step" | "size") => "98",
        (_, "admin" | "disabled" | "revoked" | "declared" | "executable") => "1",
        (_, "created" | "expires" | "number" | "user" | "member" | "role" | "group_number" | "model" | "version") => {
            "98"
        }
        (_, "status") => "'FAILED_REGISTRATION'",
        (_, "kind") => "'service'",
        _ => "'changed'",
    }
}

async fn damaged(store: &Arc<dyn Store>) -> Vec<DamagedRow> {
    store.read(|tx| tx.damaged_rows(10)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_value_that_is_changed_behind_the_servers_back_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store
        .write(|tx| {
            fill(tx);
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    assert_eq!(damaged(&store).await, []);
    drop(store);
    let file = directory.path().join("catalog.db");
    for (table, columns) in COLUMNS {
        for column in columns.iter().chain(&["seal"]) {
            let directory = tempfile::tempdir().unwrap();
            std::fs::copy(&file, directory.path().join("catalog.db")).unwrap();
            let connection = rusqlite::Connection::open(directory.path().join("catalog.db")).unwrap();
            connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
            let to = if *column == "seal" { "NULL" } else { changed(table, column) };
            let only = match *table {
                "workspaces" => " WHERE number <> 0",
                "stored_objects" => " WHERE state = 'shared'",
                // The first version is a note without files.
                "model_versions" => " WHERE version = 1",
                _ => "",
            };
            let sql = format!("UPDATE {table} SET \"{column}\" = {to}{only}");
            assert_eq!(connection.execute(&sql, []).unwrap(), 1, "{sql}");
            drop(connection);
            let found = damaged(&open(directory.path())).await;
            // Where it is known which seals there are, it is known too that this one is not among them.
            let of_files = ["artifacts", "version_files", "stored_objects"].contains(table);
            assert_eq!(found.len(), if *column == "seal" && !of_files { 2 } else { 1 }, "{sql}: {found:?}");
            assert_eq!(found[0].table, *table, "{sql}");
        }
    }
}

fn sql(directory: &Path, statements: &str) {
    rusqlite::Connection::open(directory.join("catalog.db")).unwrap().execute_batch(statements).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_decides_nothing_and_the_rest_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let filled = store.write(|tx| {
        fill(tx);
        tx.set_grant(&grant("principal:u2", "EDIT"))?;
        tx.create_user(&UserRecord {
            id: 0,
            name: "bob".into(),
            password: None,
            admin: false,
            kind: UserKind::Person,
            disabled: false,
            created: time(1),
        })
    });
    filled.await.unwrap();
    sql(
        directory.path(),
        "UPDATE users SET admin = 1 WHERE name = 'ada';
         UPDATE tokens SET scopes = '[\"all\"]';
         UPDATE sessions SET \"user\" = 2;
         UPDATE grants SET permission = 'MANAGE' WHERE grantee = 'principal:u1';
         UPDATE role_permissions SET permission = 'MANAGE';
         INSERT INTO group_members (group_number, member) VALUES (1, 2);
         UPDATE aliases SET alias = 'production';
         UPDATE external_identities SET member = 2;
         UPDATE evidence SET bundle = '{\"x\":1}';",
    );
    let is_damaged =
        |outcome: Result<(), StoreError>| assert!(matches!(outcome, Err(StoreError::Damaged { .. })), "{outcome:?}");
    is_damaged(store.read(|tx| tx.user("ada").map(drop)).await);
    is_damaged(store.read(|tx| tx.token_by_hash("token hash").map(drop)).await);
    is_damaged(store.read(|tx| tx.session_by_hash("session hash").map(drop)).await);
    is_damaged(store.read(|tx| tx.version_by_alias("fraud", "production").map(drop)).await);
    is_damaged(store.read(|tx| tx.external_identity("corp", "1").map(drop)).await);
    is_damaged(store.read(|tx| tx.evidence(&Digest::of(b"bundle")).map(drop)).await);
    assert!(store.read(|tx| tx.evidence_for(&Digest::of(b"x"))).await.unwrap().is_empty());
    // Nothing is made good by writing over it.
    is_damaged(store.write(|tx| tx.set_user_admin("ada", true)).await);
    store.write(|tx| tx.revoke_token("t1")).await.unwrap();
    is_damaged(store.read(|tx| tx.token_by_hash("token hash").map(drop)).await);
    // What may have been a denial is one, and nobody is in a group that nobody was put into.
    let rules = store.read(|tx| tx.access_rules()).await.unwrap();
    let right = |of: &str| {
        let found: Vec<_> = rules.grants.iter().filter(|grant| grant.grantee.to_string() == of).collect();
        assert_eq!(found.len(), 1, "{of}");
        found[0].right
    };
    assert_eq!(right("principal:u1"), Right::Deny);
    assert_eq!(right("role:r1"), Right::Deny);
    assert_eq!(right("principal:u2").to_string(), "EDIT");
    assert!(rules.memberships.iter().all(|member| member.principal.as_str() == "u1"));
    assert_eq!(store.read(|tx| tx.users()).await.unwrap().len(), 1);
    assert_eq!(store.read(|tx| tx.user("bob")).await.unwrap().unwrap().name, "bob");
    // Also what was damaged can be done away with.
    store.write(|tx| tx.delete_user("ada")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_changed_is_not_given_out_and_can_not_be_published() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store
        .write(|tx| {
            fill(tx);
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    sql(directory.path(), "UPDATE model_versions SET verdict = 'safe'");
    let is_damaged =
        |outcome: Result<(), StoreError>| assert!(matches!(outcome, Err(StoreError::Damaged { .. })), "{outcome:?}");
    is_damaged(store.read(|tx| tx.model_version("fraud", 1).map(drop)).await);
    is_damaged(store.write(|tx| tx.mark_published("fraud", 1, Digest::of(b"again"), time(2))).await);
    is_damaged(store.write(|tx| tx.set_model_version_stage("fraud", 1, "Production", time(2)).map(drop)).await);
}

/// A catalog with one row in each table, at rest.
async fn filled() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let filled = store.write(|tx| {
        fill(tx);
        Ok::<_, StoreError>(())
    });
    filled.await.unwrap();
    directory
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_were_exchanged_lead_to_no_version() {
    let directory = filled().await;
    let store = open(directory.path());
    store.write(|tx| tx.create_registered_model("cards", "", &[], "ada", time(1)).map(drop)).await.unwrap();
    drop(store);
    sql(
        directory.path(),
        "UPDATE registered_models SET key = 'x' WHERE name = 'fraud';
         UPDATE registered_models SET key = '0/fraud', name = 'fraud' WHERE name = 'cards';
         UPDATE registered_models SET key = '0/cards', name = 'cards' WHERE key = 'x';
         UPDATE workspaces SET name = 'other' WHERE number <> 0;",
    );
    let store = open(directory.path());
    let is_damaged =
        |outcome: Result<(), StoreError>| assert!(matches!(outcome, Err(StoreError::Damaged { .. })), "{outcome:?}");
    is_damaged(store.read(|tx| tx.model_version("cards", 1).map(drop)).await);
    is_damaged(store.read(|tx| tx.version_by_alias("cards", "champion").map(drop)).await);
    is_damaged(store.write(|tx| tx.set_alias("fraud", "champion", 1, time(2))).await);
    is_damaged(store.read(|tx| tx.workspace_named("other").map(drop)).await);
    assert!(store.read(|tx| tx.search_registered_models(&[], &[], None, 10, None)).await.unwrap().items.is_empty());
    assert!(store.read(|tx| tx.search_model_versions(&[], &[], None, 10, None)).await.unwrap().items.is_empty());
    assert_eq!(store.read(|tx| tx.workspaces()).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_names_other_bytes_is_not_given_out() {
    let directory = filled().await;
    sql(
        directory.path(),
        "UPDATE artifacts SET object = 'object-secret'; UPDATE version_files SET object = 'object-secret';
         UPDATE stored_objects SET bytes = 'object-secret' WHERE state = 'shared';
         UPDATE second_factors SET confirmed = 0; UPDATE recovery_codes SET hash = 'mine';",
    );
    let store = open(directory.path());
    let is_damaged =
        |outcome: Result<(), StoreError>| assert!(matches!(outcome, Err(StoreError::Damaged { .. })), "{outcome:?}");
    is_damaged(store.read(|tx| tx.artifact(&ArtifactOwner::Loose, "model.skops").map(drop)).await);
    is_damaged(store.read(|tx| tx.artifacts_below(&ArtifactOwner::Loose, "").map(drop)).await);
    is_damaged(store.read(|tx| tx.model_version_files("fraud", 2).map(drop)).await);
    is_damaged(store.read(|tx| tx.bytes_of_object("object-b").map(drop)).await);
    is_damaged(store.read(|tx| tx.second_factor(1).map(drop)).await);
    is_damaged(store.write(|tx| tx.use_second_factor_step(1, 9).map(drop)).await);
    is_damaged(store.write(|tx| tx.use_recovery_code(1, "mine").map(drop)).await);
}

/// An index may be changed too: it leads from the digest of somebody's own token to the row of another.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_not_asked_for_is_not_taken() {
    let directory = filled().await;
    let file = directory.path().join("catalog.db");
    let bytes = std::fs::read(&file).unwrap();
    for (right, wrong) in [("token hash", "token haXX"), ("session hash", "session haXX"), ("0/fraud", "0/fraXX")] {
        let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(right.as_bytes())).collect();
        assert!(places.len() >= 2, "{right} is in a row and in an index");
        let mut reached = 0;
        for place in places {
            let directory = tempfile::tempdir().unwrap();
            let mut changed = bytes.clone();
            changed[place..place + wrong.len()].copy_from_slice(wrong.as_bytes());
            std::fs::write(directory.path().join("catalog.db"), changed).unwrap();
            let store = open(directory.path());
            let found = store
                .read(move |tx| {
                    Ok::<_, StoreError>(match right {
                        "token hash" => tx.token_by_hash(wrong).map(|found| found.is_some()),
                        "session hash" => tx.session_by_hash(wrong).map(|found| found.is_some()),
                        _ => tx.registered_model("fraXX").map(|found| found.is_some()),
                    })
                })
                .await
                .unwrap();
            assert!(!matches!(found, Ok(true)), "{right} at {place}");
            reached += usize::from(matches!(found, Err(StoreError::Damaged { .. })));
        }
        assert!(reached >= 1, "no index led to a row of {right}");
    }
}

/// A row that is gone or is one of earlier has a right seal, or none.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_removed_or_put_back_are_missed() {
    let directory = filled().await;
    let store = open(directory.path());
    store.write(|tx| tx.set_grant(&grant("principal:u1", "DENY"))).await.unwrap();
    let before = "ATTACH '{}' AS old";
    let old = directory.path().join("old.db");
    drop(store);
    std::fs::copy(directory.path().join("catalog.db"), &old).unwrap();
    let store = open(directory.path());
    store
        .write(|tx| {
            tx.revoke_token("t1")?;
            tx.set_user_disabled("ada", true)
        })
        .await
        .unwrap();
    assert_eq!(damaged(&store).await, []);
    drop(store);
    let cases = [
        ("grants", "DELETE FROM grants"),
        ("aliases", "DELETE FROM aliases"),
        ("second_factors", "DELETE FROM second_factors"),
        ("tokens", "UPDATE tokens SET (revoked, seal) = (SELECT revoked, seal FROM old.tokens)"),
        ("users", "UPDATE users SET (disabled, seal) = (SELECT disabled, seal FROM old.users)"),
        ("users", "DELETE FROM row_sets WHERE name = 'users'"),
        ("users", "UPDATE row_sets SET members = members + 1 WHERE name = 'users'"),
        ("users", "UPDATE row_sets SET masked = zeroblob(32) WHERE name = 'users'"),
    ];
    for (table, change) in cases {
        let directory_of_case = tempfile::tempdir().unwrap();
        std::fs::copy(directory.path().join("catalog.db"), directory_of_case.path().join("catalog.db")).unwrap();
        sql(
            directory_of_case.path(),
            &format!("PRAGMA foreign_keys = OFF; {}; {change};", before.replace("{}", old.to_str().unwrap())),
        );
        let store = open(directory_of_case.path());
        let found = damaged(&store).await;
        assert_eq!(found.iter().map(|row| row.table).collect::<Vec<_>>(), [table], "{change}: {found:?}");
        // What is written next does not make it good.
        store
            .write(|tx| {
                tx.set_grant(&grant("principal:u7", "READ"))?;
                tx.set_user_admin("ada", true)
            })
            .await
            .unwrap();
        assert_eq!(damaged(&store).await.len(), 1, "{change}");
        // Whoever takes it for right says so.
        store.write(|tx| tx.seal_rows_since(SEAL_FORM)).await.unwrap();
        assert_eq!(damaged(&store).await, [], "{change}");
    }
    // All of it as it was: what is known from outside says that there was more.
    let options = SqliteOptions::default();
    options.seals.set(&KEY);
    let seals = options.seals.clone();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&directory.path().join("catalog.db"), options).unwrap());
    assert_eq!(damaged(&store).await, []);
    let known = seals.changes();
    let options = SqliteOptions::default();
    options.seals.set(&KEY);
    options.seals.know_changes(known);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&old, options).unwrap());
    let found = damaged(&store).await;
    assert_eq!(found.iter().map(|row| row.table).collect::<Vec<_>>(), ["users", "tokens", "sessions"], "{found:?}");
}

/// What was changed behind the server's back is not made good by the next ordinary write, nor does it decide what is written next.
#[tokio::test(flavor = "multi_thread")]
async fn no_ordinary_write_seals_what_was_changed() {
    type Write = fn(&mut dyn Transaction) -> Result<(), StoreError>;
    let cases: &[(&str, Write)] = &[
        ("UPDATE roles SET workspace = 'mine'", |tx| tx.role(1).map(drop)),
        ("UPDATE roles SET workspace = 'mine'", |tx| tx.update_role(1, "renamed", None)),
        ("UPDATE roles SET workspace = 'mine'", |tx| tx.assign_role(2, 1).map(drop)),
        ("UPDATE roles SET name = 'other'", |tx| {
            tx.add_group_role(&GroupRole { group: 1, role: 1, declared: true }).map(drop)
        }),
        ("UPDATE roles SET workspace = 'mine'", |tx| {
            let (resource_type, resource_pattern) = ("experiment".into(), "9".into());
            let permission = "MANAGE".into();
            tx.add_role_permission(&RolePermissionRecord {
                id: 0,
                role: 1,
                resource_type,
                resource_pattern,
                permission,
            })
            .map(drop)
        }),
        ("UPDATE role_permissions SET resource_pattern = '*'", |tx| tx.update_role_permission(1, "READ")),
        ("UPDATE role_permissions SET resource_pattern = '*'", |tx| tx.role_permission(1).map(drop)),
        ("UPDATE groups SET name = 'admins'", |tx| tx.group_named("corp", "admins").map(drop)),
        ("UPDATE groups SET name = 'admins'", |tx| tx.group(1).map(drop)),
        ("UPDATE groups SET source = 'scim'", |tx| tx.rename_group(1, "renamed")),
        ("UPDATE groups SET name = 'admins'", |tx| tx.add_group_member(1, 2).map(drop)),
        ("UPDATE model_versions SET tree = zeroblob(32) WHERE version = 1", |tx| {
            tx.model_version_files("fraud", 1).map(drop)
        }),
    ];
    for (change, write) in cases {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        store
            .write(|tx| {
                fill(tx);
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        sql(directory.path(), change);
        let write = *write;
        let outcome = store.write(move |tx| write(tx)).await;
        assert!(matches!(outcome, Err(StoreError::Damaged { .. })), "{change}: {outcome:?}");
        assert_eq!(damaged(&store).await.len(), 1, "{change}");
    }
}
