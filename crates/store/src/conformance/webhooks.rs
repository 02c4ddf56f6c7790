use super::time;
use crate::model::{AttemptOutcome, Delivery, DeliveryBounds, Webhook};
use crate::{StoreError, Transaction};

const MANY: DeliveryBounds = DeliveryBounds { waiting: 10, done: 10 };
const TWO: DeliveryBounds = DeliveryBounds { waiting: 2, done: 2 };

pub(super) fn webhook(id: &str, events: &[&str]) -> Webhook {
    Webhook {
        number: 0,
        id: id.into(),
        name: format!("name of {id}"),
        description: String::new(),
        url: "https://hooks.example.org/x".into(),
        secret: Some(vec![0, 255, 7]),
        active: true,
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        created: time(1),
        updated: time(1),
        created_by: "ada".into(),
    }
}

fn delivery(id: &str, webhook: i64, due: i64) -> Delivery {
    Delivery {
        number: 0,
        id: id.into(),
        webhook,
        event: "model_version.created".into(),
        body: "{\"näme\":1}".into(),
        created: time(due),
        attempts: 0,
        due: time(due),
        status: None,
        error: None,
        finished: None,
        delivered: false,
    }
}

pub(super) fn lifecycle(tx: &mut dyn Transaction) {
    let events = ["prompt.created", "model_version.created"];
    let made = tx.create_webhook(&webhook("a", &events)).unwrap();
    assert_eq!(tx.webhook("a").unwrap().unwrap(), made);
    assert_eq!(made.events, events, "in the order they were given");
    let other = tx.create_webhook(&webhook("b", &events)).unwrap();
    assert_eq!((tx.webhooks(0, 1).unwrap(), tx.count_webhooks().unwrap()), (vec![made.clone()], 2));
    assert_eq!(tx.webhooks(made.number, 10).unwrap(), [other]);
    let changed = Webhook { name: "new".into(), secret: None, events: vec!["x.y".into()], updated: time(9), ..made };
    tx.update_webhook(&changed).unwrap();
    assert_eq!(tx.webhook("a").unwrap().unwrap(), changed);
    tx.add_delivery(&delivery("d", changed.number, 5), MANY).unwrap();
    tx.delete_webhook("a").unwrap();
    assert_eq!(tx.webhook("a").unwrap(), None);
    assert!(tx.deliveries(changed.number, None, 10).unwrap().is_empty());
    assert!(tx.webhooks_for("x.y").unwrap().is_empty());
    assert!(tx.create_webhook(&webhook("c", &events)).unwrap().number > changed.number, "a number is never used again");
    assert!(matches!(tx.delete_webhook("a"), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.update_webhook(&changed), Err(StoreError::NotFound { .. })));
}

pub(super) fn only_the_interested_are_told(tx: &mut dyn Transaction) {
    let a = tx.create_webhook(&webhook("a", &["prompt.created", "prompt.created"])).unwrap();
    let b = tx.create_webhook(&webhook("b", &["model_version.created", "prompt.created"])).unwrap();
    tx.create_webhook(&Webhook { active: false, ..webhook("c", &["prompt.created"]) }).unwrap();
    assert_eq!(tx.webhooks_for("prompt.created").unwrap(), [a.number, b.number]);
    assert_eq!(tx.webhooks_for("model_version.created").unwrap(), [b.number]);
    assert!(tx.webhooks_for("prompt").unwrap().is_empty());
}

pub(super) fn a_claim_is_a_lease(tx: &mut dyn Transaction) {
    let hook = tx.create_webhook(&webhook("a", &["x.y"])).unwrap();
    for (id, due) in [("late", 20), ("early", 10), ("future", 100)] {
        tx.add_delivery(&delivery(id, hook.number, due), MANY).unwrap();
    }
    assert_eq!(tx.waiting_webhooks().unwrap(), std::slice::from_ref(&hook));
    assert!(!tx.due_deliveries(hook.number, time(9)).unwrap() && tx.due_deliveries(hook.number, time(10)).unwrap());
    let claimed = tx.claim_deliveries(hook.number, time(50), time(80), 10).unwrap();
    assert!(!tx.due_deliveries(hook.number, time(79)).unwrap());
    assert_eq!(
        claimed.iter().map(|one| (one.id.as_str(), one.attempts)).collect::<Vec<_>>(),
        [("early", 1), ("late", 1)]
    );
    assert_eq!(claimed[0].body, "{\"näme\":1}");
    assert!(tx.claim_deliveries(hook.number, time(50), time(80), 10).unwrap().is_empty());
    // Whoever held them died: they are due again, and what the dead one would say no longer counts.
    let again = tx.claim_deliveries(hook.number, time(80), time(110), 10).unwrap();
    assert_eq!(again.iter().map(|one| one.attempts).collect::<Vec<_>>(), [2, 2]);
    tx.finish_attempt(&claimed[0], &AttemptOutcome::Delivered, Some(200), None, time(81), MANY).unwrap();
    assert!(tx.deliveries(hook.number, None, 10).unwrap().iter().all(|one| one.finished.is_none()));
    tx.finish_attempt(&again[0], &AttemptOutcome::Again(time(95)), Some(503), Some("busy"), time(81), MANY).unwrap();
    tx.finish_attempt(&again[1], &AttemptOutcome::GivenUp, None, Some("gone"), time(82), MANY).unwrap();
    let third = tx.claim_deliveries(hook.number, time(95), time(120), 1).unwrap();
    assert_eq!((third[0].id.as_str(), third[0].status, third[0].attempts), ("late", Some(503), 3));
    tx.finish_attempt(&third[0], &AttemptOutcome::Delivered, Some(204), None, time(96), MANY).unwrap();
    let log = tx.deliveries(hook.number, None, 10).unwrap();
    let log: Vec<_> =
        log.iter().map(|one| (one.id.as_str(), one.delivered, one.status, one.error.as_deref())).collect();
    assert_eq!(
        log,
        [("future", false, None, None), ("early", false, None, Some("gone")), ("late", true, Some(204), None)]
    );
    let future = tx.claim_deliveries(hook.number, time(100), time(120), 1).unwrap();
    tx.finish_attempt(&future[0], &AttemptOutcome::Delivered, Some(200), None, time(101), MANY).unwrap();
    assert!(tx.waiting_webhooks().unwrap().is_empty());
}

pub(super) fn the_log_is_bounded(tx: &mut dyn Transaction) {
    let hook = tx.create_webhook(&webhook("a", &["x.y"])).unwrap();
    for number in 0..6 {
        tx.add_delivery(&delivery(&format!("d{number}"), hook.number, number), MANY).unwrap();
    }
    for claimed in tx.claim_deliveries(hook.number, time(50), time(80), 5).unwrap() {
        tx.finish_attempt(
            &claimed,
            &AttemptOutcome::Delivered,
            Some(200),
            None,
            time(51),
            DeliveryBounds { waiting: 10, done: 2 },
        )
        .unwrap();
    }
    let log = tx.deliveries(hook.number, None, 10).unwrap();
    assert_eq!(log.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["d5", "d4", "d3"], "what waits is kept");
    let older = tx.deliveries(hook.number, Some(log[1].number), 10).unwrap();
    assert_eq!(older, log[2..]);
}

pub(super) fn a_disabled_one_gives_up(tx: &mut dyn Transaction) {
    let hook = tx.create_webhook(&webhook("a", &["x.y"])).unwrap();
    tx.add_delivery(&delivery("d", hook.number, 5), MANY).unwrap();
    tx.update_webhook(&Webhook { active: false, updated: time(9), ..hook.clone() }).unwrap();
    assert!(tx.waiting_webhooks().unwrap().is_empty());
    assert!(tx.claim_deliveries(hook.number, time(50), time(80), 5).unwrap().is_empty());
    let log = tx.deliveries(hook.number, None, 10).unwrap();
    assert_eq!((log[0].finished, log[0].delivered), (Some(time(9)), false));
}

pub(super) fn too_many_waiting_are_given_up(tx: &mut dyn Transaction) {
    let hook = tx.create_webhook(&webhook("a", &["x.y"])).unwrap();
    for number in 0..3 {
        tx.add_delivery(&delivery(&format!("d{number}"), hook.number, number), TWO).unwrap();
    }
    let log = tx.deliveries(hook.number, None, 10).unwrap();
    assert_eq!(log.iter().map(|one| one.finished.is_some()).collect::<Vec<_>>(), [true, false, false]);
    let claimed = tx.claim_deliveries(hook.number, time(50), time(80), 1).unwrap();
    tx.finish_attempt(&claimed[0], &AttemptOutcome::Delivered, Some(200), None, time(51), MANY).unwrap();
    tx.add_delivery(&delivery("d9", hook.number, 60), TWO).unwrap();
    assert_eq!(tx.deliveries(hook.number, None, 1).unwrap()[0].finished, None, "there is room again");
}
