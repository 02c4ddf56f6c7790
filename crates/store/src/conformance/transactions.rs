use std::sync::Arc;

use crate::{Store, StoreError};

async fn value(store: &Arc<dyn Store>, key: &'static str) -> Option<String> {
    store.read(move |tx| tx.setting(key)).await.unwrap()
}

pub(super) async fn a_failed_piece_is_undone_alone(store: Arc<dyn Store>) {
    let good = store.write(|tx| tx.put_setting("good", "1"));
    let bad = store.write(|tx| {
        tx.put_setting("bad", "1")?;
        Err::<(), _>(StoreError::Invalid("no".into()))
    });
    let (good, bad) = futures::future::join(good, bad).await;
    good.unwrap();
    assert!(matches!(bad, Err(StoreError::Invalid(_))));
    assert_eq!(value(&store, "good").await.as_deref(), Some("1"));
    assert_eq!(value(&store, "bad").await, None);
}

pub(super) async fn a_panic_is_undone_alone(store: Arc<dyn Store>) {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let written = store
        .write(|tx| {
            tx.put_setting("bad", "1")?;
            if tx.setting("bad")?.is_some() {
                panic!("on purpose");
            }
            Ok::<_, StoreError>(())
        })
        .await;
    let read = store.read(|_| -> Result<(), StoreError> { panic!("on purpose") }).await;
    std::panic::set_hook(hook);
    assert!(matches!(written, Err(StoreError::Undone)), "{written:?}");
    assert!(matches!(read, Err(StoreError::Undone)), "{read:?}");
    store.write(|tx| tx.put_setting("good", "1")).await.unwrap();
    assert_eq!(value(&store, "good").await.as_deref(), Some("1"));
    assert_eq!(value(&store, "bad").await, None);
}

pub(super) async fn a_reader_cannot_write(store: Arc<dyn Store>) {
    let refused = store.read(|tx| tx.put_setting("bad", "1")).await;
    assert!(refused.is_err());
    assert_eq!(value(&store, "bad").await, None);
}

pub(super) async fn a_reader_sees_one_moment(store: Arc<dyn Store>) {
    let (began, begin) = std::sync::mpsc::channel();
    let (wrote, write) = std::sync::mpsc::channel();
    let reading = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            store
                .read(move |tx| {
                    let before = tx.setting("a")?;
                    began.send(()).unwrap();
                    write.recv().unwrap();
                    Ok::<_, StoreError>((before, tx.setting("a")?))
                })
                .await
        })
    };
    tokio::task::spawn_blocking(move || begin.recv().unwrap()).await.unwrap();
    store.write(|tx| tx.put_setting("a", "1")).await.unwrap();
    wrote.send(()).unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), (None, None));
    assert_eq!(value(&store, "a").await.as_deref(), Some("1"));
}

pub(super) async fn many_writers(store: Arc<dyn Store>) {
    let writers = (0..300).map(|number| {
        store.write(move |tx| {
            tx.put_setting(&format!("key {number}"), "1")?;
            let count: u32 = tx.setting("count")?.map_or(0, |count| count.parse().unwrap());
            tx.put_setting("count", &(count + 1).to_string())
        })
    });
    for outcome in futures::future::join_all(writers).await {
        outcome.unwrap();
    }
    assert_eq!(value(&store, "count").await.as_deref(), Some("300"));
}
