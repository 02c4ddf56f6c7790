use super::{ToValue, Value};

/// The parameters of one statement, in the order of their numbers. They stay on the stack.
pub(crate) trait Parameters {
    fn values(&self) -> impl AsRef<[Value<'_>]>;
}

/// None. Only this type has no elements, so that a plain `[]` is understood.
impl Parameters for [&dyn ToValue; 0] {
    fn values(&self) -> impl AsRef<[Value<'_>]> {
        []
    }
}

impl Parameters for Vec<Value<'_>> {
    fn values(&self) -> impl AsRef<[Value<'_>]> {
        self.as_slice()
    }
}

impl Parameters for &[Value<'_>] {
    fn values(&self) -> impl AsRef<[Value<'_>]> {
        *self
    }
}

macro_rules! arrays {
    ($($length:literal)*) => {$(
        impl<T: ToValue> Parameters for [T; $length] {
            fn values(&self) -> impl AsRef<[Value<'_>]> {
                self.each_ref().map(ToValue::to_value)
            }
        }
    )*};
}

arrays!(1 2 3 4 5 6 7 8 9 10 11 12);

macro_rules! tuples {
    ($(($($index:tt $name:ident),+))*) => {$(
        impl<$($name: ToValue),+> Parameters for ($($name,)+) {
            fn values(&self) -> impl AsRef<[Value<'_>]> {
                [$(self.$index.to_value()),+]
            }
        }
    )*};
}

tuples!(
    (0 T0)
    (0 T0, 1 T1)
    (0 T0, 1 T1, 2 T2)
    (0 T0, 1 T1, 2 T2, 3 T3)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8, 9 T9)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8, 9 T9, 10 T10)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8, 9 T9, 10 T10, 11 T11)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8, 9 T9, 10 T10, 11 T11, 12 T12)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8, 9 T9, 10 T10, 11 T11, 12 T12, 13 T13)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8, 9 T9, 10 T10, 11 T11, 12 T12, 13 T13, 14 T14)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8, 9 T9, 10 T10, 11 T11, 12 T12, 13 T13, 14 T14, 15 T15)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8, 9 T9, 10 T10, 11 T11, 12 T12, 13 T13, 14 T14, 15 T15, 16 T16)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8, 9 T9, 10 T10, 11 T11, 12 T12, 13 T13, 14 T14, 15 T15, 16 T16, 17 T17)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8, 9 T9, 10 T10, 11 T11, 12 T12, 13 T13, 14 T14, 15 T15, 16 T16, 17 T17, 18 T18)
    (0 T0, 1 T1, 2 T2, 3 T3, 4 T4, 5 T5, 6 T6, 7 T7, 8 T8, 9 T9, 10 T10, 11 T11, 12 T12, 13 T13, 14 T14, 15 T15, 16 T16, 17 T17, 18 T18, 19 T19)
);

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parameters: impl Parameters) -> Vec<Value<'static>> {
        parameters
            .values()
            .as_ref()
            .iter()
            .map(|value| match value {
                Value::Text(text) => Value::from(text.clone().into_owned()),
                Value::Blob(bytes) => Value::Blob(bytes.clone().into_owned().into()),
                Value::Null => Value::Null,
                Value::Integer(number) => Value::Integer(*number),
                Value::Real(number) => Value::Real(*number),
            })
            .collect()
    }

    #[test]
    fn every_form_keeps_its_order() {
        assert_eq!(of([]), []);
        assert_eq!(of(["a", "b"]), [Value::from("a"), Value::from("b")]);
        let mixed = of((1_i64, Some(true), None::<&str>, 2.5, b"x".as_slice()));
        let expected =
            [1.into(), Value::Integer(1), Value::Null, Value::Real(2.5), Value::Blob(b"x".as_slice().into())];
        assert_eq!(mixed, expected);
        assert_eq!(of(vec![Value::from(3)]), [Value::from(3)]);
    }
}
