//! A proof is for one resource: with things of another one it does nothing, whatever handlers do.

use sealyard_app::{AppError, CreateLoggedModel, PageToken, UpdateRun};
use sealyard_identity::{Edit, Manage, Read};
use sealyard_store::model::{ModelOutput, Pair, RunBatch};

use crate::test_app::TestApp;

#[track_caller]
fn denied<T: std::fmt::Debug>(result: Result<T, AppError>) {
    assert!(matches!(result, Err(AppError::Denied { .. })), "{result:?}");
}

#[tokio::test]
async fn of_one_experiment_is_none_of_another() {
    let test = TestApp::new().await;
    let (mine, other) = (test.experiment(&test.admin, "a").await, test.experiment(&test.admin, "b").await);
    let (run, model) = (test.run(&test.admin, &other).await, test.logged_model(&test.admin, &other).await);
    let own = test.run(&test.admin, &mine).await;
    let caller = test.caller(&test.admin).await;
    let app = &test.app;
    let read = app.authorize_experiment(&caller, Read, &mine).await.unwrap();
    let edit = app.authorize_experiment(&caller, Edit, &mine).await.unwrap();
    let manage = app.authorize_experiment(&caller, Manage, &mine).await.unwrap();
    denied(app.run(&read, &run).await);
    denied(app.metric_history(&read, &run, "m", None, PageToken::default()).await);
    denied(app.update_run(&caller, &edit, &run, UpdateRun::default()).await);
    denied(app.log_batch(&edit, &run, RunBatch::default()).await);
    denied(app.delete_run_tag(&edit, &run, "k").await);
    denied(app.log_inputs(&edit, &run, Vec::new(), Vec::new()).await);
    denied(app.log_inputs(&edit, &own, Vec::new(), vec![model.clone()]).await);
    denied(app.log_outputs(&edit, &run, Vec::new()).await);
    denied(app.log_outputs(&edit, &own, vec![ModelOutput { model_id: model.clone(), step: 0 }]).await);
    denied(app.delete_run(&caller, &manage, &run).await);
    denied(app.restore_run(&caller, &manage, &run).await);
    denied(app.logged_model(&read, &model).await);
    denied(app.logged_model_manifest(&read, &model).await);
    denied(app.set_logged_model_tags(&edit, &model, vec![Pair::new("k", "v")]).await);
    denied(app.delete_logged_model_tag(&edit, &model, "k").await);
    denied(app.log_logged_model_params(&edit, &model, Vec::new()).await);
    denied(app.delete_logged_model(&caller, &manage, &model).await);
    let foreign = CreateLoggedModel { source_run_id: Some(run), ..CreateLoggedModel::default() };
    denied(app.create_logged_model(&caller, &edit, foreign).await);
}
