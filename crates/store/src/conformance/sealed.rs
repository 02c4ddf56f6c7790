use super::webhooks::webhook;
use crate::{SEALED_COLUMNS, SealedColumn, Transaction};

/// Every column of the list is there, and a value is only replaced where it still is what was read.
pub(super) fn values_are_found_and_replaced(tx: &mut dyn Transaction) {
    for column in SEALED_COLUMNS {
        assert_eq!(tx.sealed_values(column, "", 10).unwrap(), [], "{column:?}");
    }
    let find = |name: &str| *SEALED_COLUMNS.iter().find(|column| column.column == name).unwrap();
    let (secret, url): (SealedColumn, SealedColumn) = (find("secret"), find("url"));
    let mut made = webhook("a", &["x.y"]);
    made.url = "sealed:00".into();
    tx.create_webhook(&made).unwrap();
    tx.create_webhook(&webhook("b", &["x.y"])).unwrap();
    let of = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    assert_eq!(tx.sealed_values(&secret, "", 10).unwrap(), [of("a", &[0, 255, 7]), of("b", &[0, 255, 7])]);
    assert_eq!(tx.sealed_values(&secret, "a", 10).unwrap(), [of("b", &[0, 255, 7])]);
    assert_eq!(tx.sealed_values(&secret, "", 1).unwrap(), [of("a", &[0, 255, 7])]);
    assert_eq!(tx.sealed_values(&url, "", 10).unwrap(), [of("a", b"sealed:00")], "a plain text is not sealed");
    assert!(!tx.replace_sealed(&secret, "a", &[1], &[2]).unwrap());
    assert!(tx.replace_sealed(&secret, "a", &[0, 255, 7], &[2]).unwrap());
    assert!(tx.replace_sealed(&url, "a", b"sealed:00", b"sealed:11").unwrap());
    let found = tx.webhook("a").unwrap().unwrap();
    assert_eq!((found.secret.unwrap(), found.url.as_str()), (vec![2], "sealed:11"));
    assert_eq!(tx.webhook("b").unwrap().unwrap().secret.unwrap(), [0, 255, 7]);
    tx.put_setting("k", "sealed:22").unwrap();
    tx.put_setting("l", "plain").unwrap();
    assert_eq!(tx.sealed_values(&find("value"), "", 10).unwrap(), [of("k", b"sealed:22")]);
}
