//! What every backend must do. Its integration test runs [`all`] with a way to make an empty store.
//!
//! A case that fails panics, as tests do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test suite that other crates' tests run"
)]

mod account_security;
mod artifacts;
mod cosignatures;
mod datasets;
mod evaluation_datasets;
mod evidence;
mod experiments;
mod gateway;
mod groups;
mod histories;
mod identities;
mod import;
mod issues;
mod ledger;
mod ledger_index;
mod logged_models;
mod objects;
mod once;
mod people;
mod personal;
mod registry;
mod roles;
mod runs;
mod scorers;
mod sealed;
mod search;
mod sessions;
mod text;
mod traces;
mod transactions;
mod uploads;
mod version_records;
mod webhooks;
mod workspace_keys;
mod workspaces;

use std::sync::Arc;

use sealyard_core::{Digest, FileEntry, FileTree, Timestamp, TreePath, Verdict};

use crate::model::{NewLoggedModel, NewModelVersion, NewRun, VersionFile};
use crate::{Store, StoreError, Transaction};

type Case = fn(&mut dyn Transaction);

const CASES: &[(&str, Case)] = &[
    ("experiments::lifecycle", experiments::lifecycle),
    ("experiments::names_are_unique", experiments::names_are_unique),
    ("experiments::search", experiments::search),
    ("runs::lifecycle", runs::lifecycle),
    ("runs::the_name_and_its_tag_agree", runs::the_name_and_its_tag_agree),
    ("runs::params_do_not_change", runs::params_do_not_change),
    ("runs::the_latest_metric_has_the_highest_step", runs::the_latest_metric_has_the_highest_step),
    ("runs::odd_numbers_are_kept", runs::odd_numbers_are_kept),
    ("runs::inputs_and_outputs", runs::inputs_and_outputs),
    ("runs::a_metric_reaches_models_of_its_experiment_only", runs::a_metric_reaches_models_of_its_experiment_only),
    ("once::is_once", once::is_once),
    ("sessions::lifecycle", sessions::lifecycle),
    ("sessions::old_ones_go", sessions::old_ones_go),
    ("sessions::open_ones_are_counted", sessions::open_ones_are_counted),
    ("sessions::they_end_with_the_user_and_the_password", sessions::they_end_with_the_user_and_the_password),
    ("workspace_keys::the_first_stays_until_it_is_destroyed", workspace_keys::the_first_stays_until_it_is_destroyed),
    ("sealed::values_are_found_and_replaced", sealed::values_are_found_and_replaced),
    ("search::filters", search::filters),
    ("search::like_tells_cases_apart", search::like_tells_cases_apart),
    ("search::text_is_never_sql", search::text_is_never_sql),
    ("search::order_is_total", search::order_is_total),
    ("search::not_a_number_sorts_after_numbers", search::not_a_number_sorts_after_numbers),
    ("search::pages", search::pages),
    ("search::pages_of_one_start", search::pages_of_one_start),
    ("search::pages_stand_still", search::pages_stand_still),
    ("search::a_place_of_another_order_is_refused", search::a_place_of_another_order_is_refused),
    ("search::only_the_asked_experiments", search::only_the_asked_experiments),
    ("search::datasets", search::datasets),
    ("search::unknown_fields_are_refused", search::unknown_fields_are_refused),
    ("logged_models::lifecycle", logged_models::lifecycle),
    ("logged_models::search", logged_models::search),
    ("datasets::each_once_for_its_context", datasets::each_once_for_its_context),
    ("histories::steps_are_thinned_out", histories::steps_are_thinned_out),
    ("issues::lifecycle_and_search", issues::lifecycle_and_search),
    ("version_records::have_no_files", version_records::have_no_files),
    ("registry::models", registry::models),
    ("registry::versions_are_numbered_once", registry::versions_are_numbered_once),
    ("registry::the_manifest_is_frozen", registry::the_manifest_is_frozen),
    ("registry::published_versions_stay", registry::published_versions_stay),
    ("registry::aliases", registry::aliases),
    ("registry::search", registry::search),
    ("artifacts::put_list_delete", artifacts::put_list_delete),
    ("artifacts::loose_files", artifacts::loose_files),
    ("artifacts::files_and_directories", artifacts::files_and_directories),
    ("artifacts::a_finalised_model_is_frozen", artifacts::a_finalised_model_is_frozen),
    ("artifacts::references", artifacts::references),
    ("objects::the_last_reference_frees_the_bytes", objects::the_last_reference_frees_the_bytes),
    ("objects::what_was_removed_stays_removed", objects::what_was_removed_stays_removed),
    ("objects::bytes_that_are_not_right_are_not_shared", objects::bytes_that_are_not_right_are_not_shared),
    ("uploads::parts_come_and_go", uploads::parts_come_and_go),
    ("uploads::only_an_open_one_takes_parts", uploads::only_an_open_one_takes_parts),
    ("traces::lifecycle", traces::lifecycle),
    ("traces::a_trace_stays_in_its_experiment", traces::a_trace_stays_in_its_experiment),
    ("traces::spans_make_and_complete_traces", traces::spans_make_and_complete_traces),
    ("traces::search", traces::search),
    ("traces::pages", traces::pages),
    ("traces::assessments", traces::assessments),
    ("traces::deletion", traces::deletion),
    ("traces::metrics", traces::metrics),
    ("evaluation_datasets::lifecycle", evaluation_datasets::lifecycle),
    ("evaluation_datasets::search", evaluation_datasets::search),
    ("evaluation_datasets::records", evaluation_datasets::records),
    ("scorers::versions", scorers::versions),
    ("gateway::secrets", gateway::secrets),
    ("gateway::definitions", gateway::definitions),
    ("gateway::endpoints", gateway::endpoints),
    ("gateway::bindings", gateway::bindings),
    ("gateway::online_scoring", gateway::online_scoring),
    ("evidence::by_subject", evidence::by_subject),
    ("identities::users", identities::users),
    ("identities::tokens", identities::tokens),
    ("identities::grants", identities::grants),
    ("account_security::second_factors", account_security::second_factors),
    ("account_security::failures_and_networks", account_security::failures_and_networks),
    ("account_security::uses_of_tokens", account_security::uses_of_tokens),
    ("groups::lifecycle", groups::lifecycle),
    ("groups::members_have_its_roles", groups::members_have_its_roles),
    ("groups::external_identities", groups::external_identities),
    ("groups::sessions_of_a_provider", groups::sessions_of_a_provider),
    ("import::experiments_keep_their_ids", import::experiments_keep_their_ids),
    ("import::versions_keep_their_numbers", import::versions_keep_their_numbers),
    ("import::spans_leave_their_trace_alone", import::spans_leave_their_trace_alone),
    ("import::scorers_keep_their_numbers", import::scorers_keep_their_numbers),
    ("import::refusals_are_noted_once", import::refusals_are_noted_once),
    ("import::nothing_is_nothing_of_any_kind", import::nothing_is_nothing_of_any_kind),
    ("ledger::entries_follow_each_other", ledger::entries_follow_each_other),
    ("ledger::sequencing", ledger::sequencing),
    ("ledger::a_lost_frontier_is_made_again", ledger::a_lost_frontier_is_made_again),
    ("ledger::what_was_not_signed_is_not_extended", ledger::what_was_not_signed_is_not_extended),
    ("ledger::settings", ledger::settings),
    ("ledger_index::finds_what_a_look_at_all_entries_finds", ledger_index::finds_what_a_look_at_all_entries_finds),
    ("cosignatures::are_kept_below_their_checkpoint", cosignatures::are_kept_below_their_checkpoint),
    ("personal::can_be_erased_and_the_log_stays", personal::can_be_erased_and_the_log_stays),
    ("ledger_index::pages_of_the_log", ledger_index::pages_of_the_log),
    ("ledger_index::the_index_is_made_again", ledger_index::the_index_is_made_again),
    ("ledger_index::proofs_come_from_nodes", ledger_index::proofs_come_from_nodes),
    ("ledger_index::what_no_bundle_can_hold_is_not_recorded", ledger_index::what_no_bundle_can_hold_is_not_recorded),
    ("text::a_nul_character_is_kept_or_refused", text::a_nul_character_is_kept_or_refused),
    ("text::sorts_by_its_bytes", text::sorts_by_its_bytes),
    ("roles::lifecycle", roles::lifecycle),
    ("roles::permissions_become_grants", roles::permissions_become_grants),
    ("roles::members", roles::members),
    ("webhooks::lifecycle", webhooks::lifecycle),
    ("webhooks::only_the_interested_are_told", webhooks::only_the_interested_are_told),
    ("webhooks::a_claim_is_a_lease", webhooks::a_claim_is_a_lease),
    ("webhooks::the_log_is_bounded", webhooks::the_log_is_bounded),
    ("webhooks::a_disabled_one_gives_up", webhooks::a_disabled_one_gives_up),
    ("webhooks::too_many_waiting_are_given_up", webhooks::too_many_waiting_are_given_up),
    ("workspaces::lifecycle", workspaces::lifecycle),
    ("workspaces::nothing_reaches_another_one", workspaces::nothing_reaches_another_one),
    ("workspaces::what_lies_loose_is_of_one_too", workspaces::what_lies_loose_is_of_one_too),
    ("workspaces::bytes_are_not_shared_between_two", workspaces::bytes_are_not_shared_between_two),
    ("workspaces::a_deleted_one_leaves_nothing", workspaces::a_deleted_one_leaves_nothing),
    ("workspaces::what_is_in_a_deleted_one_can_move", workspaces::what_is_in_a_deleted_one_can_move),
];

/// Runs every case, each on a store of its own that `empty` makes.
pub async fn all<F: Future<Output = Arc<dyn Store>>>(empty: impl Fn() -> F) {
    for (name, case) in CASES {
        let store = empty().await;
        let outcome = store
            .write(move |tx| {
                case(tx);
                // Whatever was written was sealed.
                assert_eq!(tx.damaged_rows(10).unwrap(), [], "{name}");
                Ok::<_, StoreError>(())
            })
            .await;
        assert!(outcome.is_ok(), "{name}: {outcome:?}");
    }
    text::a_nul_character_in_a_list(empty().await).await;
    people::each_change_moves_the_version(empty().await).await;
    transactions::a_failed_piece_is_undone_alone(empty().await).await;
    transactions::a_panic_is_undone_alone(empty().await).await;
    transactions::a_reader_cannot_write(empty().await).await;
    transactions::a_reader_sees_one_moment(empty().await).await;
    transactions::many_writers(empty().await).await;
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

fn new_run(id: &str, start: i64) -> NewRun {
    NewRun {
        id: id.into(),
        experiment_id: "0".into(),
        name: format!("run {id}"),
        user: "ada".into(),
        created_by: "ada".into(),
        start: time(start),
        tags: vec![],
    }
}

fn new_logged_model(id: &str, experiment: &str) -> NewLoggedModel {
    NewLoggedModel {
        id: id.into(),
        experiment_id: experiment.into(),
        name: format!("model {id}"),
        source_run_id: None,
        model_type: "sklearn".into(),
        created: time(10),
        created_by: "ada".into(),
        tags: vec![],
        params: vec![],
    }
}

fn tree(files: &[&str]) -> FileTree {
    FileTree::new(files.iter().map(|file| FileEntry {
        path: path(file),
        size: file.len() as u64,
        digest: Digest::of(file.as_bytes()),
        executable: false,
    }))
    .unwrap()
}

fn new_version(name: &str, files: &[&str]) -> NewModelVersion {
    NewModelVersion {
        name: name.into(),
        description: String::new(),
        source: "models:/m-1".into(),
        run_id: Some("r1".into()),
        model_id: Some("m-1".into()),
        experiment_id: "0".into(),
        created: time(50),
        created_by: "ada".into(),
        tags: vec![],
        tree: tree(files),
        files: files.iter().map(|file| VersionFile { path: path(file), object: format!("object of {file}") }).collect(),
        verdict: Verdict::Safe,
        location: None,
    }
}
