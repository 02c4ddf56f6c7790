use super::{new_logged_model, new_run, new_version, path, time};
use crate::model::{Artifact, ArtifactOwner, Lifecycle, LoggedModelStatus, NewModelVersion, RunUpdate, VersionFile};
use crate::{StoreError, Transaction};
use sealyard_core::{Digest, Verdict};

fn artifact(owner: &ArtifactOwner, at: &str, object: &str) -> Artifact {
    Artifact {
        owner: owner.clone(),
        path: path(at),
        object: object.into(),
        digest: Digest::of(object.as_bytes()),
        size: 7,
        verdict: Verdict::Suspicious,
        created: time(9),
        created_by: "ada".into(),
    }
}

fn run(tx: &mut dyn Transaction) -> ArtifactOwner {
    tx.create_run(&new_run("r1", 5)).unwrap();
    ArtifactOwner::Run("r1".into())
}

pub(super) fn put_list_delete(tx: &mut dyn Transaction) {
    let owner = run(tx);
    let first = artifact(&owner, "model/MLmodel", "o1");
    assert_eq!(tx.put_artifact(&first).unwrap(), None);
    assert_eq!(tx.artifact(&owner, "model/MLmodel").unwrap(), Some(first));
    assert_eq!(tx.put_artifact(&artifact(&owner, "model/MLmodel", "o2")).unwrap().as_deref(), Some("o1"));
    for at in ["model/data/x", "model-2/x", "model.txt", "a"] {
        tx.put_artifact(&artifact(&owner, at, at)).unwrap();
    }
    let mut below = |prefix: &str| -> Vec<String> {
        let found = tx.artifacts_below(&owner, prefix).unwrap();
        found.into_iter().map(|artifact| artifact.path.to_string()).collect()
    };
    assert_eq!(below("model"), ["model/MLmodel", "model/data/x"]);
    assert_eq!(below("a"), ["a"]);
    assert_eq!(below("").len(), 5);
    assert!(below("mod").is_empty() && below("model%").is_empty());
    assert_eq!(tx.delete_artifacts_below(&owner, "model").unwrap(), 2);
    assert_eq!(tx.artifacts_below(&owner, "").unwrap().len(), 3);
    let nobody = ArtifactOwner::Run("r9".into());
    assert!(matches!(tx.put_artifact(&artifact(&nobody, "a", "o")), Err(StoreError::NotFound { .. })));
    let bin = RunUpdate { lifecycle: Some(Lifecycle::Deleted), ..RunUpdate::default() };
    tx.update_run("r1", &bin).unwrap();
    assert!(matches!(tx.put_artifact(&artifact(&owner, "z", "o")), Err(StoreError::Conflict(_))));
}

pub(super) fn loose_files(tx: &mut dyn Transaction) {
    let (owner, other) = (ArtifactOwner::Loose, run(tx));
    let first = artifact(&owner, "folder/a", "o1");
    assert_eq!(tx.put_artifact(&first).unwrap(), None);
    tx.put_artifact(&artifact(&owner, "b", "o2")).unwrap();
    tx.put_artifact(&artifact(&other, "folder/a", "o3")).unwrap();
    assert_eq!(tx.artifact(&owner, "folder/a").unwrap(), Some(first));
    assert_eq!(tx.artifacts_below(&owner, "").unwrap().len(), 2);
    assert!(tx.object_is_referenced("o1").unwrap());
    assert_eq!(tx.delete_artifacts_below(&owner, "folder").unwrap(), 1);
    assert!(!tx.object_is_referenced("o1").unwrap());
    assert_eq!(tx.artifacts_below(&other, "").unwrap().len(), 1);
}

pub(super) fn files_and_directories(tx: &mut dyn Transaction) {
    let owner = run(tx);
    tx.put_artifact(&artifact(&owner, "a/b/c", "o1")).unwrap();
    for at in ["a", "a/b", "a/b/c/d", "a/b/c/d/e"] {
        assert!(matches!(tx.put_artifact(&artifact(&owner, at, "o2")), Err(StoreError::Conflict(_))), "{at}");
    }
    tx.put_artifact(&artifact(&owner, "a/bc", "o3")).unwrap();
}

pub(super) fn a_finalised_model_is_frozen(tx: &mut dyn Transaction) {
    tx.create_logged_model(&new_logged_model("m-1", "0")).unwrap();
    let owner = ArtifactOwner::LoggedModel("m-1".into());
    tx.put_artifact(&artifact(&owner, "MLmodel", "o1")).unwrap();
    tx.finalise_logged_model("m-1", LoggedModelStatus::Ready, "", Some(Digest::of(b"t")), time(9)).unwrap();
    for at in ["MLmodel", "other"] {
        assert!(matches!(tx.put_artifact(&artifact(&owner, at, "o2")), Err(StoreError::Conflict(_))));
    }
    assert!(matches!(tx.delete_artifacts_below(&owner, ""), Err(StoreError::Conflict(_))));
    assert_eq!(tx.artifacts_below(&owner, "").unwrap().len(), 1);
    files_of_a_version_are_frozen(tx);
}

fn files_of_a_version_are_frozen(tx: &mut dyn Transaction) {
    let owner = run(tx);
    for at in ["model/MLmodel", "model/data/x", "model-2/x", "a"] {
        tx.put_artifact(&artifact(&owner, at, &format!("object of {at}"))).unwrap();
    }
    tx.create_registered_model("frozen", "", &[], "ada", time(10)).unwrap();
    let mut new = new_version("frozen", &["MLmodel", "data/x"]);
    for file in &mut new.files {
        file.object = format!("object of model/{}", file.path);
    }
    let version = tx.create_model_version(&new).unwrap().version;
    for at in ["model/MLmodel", "model/data/x", "model/more", "model/data/more"] {
        assert!(matches!(tx.put_artifact(&artifact(&owner, at, "o9")), Err(StoreError::Conflict(_))), "{at}");
    }
    for at in ["model", "model/data", "model/MLmodel", ""] {
        assert!(matches!(tx.delete_artifacts_below(&owner, at), Err(StoreError::Conflict(_))), "{at}");
    }
    assert_eq!(tx.count_artifacts_below(&owner, "").unwrap(), 4);
    assert_eq!(tx.count_artifacts_below(&owner, "model").unwrap(), 2);
    tx.put_artifact(&artifact(&owner, "model-2/x", "o8")).unwrap();
    tx.put_artifact(&artifact(&owner, "modelled", "o7")).unwrap();
    tx.delete_artifacts_below(&owner, "a").unwrap();
    tx.delete_model_version("frozen", version).unwrap();
    tx.put_artifact(&artifact(&owner, "model/MLmodel", "o9")).unwrap();
    // What is in a version stays whatever run the version says it is of.
    let elsewhere = NewModelVersion {
        files: vec![VersionFile { path: path("x"), object: "o8".into() }],
        run_id: None,
        ..new_version("frozen", &["x"])
    };
    tx.create_model_version(&elsewhere).unwrap();
    assert!(matches!(tx.put_artifact(&artifact(&owner, "model-2/x", "o9")), Err(StoreError::Conflict(_))));
    // A version of the whole run leaves no room for anything.
    let whole = NewModelVersion {
        files: vec![VersionFile { path: path("modelled"), object: "o7".into() }],
        ..new_version("frozen", &["modelled"])
    };
    tx.create_model_version(&whole).unwrap();
    assert!(matches!(tx.put_artifact(&artifact(&owner, "z", "o6")), Err(StoreError::Conflict(_))));
}

pub(super) fn references(tx: &mut dyn Transaction) {
    let owner = run(tx);
    tx.put_artifact(&artifact(&owner, "a", "o1")).unwrap();
    tx.put_artifact(&artifact(&owner, "b", "o1")).unwrap();
    assert!(tx.object_is_referenced("o1").unwrap());
    assert!(!tx.object_is_referenced("o2").unwrap());
    tx.delete_artifacts_below(&owner, "a").unwrap();
    assert!(tx.object_is_referenced("o1").unwrap());
    tx.delete_artifacts_below(&owner, "b").unwrap();
    assert!(!tx.object_is_referenced("o1").unwrap());
}
