use std::time::Duration;

use sealyard_core::Rng;

/// The longest pause between two tries: directories bound how often one may fail.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);

/// A number from 0 to below 1.
fn fraction(rng: &dyn Rng) -> f64 {
    f64::from(u32::from_le_bytes(rng.bytes())) / (f64::from(u32::MAX) + 1.0)
}

/// The second at which a certificate is renewed: after two thirds of its life, and up to a twentieth more, so that many servers that
/// began together do not ask together.
pub(crate) fn due(begins: i64, expires: i64, rng: &dyn Rng) -> i64 {
    let life = expires.saturating_sub(begins).max(0);
    let share = 2.0 / 3.0 + fraction(rng) / 20.0;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "seconds of a life, of which a share is taken"
    )]
    let after = (life as f64 * share) as i64;
    begins.saturating_add(after)
}

/// How long to wait after so many failures in a row: twice as long each time, and up to half as much more.
pub(crate) fn pause(first: Duration, failures: u32, rng: &dyn Rng) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(20))).min(LONGEST);
    doubled.mul_f64(1.0 + fraction(rng) / 2.0)
}

#[cfg(test)]
mod tests {
    use sealyard_core::SystemRng;

    use super::*;

    #[test]
    fn renewal_is_after_two_thirds_and_well_before_the_end() {
        for _ in 0..1000 {
            let due = due(1000, 1000 + 90 * 86_400, &SystemRng);
            assert!((1000 + 60 * 86_400..1000 + 65 * 86_400).contains(&due), "{due}");
        }
        assert_eq!(due(1000, 1000, &SystemRng), 1000);
        assert_eq!(due(1000, 10, &SystemRng), 1000, "one that ends before it begins is due at once");
        assert!(
            (0..100).map(|_| super::due(0, 7_776_000, &SystemRng)).collect::<std::collections::HashSet<_>>().len() > 50
        );
    }

    #[test]
    fn pauses_grow_and_have_an_end() {
        let first = Duration::from_secs(120);
        for (failures, least) in [(1, 120), (2, 240), (5, 1920), (30, 21_600), (u32::MAX, 21_600)] {
            let pause = pause(first, failures, &SystemRng).as_secs();
            assert!((least..=least * 3 / 2).contains(&pause), "{failures}: {pause}");
        }
    }
}
